/**
 * What a worker process and its executor threads say to each other. Structured clones, so plain data only.
 */
import type { AttemptId } from '../../core/ids.js';
import type { Counters, Failure, InvalidationReason } from '../../core/records.js';
import type { ParamValues } from '../../jobs/types.js';
import type { InputFile } from '../data/input-file.js';

/** The first message to a thread: where everything lies. */
export interface ThreadFolders {
  readonly type: 'folders';
  readonly filesDirectory: string;
  readonly workDirectory: string;
  /** Where bundles are unpacked. */
  readonly bundleDirectory: string;
}

/** One attempt to run. */
export interface ThreadTask {
  readonly type: 'task';
  readonly attempt: AttemptId;
  /** Which attempt of its task this is, where a rehearsal has to do with that. */
  readonly ordinal?: number | undefined;
  readonly work: string;
  readonly maps: number;
  /** When the worker was told to run it; Unix time in milliseconds. */
  readonly begunAtMs: number;
  readonly reduces: number;
  /** Where reduce attempts of this job lie, on the output's file system. */
  readonly attemptsDirectory: string;
  /** Bad records to leave out. */
  readonly skip?: readonly string[];
}

/** The output of a map. */
export interface ThreadSource {
  readonly attempt: AttemptId;
  readonly digest: string;
  /** Where it lies, or a copy of what the reduce needs of it, if not in the common work folder. */
  readonly path?: string;
}

/** What is known of the maps' outputs, in order of their tasks. */
export type ThreadSources = readonly (ThreadSource | undefined)[];

/**
 * For the reduce that runs and for all that come after it: what is known from now on, instead of before. It goes ahead of a
 * task, and not with it, because the reduces of a job mostly read the same.
 */
export interface SourcesKnown {
  readonly type: 'sources';
  readonly sources: ThreadSources;
}

/** The attempt that runs is no longer wanted: its thread ends in a moment. */
export interface AbortNear {
  readonly type: 'abort';
}

/** To look at the keys of a job of the user's that partitions by range, instead of running attempts: see data/sample.ts. */
export interface KeysWanted {
  readonly type: 'keys';
  readonly code: string;
  /** File name of the job, and where it is unpacked. */
  readonly name: string;
  readonly directory: string;
  readonly stage: number;
  /** What the program is called with, and what its functions find as `ctx.params`. */
  readonly programParams: ParamValues;
  readonly params: ParamValues;
  readonly files: readonly InputFile[];
  readonly reduces: number;
  readonly seed: string;
}

/** What comes of that; `waits` when nothing is left to be done, and there is no answer. */
export type KeysAnswer =
  | { readonly type: 'boundaries'; readonly boundaries: readonly string[] }
  | { readonly type: 'waits' };

export type ThreadOrder = ThreadFolders | ThreadTask | SourcesKnown | AbortNear | KeysWanted;

/** How it ended. */
export type ThreadResult =
  | {
      readonly type: 'finished';
      readonly digest: string;
      readonly bytes: number;
      readonly records: number;
      /** For a reduce: the generation of map outputs it has read (core/generation.ts); else empty. */
      readonly inputs: string;
      readonly counters: Counters;
      readonly heaviest?: { readonly key: string; readonly records: number };
    }
  | { readonly type: 'broke'; readonly failure: Failure }
  | { readonly type: 'starved'; readonly source: AttemptId; readonly reason: InvalidationReason }
  /** No attempt can be run: what all of them read first is damaged or gone. */
  | { readonly type: 'store-damaged'; readonly message: string };

/** Bound of a thread's heap, unless the user asks for another. */
export const heapMiBDefault = 1024;

/**
 * What a thread is started with, doubles: bytes done, bytes in total, factor by which modelled work is slowed, 1 while a
 * reduce waits for maps, 1 once user code has asked for its signal. Of a look at keys: how many functions were called, and for
 * the last one which it is (`functionsLooked`), the number of the input and the offset of the record. Written without messages.
 */
export const gaugeDone = 0;
export const gaugeTotal = 1;
export const gaugeSlow = 2;
export const gaugeWaiting = 3;
export const gaugeListening = 4;
export const gaugeCalls = 5;
export const gaugeFunction = 6;
export const gaugeFile = 7;
export const gaugeOffset = 8;

export const functionsLooked = ['setup', 'map', 'teardown'] as const;

export function newGauge(): SharedArrayBuffer {
  return new SharedArrayBuffer(9 * Float64Array.BYTES_PER_ELEMENT);
}
