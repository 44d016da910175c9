/**
 * `rehearse demo`: text from a small generator, four workers, one of them killed with -9 half way, and the answer held
 * against that of a sequential run.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import seedrandom from 'seedrandom';
import type { Effect } from '../core/effects.js';
import { taskName } from '../core/ids.js';
import type { LocalCluster } from '../runtime/run/local-cluster.js';
import { writeRunRequest } from '../runtime/run/run-request.js';
import type { GlobalFlags } from './global-flags.js';
import { sayCount, sayDuration } from './quantities.js';
import { execute, type Rehearsal } from './run/execute.js';
import type { RunFlags } from './run/flags.js';
import { createRun } from './run/prepare.js';
import { gather } from './run/run.js';
import { runInProcess } from './run/sequential.js';
import { openTerminal } from './terminal.js';
import { exitCodes, exitOfSignal, type StopSignal } from './user-error.js';

const syllables = [
  'an',
  'ber',
  'co',
  'dal',
  'er',
  'fo',
  'gri',
  'ha',
  'il',
  'jo',
  'ka',
  'lun',
  'me',
  'nor',
  'os',
  'pé',
];
const files = 8;
const linesPerFile = 4000;

export async function demo(_args: string[], flags: GlobalFlags): Promise<number> {
  const terminal = openTerminal(flags);
  const scratch = mkdtempSync(join(tmpdir(), 'rehearse-demo-'));
  try {
    const words = writeBooks(join(scratch));
    terminal.say(`${files} books with ${sayCount(words)} words; 16 maps, 4 reduces, 4 workers`);
    const shared: RunFlags & GlobalFlags = {
      ...flags,
      workers: 4,
      mapTasks: 16,
      reduceTasks: 4,
      dataDir: join(scratch, 'data'),
    };
    const inputs = [join(scratch, 'books')];
    const distributed = { ...shared, output: join(scratch, 'distributed') };
    const startedAt = performance.now();
    const { killed, stoppedBy } = await runWithKill(inputs, distributed, terminal.say);
    if (stoppedBy !== undefined) {
      if (flags.json) terminal.out(`${JSON.stringify({ outcome: 'interrupted' })}\n`);
      terminal.say('stopped');
      return exitOfSignal(stoppedBy);
    }
    const tookUs = Math.round((performance.now() - startedAt) * 1000);
    const sequential = { ...shared, output: join(scratch, 'sequential'), quiet: true };
    const prepared = await createRun(await gather('word-count', inputs, sequential));
    await runInProcess(prepared, { terminal: openTerminal(sequential), flags: sequential });
    const same = readParts(distributed.output).equals(readParts(sequential.output));
    const verdict = same ? 'the same answer as sequential, byte for byte' : 'ANOTHER ANSWER than sequential';
    terminal.say(`${killed} killed half way; done in ${sayDuration(tookUs)}: ${verdict}`);
    if (flags.json) terminal.out(`${JSON.stringify({ killed, same, tookUs, words })}\n`);
    else for (const line of topWords(readParts(distributed.output))) terminal.out(`${line}\n`);
    return same ? exitCodes.yes : exitCodes.no;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Zipf-like text: word k comes about 1/k as often as the first. Returns the number of words. */
function writeBooks(directory: string): number {
  const random = seedrandom.alea('rehearse demo');
  const vocabulary = Array.from({ length: 2000 }, () =>
    Array.from(
      { length: 1 + Math.floor(random() * 3) },
      () => syllables[Math.floor(random() * syllables.length)],
    ).join(''),
  );
  const books = join(directory, 'books');
  let words = 0;
  mkdirSync(books);
  for (let file = 0; file < files; file++) {
    const lines = Array.from({ length: linesPerFile }, () => {
      const count = 5 + Math.floor(random() * 8);
      words += count;
      return Array.from({ length: count }, () => vocabulary[Math.floor(2000 ** random()) - 1]).join(' ');
    });
    writeFileSync(join(books, `book-${file + 1}.txt`), `${lines.join('\n')}\n`);
  }
  return words;
}

/** Kills the worker that is given the ninth map. */
async function runWithKill(
  inputs: readonly string[],
  flags: RunFlags & GlobalFlags,
  say: (line: string) => void,
): Promise<{ readonly killed: string; readonly stoppedBy?: StopSignal }> {
  const ingredients = await gather('word-count', inputs, flags);
  // Each map is made to take a moment: else it would all be over before anything could be killed.
  const prepared = await createRun({
    ...ingredients,
    pace: { mapUs: [60_000, 120_000], reduceUs: [20_000, 40_000] },
  });
  writeRunRequest(prepared.layout, prepared.request);
  let victim = '';
  let cluster: LocalCluster | undefined;
  const rehearsal: Rehearsal = {
    points: () => [],
    begin: (started) => {
      cluster = started;
    },
    watch: (_node, _event, effects) => {
      const given = effects.find((effect) => isAssignment(effect, 8));
      if (victim !== '' || given?.type !== 'decide') return;
      victim = given.node!;
      say(`kill -9 ${victim}, which has just begun ${taskName(8, 16)}`);
      setTimeout(() => cluster?.supervisor.signal(victim, 'SIGKILL'), 20);
    },
    pointReached: () => {},
    started: () => {},
    followUp: async () => {},
    end: () => {},
  };
  const progress = { status: () => {}, event: () => {}, done: () => {} };
  const ending = await execute({ ...prepared, progress, verbose: false, rehearsal });
  return ending.type === 'interrupted' ? { killed: victim, stoppedBy: ending.signal } : { killed: victim };
}

function isAssignment(effect: Effect, task: number): boolean {
  return effect.type === 'decide' && effect.decision === 'attempt-assigned' && effect.attempt?.task === task;
}

function readParts(directory: string): Buffer {
  const names = readdirSync(directory)
    .filter((name) => name.startsWith('part-'))
    .sort();
  return Buffer.concat(names.map((name) => readFileSync(join(directory, name))));
}

function topWords(parts: Buffer): string[] {
  const lines = parts.toString().trimEnd().split('\n');
  const counted = lines.map((line) => ({ line, count: Number(line.slice(line.lastIndexOf(' '))) }));
  return counted
    .sort((a, b) => b.count - a.count || (a.line < b.line ? -1 : 1))
    .slice(0, 3)
    .map(({ line }) => line);
}
