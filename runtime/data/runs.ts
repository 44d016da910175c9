/**
 * Sorted runs on the disk: reading several at once, and merging them to fewer when there are too many to be open
 * together. Merging only ever joins neighbours, and equal keys keep the order of their runs, so the outcome is the
 * same for every fan-in.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mergeRecords, type ValueOrder } from '../../jobs/merge.js';
import type { KeyValue } from '../../jobs/types.js';
import { openFilesMax } from '../open-files.js';
import type { Progress } from './attempt.js';
import { onDisk } from './disk.js';
import { DiskError, isForManyOpen, SegmentCorruptError, SegmentMissingError, SourceError } from './errors.js';
import { giveBack, takeOutput } from './lasting-outputs.js';
import type { SegmentCursor } from './segments/cursor.js';
import { decodeSegmentValue, type EncodedValue, encodeSegmentValue } from './segments/format.js';
import { SegmentReader } from './segments/reader.js';
import { type SegmentWriter, writeSegments } from './segments/writer.js';

export const FAN_IN_DEFAULT = 64;
const FAN_IN_MIN = 2;

/**
 * A file of segments, which are sorted unless it is the output of a map that left them unsorted (segments/format.ts).
 * `task` is the map whose committed output it is; a run without it is the attempt's own.
 */
export interface Run {
  readonly path: string;
  readonly task?: number;
  /** Other attempts of this thread read it as well, under this name and with this content. */
  readonly lasting?: boolean;
}

/** A run that is being read; what goes wrong with a map's output names the map. */
export class OpenRun {
  readonly #run: Run;
  readonly #reader: SegmentReader;

  constructor(run: Run) {
    this.#run = run;
    this.#reader = naming(run, () => (run.lasting ? takeOutput(run.path) : new SegmentReader(run.path)));
  }

  get sorted(): boolean {
    return this.#reader.sorted;
  }

  bytesOf(partition: number): number {
    return this.#reader.bytesOf(partition);
  }

