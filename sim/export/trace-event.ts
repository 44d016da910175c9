/**
 * The Trace Event Format, in JSON, as far as it is used here; ui.perfetto.dev and chrome://tracing read it.
 *
 * Times are microseconds. Slices of one thread must nest or be apart. An arrow goes from `s` to `f`, paired by `cat`, `name`
 * and `id`; each is bound to the slice of its thread around its time, an `f` only with `bp: 'e'`. Perfetto takes events of the
 * same time in the order of the file. It names threads by `tid` alone, and a process's first thread has its `pid`: so no `tid`
 * is used twice, nor as a `pid`.
 */
import type { NodeId } from '../../core/ids.js';

interface Placed {
  readonly pid: number;
  readonly tid: number;
}

interface Slice extends Placed {
  readonly ph: 'X';
  readonly name: string;
  readonly cat: string;
  readonly ts: number;
  readonly dur: number;
  readonly args: object;
}

interface Instant extends Placed {
  readonly ph: 'i';
  readonly name: string;
  readonly cat: string;
  readonly ts: number;
  /** Drawn on its thread only. */
  readonly s: 't';
  readonly args: object;
}

interface ArrowEnd extends Placed {
  readonly ph: 's' | 'f';
  readonly name: string;
  readonly cat: string;
  readonly ts: number;
  readonly id: number;
  readonly bp?: 'e';
}

/** Names a process or thread, or says where it stands among the others. */
interface Metadata {
  readonly ph: 'M';
  readonly pid: number;
  /** Absent for a process. */
  readonly tid?: number;
  readonly name: 'process_name' | 'process_sort_index' | 'thread_name' | 'thread_sort_index';
  readonly args: { readonly name: string } | { readonly sort_index: number };
}

export type TimedEvent = Slice | Instant | ArrowEnd;
export type TraceEvent = TimedEvent | Metadata;

/** A process for each node, in the order in which they are to be shown, and threads within, by name. */
export class Threads {
  readonly #pids: ReadonlyMap<NodeId, number>;
  readonly #threads = new Map<string, Placed & { readonly name: string }>();

  constructor(nodes: readonly NodeId[]) {
    this.#pids = new Map(nodes.map((node, index) => [node, index + 1]));
  }

  of(node: NodeId, name: string): Placed {
    const key = `${node} ${name}`;
    let thread = this.#threads.get(key);
    if (!thread) {
      thread = { pid: this.#pids.get(node)!, tid: this.#pids.size + this.#threads.size + 1, name };
      this.#threads.set(key, thread);
    }
    return { pid: thread.pid, tid: thread.tid };
  }

  /** Threads stand in the order in which they were first asked for. */
  *metadata(): Generator<Metadata> {
    for (const [node, pid] of this.#pids) {
      yield { ph: 'M', name: 'process_name', pid, args: { name: node } };
      yield { ph: 'M', name: 'process_sort_index', pid, args: { sort_index: pid } };
    }
    for (const { pid, tid, name } of this.#threads.values()) {
      yield { ph: 'M', name: 'thread_name', pid, tid, args: { name } };
      yield { ph: 'M', name: 'thread_sort_index', pid, tid, args: { sort_index: tid } };
    }
  }
}

/** The document, an event a line. */
export function* traceEventText(events: Iterable<TraceEvent>, otherData: object): Generator<string> {
  yield `{"displayTimeUnit":"ms","otherData":${JSON.stringify(otherData)},"traceEvents":[`;
  let separator = '\n';
  for (const event of events) {
    yield `${separator}${JSON.stringify(event)}`;
    separator = ',\n';
  }
  yield '\n]}\n';
}
