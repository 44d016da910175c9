/**
 * `npm run campaign:large`: a word count over 250 MB, held against `--sequential` and against an independent program,
 * with a memory limit on every process, once with the default budget and once with 1 MiB an executor.
 *
 *   node scripts/large-run.mjs [--megabytes 250]
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import seedrandom from 'seedrandom';

const { values } = parseArgs({ options: { megabytes: { type: 'string', default: '250' } } });
const rehearse = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist', 'bin', 'rehearse.cjs');
const scratch = mkdtempSync(join(tmpdir(), 'rehearse-large-'));
const input = join(scratch, 'input.txt');
const processMbMax = 400;

/** Zipf-like text over 60,000 words with accents and capitals; the same bytes every time. */
function writeInput() {
  const random = seedrandom.alea('large run');
  const letters = 'etaoinshrdlucmfwypvbgkéüñç';
  const word = () =>
    Array.from({ length: 1 + Math.floor(random() * 9) }, () => letters[Math.floor(random() ** 2 * 26)]).join(
      '',
    );
  const words = Array.from({ length: 60_000 }, word);
  const file = openSync(input, 'w');
  for (let bytes = 0; bytes < Number(values.megabytes) * 1e6; ) {
    let block = '';
    while (block.length < 1 << 20) {
      const line = Array.from({ length: 12 }, () => words[Math.floor(60_000 ** random()) - 1]);
      if (random() < 0.3) line[0] = line[0].toUpperCase();
      block += `${line.join(' ')}.\n`;
    }
    bytes += writeSync(file, block);
  }
  closeSync(file);
}

/** Another program than the one under test: lines, a regular expression, a Map. */
async function independentCount() {
  const counts = new Map();
  for await (const line of createInterface({ input: createReadStream(input) })) {
    for (const [word] of line.matchAll(/\p{L}+/gu)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return hashOfLines([...counts].map(([word, count]) => `${word} ${count}`));
}

function hashOfLines(lines) {
  return createHash('sha256')
    .update(Buffer.concat(lines.map((line) => Buffer.from(`${line}\n`)).sort(Buffer.compare)))
    .digest('hex');
}

function partsOf(output) {
  const names = readdirSync(output)
    .filter((name) => name.startsWith('part-'))
    .sort();
  return names.map((name) => readFileSync(join(output, name), 'utf8'));
}

/** Runs the command and samples the resident memory of it and its children; returns its `--json` document. */
async function run(name, flags) {
  const output = join(scratch, name);
  const args = [
    rehearse,
    'run',
    'word-count',
    input,
    '-m',
    '100',
    '-r',
    '20',
    '-o',
    output,
    '--data-dir',
    join(scratch, `${name}-data`),
    '--json',
    ...flags,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (bytes) => (text += bytes));
  const peaks = new Map();
  const timer = setInterval(() => samplePeaks(child.pid, peaks), 200);
  const code = await new Promise((resolve) => child.once('exit', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`${name}: exit ${code}`);
  const peakMb = Math.round(Math.max(0, ...peaks.values()) / 1024);
  return { name, output, document: JSON.parse(text), peakMb };
}

function samplePeaks(root, peaks) {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const parent = Number(/^PPid:\s+(\d+)/m.exec(status)[1]);
      if (Number(pid) === root || parent === root) peaks.set(pid, Number(/^VmHWM:\s+(\d+)/m.exec(status)[1]));
    } catch {
      // it ended while we looked
    }
  }
}

/** Whether attempts of two workers ran at the same time, by the leader's trace. */
function overlaps(traces) {
  const name = readdirSync(traces).find((one) => one.startsWith('master-'));
  const running = new Map();
  for (const text of readFileSync(join(traces, name), 'utf8').split('\n')) {
    if (!text.includes('"decide"')) continue;
    for (const effect of JSON.parse(text).effects) {
      if (effect.decision === 'attempt-assigned') running.set(effect.attempt.task, effect.node);
      if (effect.decision === 'task-committed') running.delete(effect.attempt.task);
    }
    if (new Set(running.values()).size > 1) return true;
  }
  return false;
}

function demand(holds, message) {
  if (!holds) throw new Error(message);
}

try {
  writeInput();
  const expected = await independentCount();
  const sequential = await run('sequential', ['--sequential', '-w', '2']);
  const runs = [await run('default', ['-w', '2']), await run('tiny-budget', ['-w', '2', '--budget', '1MiB'])];
  for (const { name, output, document, peakMb } of runs) {
    const parts = partsOf(output);
    demand(
      hashOfLines(parts.flatMap((part) => part.split('\n').slice(0, -1))) === expected,
      `${name}: not the independent answer`,
    );
    demand(
      parts.every((part, index) => part === partsOf(sequential.output)[index]),
      `${name}: not the sequential answer`,
    );
    demand(overlaps(document.trace), `${name}: no two workers ran at the same time`);
    demand(peakMb <= processMbMax, `${name}: a process took ${peakMb} MB`);
    console.log(
      `${name}: ${(document.tookUs / 1e6).toFixed(1)} s, peak ${peakMb} MB a process, ${document.counters['map.spills'] ?? 0} spills`,
    );
  }
  demand(runs[1].document.counters['map.spills'] > 0, 'with a tiny budget nothing was spilled');
  console.log('the same bytes as --sequential, and the answer of an independent program');
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
