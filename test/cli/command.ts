/** The `rehearse` command as a user has it: the built program, in a folder of its own, with whole stdout and stderr. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';
import type { JournalRecord } from '../../core/records.js';
import { FileJournal } from '../../runtime/store/file-journal.js';

export const program = fileURLToPath(new URL('../../dist/bin/rehearse.cjs', import.meta.url));

export interface Ended {
  /** Exit code, or the signal that ended the command. */
  readonly code: number | NodeJS.Signals;
  readonly out: string;
  readonly bytes: Buffer;
  readonly err: string;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly stdin?: string;
  readonly uid?: number;
  /** What a shell does before, in the same process. */
  readonly before?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Running {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has said on stderr so far. */
  err(): string;
}

const running = new Set<ChildProcess>();
const folders: string[] = [];

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder, removed in the end. */
export function newFolder(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'rehearse-cli-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

export function start(args: readonly string[], options: CommandOptions): Running {
  const { REHEARSE_DATA_DIR: _, ...inherited } = process.env;
  const words = [process.execPath, program, ...args];
  const inShell = ['sh', '-c', `${options.before} && exec "$0" "$@"`, ...words];
  const [first, ...rest] = options.before === undefined ? words : inShell;
  const child = spawn(first!, rest, {
    cwd: options.cwd,
    env: { ...inherited, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  running.add(child);
  child.stdin.on('error', () => {}); // a command that is killed reads no further
  child.stdin.end(options.stdin ?? '');
  const out: Buffer[] = [];
  let err = '';
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      running.delete(child);
      const bytes = Buffer.concat(out);
      resolve({ code: code ?? signal!, out: bytes.toString(), bytes, err });
    });
  });
  return { pid: child.pid!, child, ended, err: () => err };
}

export function rehearse(args: readonly string[], options: CommandOptions): Promise<Ended> {
  return start(args, options).ended;
}

/** Runs what must succeed. */
export async function succeed(args: readonly string[], options: CommandOptions): Promise<Ended> {
  const ended = await rehearse(args, options);
  expect(ended, ended.err || ended.out).toMatchObject({ code: 0 });
  return ended;
}

/** Names and bytes of all that a finished job left at its output. */
export function outputOf(folder: string, output = 'out'): Record<string, string> {
  const directory = join(folder, output);
  const names = readdirSync(directory).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(directory, name), 'latin1')]));
}

/** The part files only: what must be the same however a job ran. */
export function partsOf(folder: string, output = 'out'): Record<string, string> {
  const { '_SUCCESS.json': success, ...parts } = outputOf(folder, output);
  expect(success, 'a finished output says so').toBeDefined();
  return parts;
}

/** The lines of all parts, sorted by their bytes. */
export function linesOf(folder: string, output = 'out'): string[] {
  const text = Object.values(partsOf(folder, output)).join('');
  return text.split('\n').slice(0, -1).sort();
}

/** Nothing beside the output, nothing of the attempts in the folder of the run. */
export function expectTidy(folder: string): void {
  expect(readdirSync(folder).filter((name) => /^\..*rehearse-/.test(name))).toEqual([]);
  for (const run of runsOf(folder)) expect(readdirSync(run)).not.toContain('work');
}

/** Folders of the runs kept in `.rehearse`, oldest first. */
export function runsOf(folder: string): string[] {
  const runs = join(folder, '.rehearse', 'runs');
  return readdirSync(runs)
    .sort()
    .map((id) => join(runs, id));
}

/** Where the run in this folder below `.rehearse/runs` works on its output `out`. */
export function workspaceOf(run: string): string {
  return join(run, '..', '..', '..', `.out.rehearse-${basename(run)}`);
}

/** As a kill before the journal says that the job is published leaves the run's own folder. The workspace is gone. */
export async function forgetPublishing(run: string): Promise<void> {
  const path = join(run, 'journal');
  const journal = await FileJournal.open<JournalRecord>(path);
  const { entries } = await journal.read(1, 1000);
  await journal.close();
  expect(entries.at(-1)!.records).toEqual([{ type: 'job.published', job: 1 }]);
  rmSync(path, { recursive: true });
  const shorter = await FileJournal.open<JournalRecord>(path);
  for (const { slot, ...batch } of entries.slice(0, -1)) {
    expect((await shorter.append(slot, batch, 1000)).outcome).toBe('ok');
  }
  await shorter.close();
  mkdirSync(join(run, 'work'));
}

export interface Decision {
  readonly decision: string;
  readonly node?: string;
  readonly epoch?: number;
  readonly attempt?: { readonly task: number; readonly n: number; readonly epoch: number };
  /** Microseconds since the master began. */
  readonly at: number;
}

/** What the masters of a run decided, one life after the other, as their traces tell. */
export function decisionsOf(run: string, decision: string): Decision[] {
  const directory = join(run, 'trace');
  const names = readdirSync(directory)
    .filter((name) => name.startsWith('master-'))
    .sort();
  return names.flatMap((name) => {
    const lines = readFileSync(join(directory, name), 'utf8').split('\n').slice(1, -1);
    return lines.flatMap((line) => {
      const { at, effects } = JSON.parse(line) as { at: number; effects: (Decision & { type: string })[] };
      return effects
        .filter((effect) => effect.type === 'decide' && effect.decision === decision)
        .map((effect) => ({ ...effect, at }));
    });
  });
}

/** The tasks that a run has committed, in their order: what its journal says, while nobody works on it. */
export async function committedOf(run: string): Promise<number[]> {
  const journal = await FileJournal.open<JournalRecord>(join(run, 'journal'));
  const { entries } = await journal.read(1, 1000);
  await journal.close();
  return entries.flatMap(({ records }) =>
    records.flatMap((record) => (record.type === 'task.committed' ? [record.attempt.task] : [])),
  );
}

/** Waits for a condition; fails when it does not come. */
export async function until(
  what: string,
  condition: () => boolean,
  limitMs = 20_000,
  everyMs = 20,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** All processes below one, by their parents. Linux only. */
export function descendantsOf(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(Number(name));
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const below = (of: number): number[] =>
    (children.get(of) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined; // ended meanwhile
  }
}

/** Neither running nor stopped; one that nobody has reaped yet does not count. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

export const onLinux = process.platform === 'linux';

/** A job that counts its lines, with `map` and perhaps `reduce` as given. */
export function jobOf(map: string, reduce = 'sum', before = ''): string {
  return `import { defineJob, sum } from 'mapreduce-rehearsal';
${before}
export default defineJob({
  name: 'lines',
  ${map},
  reduce: ${reduce},
});
`;
}

/** A job whose maps take this long for each line. */
export function slowJob(lineMs: number): string {
  return jobOf(
    `map(line, emit) { Atomics.wait(cell, 0, 0, ${lineMs}); emit(line, 1); }`,
    'sum',
    'const cell = new Int32Array(new SharedArrayBuffer(4));',
  );
}
