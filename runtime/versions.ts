/** Versions that a trace and `--version` name. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installation } from './installation.js';

/** Beside the sources, or above what is built of them. Read as a file: asking Node for a package takes it far longer. */
const manifestPath = [installation, join(installation, '..')]
  .map((folder) => join(folder, 'package.json'))
  .find((path) => existsSync(path))!;
const manifest = JSON.parse(readFileSync(manifestPath, 'utf8')) as { version: string };

export function versions(): { rehearse: string; node: string } {
  return { rehearse: manifest.version, node: process.versions.node };
}