  /** The records of a partition, their values still encoded. */
  *encoded(partition: number, options: RunReadOptions): Generator<KeyValue> {
    const records = this.#reader.records(partition, options);
    for (;;) {
      const next = naming(this.#run, () => records.next());
      if (next.done) return;
      yield next.value;
    }
  }

  /** The records of a partition. */
  *decoded(partition: number, options: RunReadOptions): Generator<KeyValue> {
    for (const [key, text] of this.encoded(partition, options))
      yield [key, decodeSegmentValue(text as EncodedValue)];
  }

  /** The bytes of a partition, piece by piece; `read` fills a buffer and `exhausted` says when it is done. */
  cursor(partition: number): RunCursor {
    return new RunCursor(
      this.#run,
      naming(this.#run, () => this.#reader.cursor(partition)),
    );
  }

  close(): void {
    if (this.#run.lasting) giveBack(this.#reader);
    else this.#reader.close();
  }
}

/** A SegmentCursor of a run. */
export class RunCursor {
  readonly #run: Run;
  readonly #cursor: SegmentCursor;

  constructor(run: Run, cursor: SegmentCursor) {
    this.#run = run;
    this.#cursor = cursor;
  }

  get exhausted(): boolean {
    return this.#cursor.exhausted;
  }

  /** Compares the checksum before anything is read. */
  verify(room: Uint8Array): void {
    naming(this.#run, () => this.#cursor.verify(room));
  }

  /** Reads on, as much as `into` takes. Returns how much that is. */
  read(into: Uint8Array): number {
    return naming(this.#run, () => this.#cursor.read(into));
  }

  /** To be called when bytes are left that make no record. */
  cutShort(): never {
    return naming(this.#run, () => {
      throw this.#cursor.corrupt('a record reaches beyond its segment');
    });
  }
}

export interface RunReadOptions {
  readonly bufferBytes?: number;
  readonly onRead?: (bytes: number) => void;
}

/** Opens all runs or none. */
export function openRuns(runs: readonly Run[]): OpenRun[] {
  const open: OpenRun[] = [];
  try {
    for (const run of runs) open.push(new OpenRun(run));
    return open;
  } catch (error) {
    for (const run of open) run.close();
    throw error;
  }
}

/** Names for the runs of one attempt, in a directory that exists from the first one on. */
export class RunDirectory {
  readonly #path: string;
  #count = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** How many runs were named. */
  get count(): number {
    return this.#count;
  }

  next(): string {
    if (this.#count === 0) onDisk(this.#path, () => mkdirSync(this.#path, { recursive: true }));
    return join(this.#path, `run-${this.#count++}`);
  }

  /** Removes the directory with all runs, if there ever was one. */
  remove(): void {
    if (this.#count === 0) return;
    onDisk(this.#path, () => rmSync(this.#path, { recursive: true, force: true }));
  }
}

export interface NarrowOptions extends RunReadOptions {
  /** How many runs may be open at once. */
  readonly fanIn: number;
  /** The partitions to keep; in the new runs they are numbered from 0. */
  readonly partitions: readonly number[];
  readonly directory: RunDirectory;
  /** The job's order of the values of a key; without it they stay as they come. */
  readonly orderValues?: ValueOrder;
  /** Merges a partition of several runs, if not the general way. */
  readonly mergePartition?: (open: readonly OpenRun[], partition: number, writer: SegmentWriter) => void;
  /** Called now and then between two merges. */
  readonly pause: () => Promise<void>;
}

/**
 * Merges neighbours until at most `fanIn` runs are left. Returns them with the partitions by which they are now
 * read: the given ones if nothing had to be merged.
 */
export async function narrowRuns(
  runs: readonly Run[],
  options: NarrowOptions,
): Promise<{ runs: readonly Run[]; partitions: readonly number[] }> {
  const fanIn = allowedFanIn(options.fanIn);
  let current = runs;
  let { partitions } = options;
  while (current.length > fanIn) {
    const merged: Run[] = [];
    for (let at = 0; at < current.length; at += fanIn) {
      merged.push(mergeToRun(current.slice(at, at + fanIn), partitions, options));
      await options.pause();
    }
    current = merged;
    partitions = partitions.map((_, index) => index);
  }
  return { runs: current, partitions };
}

/** How many times `narrowRuns` passes over the data. */
function narrowingPasses(runs: number, fanIn: number): number {
  const atOnce = allowedFanIn(fanIn);
  let passes = 0;
  for (let left = runs; left > atOnce; passes++) left = Math.ceil(left / atOnce);
  return passes;
}

/** Where few files may be open, threads that all merge at once leave each other room. */
function allowedFanIn(asked: number): number {
  return Math.max(FAN_IN_MIN, Math.min(asked, Math.floor(openFilesMax() / 8)));
}

/** How many bytes a partition has. Opens every source once, and so finds out early whether it can be read. */
export function partitionBytes(sources: readonly Run[], partition: number): number {
  let bytes = 0;
  for (const source of sources) {
    const run = new OpenRun(source);
    bytes += run.bytesOf(partition);
    run.close();
  }
  return bytes;
}

/** Tells how far a merge of all sources is, which have so many bytes. */
export function progressOf(
  options: { readonly sources: readonly Run[]; readonly progress?: Progress },
  bytes: number,
  fanIn: number,
): (bytes: number) => void {
  const bytesTotal = bytes * (1 + narrowingPasses(options.sources.length, fanIn));
  let bytesDone = 0;
  return (bytes) => {
    bytesDone += bytes;
    options.progress?.(Math.min(bytesDone, bytesTotal), bytesTotal);
  };
}

function mergeToRun(runs: readonly Run[], partitions: readonly number[], options: NarrowOptions): Run {
  const generally: NarrowOptions['mergePartition'] = (open, partition, writer) => {
    for (const [key, value] of mergedEncoded(open, partition, options))
      writer.write(key, value as EncodedValue);
  };
  const { mergePartition = generally } = options;
  const path = options.directory.next();
  const open = openRuns(runs);
  try {
    writeSegments(path, { partitions: partitions.length }, (writer) => {
      for (const partition of partitions) {
        mergePartition(open, partition, writer);
        writer.endPartition();
      }
    });
  } finally {
    for (const run of open) run.close();
  }
  for (const run of runs) {
    if (run.task === undefined) onDisk(run.path, () => rmSync(run.path));
  }
  return { path };
}

/** Values stay encoded, unless they have to be compared. */
function* mergedEncoded(
  open: readonly OpenRun[],
  partition: number,
  options: NarrowOptions,
): Generator<KeyValue> {
  const { orderValues } = options;
  if (orderValues === undefined) {
    yield* mergeRecords(open.map((run) => run.encoded(partition, options)));
    return;
  }
  const decoded = mergeRecords(
    open.map((run) => run.decoded(partition, options)),
    orderValues,
  );
  for (const [key, value] of decoded) yield [key, encodeSegmentValue(value)];
}

function naming<T>(run: Run, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    const ours =
      error instanceof SegmentCorruptError ||
      error instanceof SegmentMissingError ||
      error instanceof DiskError;
    throw ours && run.task !== undefined && !isForManyOpen(error) ? new SourceError(run.task, error) : error;
  }
}
