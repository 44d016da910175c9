/**
 * The beginning of a reduce that was started before all maps were committed: it copies its partition of every output as
 * these become known, and waits for the rest. What is known when the last one is, is read where it lies.
 *
 * A copy keeps the number of its partition, so that it can stand in for the file it was made of; so which outputs were
 * copied, and when, changes nothing about the result.
 */
import { OpenRun, type Run, type RunDirectory, type RunReadOptions } from './runs.js';
import { writeSegments } from './segments/writer.js';

/** The committed output of one map task. */
export interface ReduceSource {
  /** Index of the map task, for blame. */
  readonly task: number;
  readonly path: string;
  /** As with a run. */
  readonly lasting?: boolean;
}

/** An output as a list tells of it: made again, it is another file, but equal digests mean equal content. */
export interface KnownSource extends ReduceSource {
  readonly digest: string;
}

/** The outputs of a job's maps as they become known, and become unknown again. */
export interface SourceFeed {
  /** By map, whatever is known now. The caller reads what it was given before it asks again. */
  known(): readonly (KnownSource | undefined)[];
  /** Resolves when that has changed. */
  changed(): Promise<void>;
}

export interface GatherOptions extends RunReadOptions {
  readonly partition: number;
  readonly directory: RunDirectory;
  /** Lets messages in between two copies. */
  readonly pause: () => Promise<void>;
  readonly onWaiting?: ((waiting: boolean) => void) | undefined;
}

/** All sources in map order, once every map's output is known. Throws SourceError with the map that cannot be read. */
export async function gatherSources(feed: SourceFeed, options: GatherOptions): Promise<Run[]> {
  const copies = new Map<number, { digest: string; run: Run }>();
  const isCopied = ({ task, digest }: KnownSource): boolean => copies.get(task)?.digest === digest;
  for (;;) {
    const known = feed.known();
    if (known.every((source) => source !== undefined)) {
      return known.map((source) => (isCopied(source) ? copies.get(source.task)!.run : source));
    }
    const next = known.find((source) => source !== undefined && !isCopied(source));
    if (next) {
      copies.set(next.task, { digest: next.digest, run: copy(next, options) });
      await options.pause();
    } else {
      options.onWaiting?.(true);
      await feed.changed();
      options.onWaiting?.(false);
    }
  }
}

function copy(source: KnownSource, options: GatherOptions): Run {
  const { partition, directory } = options;
  const path = directory.next();
  const open = new OpenRun(source);
  try {
    writeSegments(path, { partitions: partition + 1 }, (writer) => {
      if (!open.sorted) writer.leaveUnsorted();
      writer.skipTo(partition);
      for (const [key, text] of open.encoded(partition, options)) writer.write(key, text as string);
      writer.endPartition();
    });
  } finally {
    open.close();
  }
  return { path };
}
