/**
 * Real processes as a detector: short runs of the planted package, calm and with something killed, whose answer is held
 * against a count that shares no code with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildPackage, makeBuildDirectory } from './build.js';
import type { Planted } from './plants.js';

export interface ProcessesResult {
  readonly caught: boolean;
  /** The first round that failed, and why. */
  readonly round?: string;
  readonly message?: string;
  readonly ms: number;
}

const patienceMs = 60_000;

interface Round {
  /** What the bug must lie in for this round to look at it. */
  readonly of: RegExp;
  /** Throws when something is wrong. */
  readonly play: (stage: Stage) => Promise<void>;
}

const data = /^(jobs|runtime\/data)\//;
const cluster = /^(core|runtime\/store)\//;
const both = /^(core|jobs|runtime)\//;

const rounds: Readonly<Record<string, Round>> = {
  words: { of: both, play: (stage) => stage.countWords(['-m', '7', '-r', '3', '-w', '2']) },
  spilling: {
    of: data,
    play: (stage) => stage.countWords(['-m', '3', '-r', '2', '-w', '2', '--budget', '64KiB']),
  },
  'gzip-cut': { of: data, play: (stage) => stage.refuseCutGzip() },
  'worker-killed': {
    of: cluster,
    play: (stage) => stage.countWords(['-m', '8', '-r', '4', '-w', '2'], 'worker-1'),
  },
  'leader-killed': {
    of: cluster,
    play: (stage) => stage.countWords(['-m', '8', '-r', '4', '-w', '2', '--standby', '1'], 'master-1'),
  },
  'hanging-map': { of: cluster, play: (stage) => stage.perform('hanging-map') },
  'straggler-overtaken': { of: cluster, play: (stage) => stage.perform('straggler-overtaken') },
  'late-worker-owner-only': { of: cluster, play: (stage) => stage.perform('late-worker-owner-only') },
  'committed-map-files-lost': { of: both, play: (stage) => stage.perform('committed-map-files-lost') },
};

function roundsFor(plant: Planted): string[] {
  return Object.keys(rounds).filter((name) => plant.patches.some(({ file }) => rounds[name]!.of.test(file)));
}

