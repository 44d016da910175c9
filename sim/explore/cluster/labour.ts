/**
 * Executors and files of the explored world. What an attempt makes is a name of its content: which task, which maps'
 * contents a reduce has read, and, where user code answers differently each time, which attempt.
 */
import { type AttemptId, attemptKey, type JobId, type TaskIndex } from '../../../core/ids.js';
import type { OutputChange } from '../../../core/messages.js';

// ---- what a worker's executors have in hand ---------------------------------------------------------------------

export interface Running {
  readonly attempt: AttemptId;
  /** Whose life runs it. */
  readonly node: string;
  readonly incarnation: number;
  readonly maps: number;
  /** A reduce that has said that it waits for the output of another map. */
  readonly waiting: boolean;
  /** It was told to stop. */
  readonly stopping: boolean;
}

export interface Bench {
  readonly running: readonly Running[];
  /** What this life has learned of each job's map outputs. */
  readonly learned: readonly { readonly job: JobId; readonly changes: readonly OutputChange[] }[];
}

export type BenchChange =
  | {
      readonly kind: 'run';
      readonly attempt: AttemptId;
      readonly node: string;
      readonly incarnation: number;
      readonly maps: number;
    }
  | { readonly kind: 'stop' | 'end' | 'wait' | 'go-on'; readonly attempt: AttemptId }
  | {
      readonly kind: 'learn';
      readonly job: JobId;
      readonly from: number;
      readonly changes: readonly OutputChange[];
    }
  | { readonly kind: 'forget'; readonly job: JobId }
  | { readonly kind: 'gone' };

export const emptyBench: Bench = { running: [], learned: [] };

export function changeBench(bench: Bench, change: BenchChange): Bench {
  const { running, learned } = bench;
  switch (change.kind) {
    case 'run': {
      const { attempt, node, incarnation, maps } = change;
      const run: Running = { attempt, node, incarnation, maps, waiting: false, stopping: false };
      return { running: [...running, run], learned };
    }
    case 'stop':
      return { running: withRunning(bench, change.attempt, { stopping: true }), learned };
    case 'wait':
    case 'go-on':
      return { running: withRunning(bench, change.attempt, { waiting: change.kind === 'wait' }), learned };
    case 'end':
      return { running: running.filter((one) => !isOf(one, change.attempt)), learned };
    case 'learn': {
      const { job, from, changes } = change;
      const known = from === 0 ? [] : (learned.find((one) => one.job === job)?.changes ?? []);
      const others = learned.filter((one) => one.job !== job);
      return { running, learned: [...others, { job, changes: [...known, ...changes] }] };
    }
    case 'forget':
      return { running, learned: learned.filter((one) => one.job !== change.job) };
    case 'gone':
      return emptyBench;
  }
}

/** For a reduce: whose output of each map it reads, by the last word on each; null where the list names nobody. */
export function sourcesOf(bench: Bench, { attempt, maps }: Running): (AttemptId | null)[] {
  if (attempt.task < maps) return [];
  const sources: (AttemptId | null)[] = new Array(maps).fill(null);
  const changes = bench.learned.find((one) => one.job === attempt.job)?.changes ?? [];
  for (const change of changes) {
    sources[change.attempt.task] = change.holder === undefined ? null : change.attempt;
  }
  return sources;
}

function withRunning(
  { running }: Bench,
  attempt: AttemptId,
  change: Partial<Pick<Running, 'stopping' | 'waiting'>>,
): Running[] {
  return running.map((one) => (isOf(one, attempt) ? { ...one, ...change } : one));
}

function isOf(one: Running, attempt: AttemptId): boolean {
  return attemptKey(one.attempt) === attemptKey(attempt);
}

// ---- files ------------------------------------------------------------------------------------------------------

export interface AttemptFile {
  /** `attemptKey`. */
  readonly key: string;
  readonly task: TaskIndex;
  readonly node: string;
  readonly incarnation: number;
  readonly digest: string;
  /** Of a reduce: the digests it has read, by map. */
  readonly read: readonly string[];
  /** Taken away by a fault, not by a machine. */
  readonly lost: boolean;
}

export interface Shelf {
  /** In order of their keys. */
  readonly files: readonly AttemptFile[];
  /** Attempts that any executor has ever begun. */
  readonly begun: readonly string[];
  /** Keys of the parts that users see. */
  readonly visible: readonly string[] | null;
  /** The rule that was broken here, and how. */
  readonly broken: string | null;
}

export type ShelfChange =
  | { readonly kind: 'begin' | 'discard'; readonly key: string }
  | { readonly kind: 'write'; readonly file: AttemptFile }
  | { readonly kind: 'discard-job'; readonly job: JobId; readonly node: string }
  /** The maps' files that lay with a worker. */
  | { readonly kind: 'lose'; readonly node: string; readonly maps: number }
  | { readonly kind: 'show'; readonly keys: readonly string[] };

export const emptyShelf: Shelf = { files: [], begun: [], visible: null, broken: null };

export function changeShelf(shelf: Shelf, change: ShelfChange): Shelf {
  switch (change.kind) {
    case 'begin': {
      if (shelf.begun.includes(change.key)) {
        return { ...shelf, broken: `C17: an attempt begins once; but ${change.key} began again` };
      }
      return { ...shelf, begun: [...shelf.begun, change.key].sort() };
    }
    case 'write': {
      const files = [...shelf.files, change.file].sort((a, b) => (a.key < b.key ? -1 : 1));
      return { ...shelf, files };
    }
    case 'discard':
      return { ...shelf, files: shelf.files.filter((file) => file.key !== change.key) };
    case 'discard-job': {
      const prefix = `${change.job}.`;
      const files = shelf.files.filter(({ key, node }) => !key.startsWith(prefix) || node !== change.node);
      return { ...shelf, files };
    }
    case 'lose': {
      const { node, maps } = change;
      const files = shelf.files.map((file) =>
        file.node === node && file.task < maps ? { ...file, lost: true } : file,
      );
      return { ...shelf, files };
    }
    case 'show':
      return { ...shelf, visible: change.keys };
  }
}

export function findFile(shelf: Shelf, attempt: AttemptId): AttemptFile | undefined {
  const key = attemptKey(attempt);
  return shelf.files.find((file) => file.key === key);
}
