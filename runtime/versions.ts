/** Versions that a trace and `--version` name. */
import { createRequire } from 'node:module';

const manifest = createRequire(import.meta.url)('mapreduce-rehearsal/package.json') as { version: string };

export function versions(): { rehearse: string; node: string } {
  return { rehearse: manifest.version, node: process.versions.node };
}
