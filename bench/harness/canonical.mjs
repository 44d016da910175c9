/**
 * What an output says, whatever the order of its lines and however it is cut into parts: the SHA-256 of its lines sorted
 * by bytes. An output is a file, or a folder of `part-…` files.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export function filesOf(output) {
  if (!statSync(output).isDirectory()) return [output];
  const parts = readdirSync(output).filter((name) => name.startsWith('part-'));
  return parts.sort().map((name) => join(output, name));
}

async function digestOfStream(...streams) {
  const hash = createHash('sha256');
  for (const stream of streams) for await (const bytes of stream) hash.update(bytes);
  return hash.digest('hex');
}

/** The SHA-256 of the bytes as they are: cheap, and enough to recognise an output that was seen before. */
export function rawDigest(output) {
  return digestOfStream(...filesOf(output).map((file) => createReadStream(file)));
}

function sortArguments(output) {
  return ['-S', '25%', ...filesOf(output)];
}

const byBytes = { ...process.env, LC_ALL: 'C' };

export async function canonicalDigest(output) {
  const sorted = spawn('sort', sortArguments(output), { env: byBytes, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => sorted.once('close', resolve));
  const digest = await digestOfStream(sorted.stdout);
  const code = await ended;
  if (code !== 0) throw new Error(`cannot sort ${output}: sort ended with ${code}`);
  return digest;
}

/** The first lines by which two outputs differ, as `diff` shows them. */
export function firstDifferences(one, other) {
  const quoted = (output) =>
    sortArguments(output)
      .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
      .join(' ');
  const script = `diff <(sort ${quoted(one)}) <(sort ${quoted(other)}) | head -n 6`;
  return execFileSync('bash', ['-c', script], { env: byBytes, encoding: 'utf8' });
}

/** Remembers outputs of one measure; throws at the first that does not say what the first one said. */
export class EqualOutputs {
  #first;
  #seen = new Set();

  /** `name` is who made the output. */
  async demand(name, output) {
    const raw = await rawDigest(output);
    if (this.#seen.has(raw)) return;
    const digest = await canonicalDigest(output);
    this.#first ??= { name, output, digest };
    if (digest !== this.#first.digest) {
      const lines = firstDifferences(this.#first.output, output);
      throw new Error(`${name} does not say what ${this.#first.name} says:\n${lines}`);
    }
    this.#seen.add(raw);
  }
}
