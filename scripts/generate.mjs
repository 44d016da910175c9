/**
 * Writes the TypeScript types of the messages in proto/, and what encodes and decodes them, to proto/generated/, unless it is
 * there already: a digest of everything it depends on stands beside it.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codecText } from './generate-codec.mjs';

const protoFolder = fileURLToPath(new URL('../proto', import.meta.url));
const generatedFolder = join(protoFolder, 'generated');
const stampFile = join(generatedFolder, '.digest');
const loaderManifest = createRequire(import.meta.url).resolve('@grpc/proto-loader/package.json');

const sources = readdirSync(protoFolder, { recursive: true })
  .filter((name) => name.endsWith('.proto'))
  .sort();
const digest = createHash('sha256');
for (const file of [
  loaderManifest,
  fileURLToPath(import.meta.url),
  fileURLToPath(new URL('generate-codec.mjs', import.meta.url)),
  ...sources.map((name) => join(protoFolder, name)),
]) {
  digest.update(`${file}\0`).update(readFileSync(file)).update('\0');
}
const wanted = digest.digest('hex');

if (stamp() !== wanted) {
  rmSync(generatedFolder, { recursive: true, force: true });
  generate();
  writeFileSync(join(generatedFolder, 'codec.ts'), codecText(protoFolder, sources));
  writeFileSync(stampFile, wanted);
}

function stamp() {
  try {
    return readFileSync(stampFile, 'utf8');
  } catch {
    return undefined;
  }
}

/** The options shape the types; generate-codec.mjs makes what fits them. */
function generate() {
  const { bin } = JSON.parse(readFileSync(loaderManifest, 'utf8'));
  const generator = join(dirname(loaderManifest), bin['proto-loader-gen-types']);
  const options = ['--longs=Number', '--enums=String', '--defaults', '--oneofs', '--importFileExtension=.js'];
  const { status } = spawnSync(
    process.execPath,
    [generator, ...options, '--includeDirs', protoFolder, '--outDir', generatedFolder, ...sources],
    { cwd: dirname(protoFolder), stdio: ['ignore', 'ignore', 'inherit'] },
  );
  if (status !== 0) throw new Error('proto-loader-gen-types failed');
}