/** Builds the package, with the bug in it if there is one, and plays rounds until one fails. */
export async function runProcesses(
  plant: Planted | undefined,
  wanted: readonly string[],
): Promise<ProcessesResult> {
  const begunMs = performance.now();
  const directory = makeBuildDirectory();
  const spent = () => performance.now() - begunMs;
  try {
    const command = await buildPackage(plant, directory);
    for (const round of wanted) {
      try {
        await rounds[round]!.play(new Stage(command, mkdtempSync(join(directory, 'round-'))));
      } catch (error) {
        return { caught: true, round, message: (error as Error).message, ms: spent() };
      }
    }
    return { caught: false, ms: spent() };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** By round, whether it fails without any bug: then it catches none. */
const failing = new Map<string, Promise<boolean>>();

async function failsAnyway(round: string): Promise<boolean> {
  const { caught, message } = await runProcesses(undefined, [round]);
  if (caught) console.error(`without any bug fails ${round}: ${message}`);
  return caught;
}

/** Plays the rounds that look at where the bug lies, but for those that fail anyway. */
export async function runRoundsOf(plant: Planted): Promise<ProcessesResult> {
  const wanted: string[] = [];
  for (const round of roundsFor(plant)) {
    let fails = failing.get(round);
    if (!fails) failing.set(round, (fails = failsAnyway(round)));
    if (!(await fails)) wanted.push(round);
  }
  return runProcesses(plant, wanted);
}

/** Word count whose tasks take a moment each, so that there is something to kill. */
const job = `import { defineJob, sum } from 'mapreduce-rehearsal';
const rest = new Int32Array(new SharedArrayBuffer(4));
export default defineJob({
  name: 'slow-word-count',
  setup: () => void Atomics.wait(rest, 0, 0, 150),
  map(line, emit) {
    for (const word of line.match(/\\w+/g) ?? []) emit(word, 1);
  },
  combine: sum,
  reduce: sum,
});
`;

class Stage {
  readonly #command: string;
  readonly #cwd: string;

  constructor(command: string, cwd: string) {
    this.#command = command;
    this.#cwd = cwd;
  }

  /** A word count over files of lines of many lengths; the named node is killed once maps run. */
  async countWords(flags: readonly string[], victim?: string): Promise<void> {
    const texts = this.#writeInputs();
    const args = ['run', 'job.ts', 'in', '-o', 'out', '--progress', 'ndjson', ...flags];
    const { code, stderr } = await this.#run(args, victim);
    if (code !== 0) throw new Error(`exit ${code}: ${lastLine(stderr)}`);
    const names = readdirSync(join(this.#cwd, 'out')).filter((name) => name.startsWith('part-'));
    const lines = names.flatMap((name) =>
      readFileSync(join(this.#cwd, 'out', name), 'utf8')
        .split('\n')
        .slice(0, -1),
    );
    if (lines.toSorted().join('\n') !== expectedLines(texts)) throw new Error('another answer');
    const left = readdirSync(this.#cwd).filter((name) => name.startsWith('.out.'));
    if (left.length > 0) throw new Error(`left over: ${left.join(', ')}`);
  }

  /** Input that ends in the middle must not be taken for whole. */
  async refuseCutGzip(): Promise<void> {
    const whole = gzipSync(Array.from({ length: 5000 }, (_, line) => `line ${line}\n`).join(''));
    writeFileSync(join(this.#cwd, 'cut.gz'), whole.subarray(0, whole.length >> 1));
    const { code } = await this.#run(['run', 'word-count', 'cut.gz', '-o', 'out', '--max-attempts', '1']);
    if (code === 0) throw new Error('half a file was taken for whole');
  }

  /** A scenario of the package's own on its real processes. */
  async perform(scenario: string): Promise<void> {
    const file = join(this.#command, '..', '..', '..', 'scenarios', `${scenario}.yaml`);
    const { code, stderr } = await this.#run(['run', '--faults', file]);
    if (code !== 0) throw new Error(`exit ${code}: ${lastLine(stderr)}`);
  }

  #writeInputs(): string[] {
    writeFileSync(join(this.#cwd, 'job.ts'), job);
    mkdirSync(join(this.#cwd, 'in'));
    return Array.from({ length: 3 }, (_, file) => {
      const lines = Array.from({ length: 1200 }, (_, line) => {
        const words = Array.from({ length: (line * 7 + file) % 12 }, (_, n) => `w${(line * (n + 3)) % 997}`);
        return words.join(' ');
      });
      const text = `${lines.join('\n')}\n`;
      writeFileSync(join(this.#cwd, 'in', `${file}.txt`), text);
      return text;
    });
  }

  #run(args: readonly string[], victim?: string): Promise<{ code: number | string; stderr: string }> {
    const child = spawn(process.execPath, [this.#command, ...args], {
      cwd: this.#cwd,
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    const pieces: string[] = [];
    let killed = victim === undefined;
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      pieces.push(piece);
      if (killed || !piece.includes('"phase":"map"')) return;
      killed = true;
      setTimeout(() => killChild(child, victim!), 300);
    });
    return new Promise((resolve) => {
      const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), patienceMs);
      child.once('close', (code, signal) => {
        clearTimeout(timer);
        resolve({ code: code ?? signal ?? 'nothing', stderr: pieces.join('') });
      });
    });
  }
}

/** Kills the child of a run that calls itself by the node's name. */
function killChild(parent: ChildProcess, node: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const parentPid = Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]);
      const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0.*/s, '');
      if (parentPid === parent.pid && title === `rehearse ${node}`) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // it ended while we looked
    }
  }
}

function expectedLines(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const [word] of texts.join('').matchAll(/\w+/g)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .map(([word, count]) => `${word} ${count}`)
    .toSorted()
    .join('\n');
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
