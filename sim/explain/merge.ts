/**
 * The traces of a run's nodes as one: ordered by time, and never a step before the one that caused it.
 *
 * Clocks of nodes begin at different moments; a header's `originUs` lays them side by side. Where two clocks disagree,
 * the cause that a message carried wins.
 */
import type { NodeId } from '../../core/ids.js';
import type { TraceHeader, TraceLine } from '../../core/trace.js';

export interface NodeTrace {
  readonly header: TraceHeader;
  readonly lines: readonly TraceLine[];
}

export interface MergedStep {
  readonly node: NodeId;
  readonly incarnation: number;
  /** Since the start of the simulation; processes have no start in common, so of theirs since the earliest step. */
  readonly atUs: number;
  readonly line: TraceLine;
}

/** All steps of all nodes. A trace that lacks the causing step holds nothing up. */
export function mergeTraces(traces: readonly NodeTrace[]): MergedStep[] {
  const lanes = traces.filter(({ lines }) => lines.length > 0).map((trace) => new Lane(trace));
  const livesOf = new Map<NodeId, Lane[]>();
  for (const lane of lanes) livesOf.set(lane.node, [...(livesOf.get(lane.node) ?? []), lane]);
  const isSimulated = traces.some(({ header }) => header.driver === 'simulator');
  const startUs = isSimulated ? 0 : Math.min(...lanes.map((lane) => lane.nextUs));
  const merged: MergedStep[] = [];
  for (;;) {
    const waiting = lanes.filter((lane) => lane.nextUs < Number.POSITIVE_INFINITY);
    if (waiting.length === 0) return merged;
    const free = waiting.filter((lane) => !isHeldUp(lane, livesOf));
    // Lives that wait for each other can only come from traces that were put together wrongly: time decides.
    const lane = earliestOf(free.length > 0 ? free : waiting);
    const atUs = lane.nextUs - startUs;
    merged.push({ node: lane.node, incarnation: lane.incarnation, atUs, line: lane.take() });
  }
}

function earliestOf(lanes: readonly Lane[]): Lane {
  return lanes.reduce((first, lane) => (lane.nextUs < first.nextUs ? lane : first));
}

/** A cause names a node, not its life: with several lives only the time can tell. */
function isHeldUp(lane: Lane, livesOf: ReadonlyMap<NodeId, readonly Lane[]>): boolean {
  const { cause } = lane.next!;
  const lives = cause ? livesOf.get(cause.node) : undefined;
  return lives?.length === 1 && cause !== undefined && lives[0]!.lacks(cause.index);
}

class Lane {
  readonly node: NodeId;
  readonly incarnation: number;
  readonly #originUs: number;
  readonly #lines: readonly TraceLine[];
  #taken = 0;

  constructor({ header, lines }: NodeTrace) {
    this.node = header.setup.life.node;
    this.incarnation = header.setup.life.incarnation;
    this.#originUs = header.originUs ?? 0;
    this.#lines = lines;
  }

  get next(): TraceLine | undefined {
    return this.#lines[this.#taken];
  }

  get nextUs(): number {
    return this.next === undefined ? Number.POSITIVE_INFINITY : this.#originUs + this.next.at;
  }

  /** Whether this step is still to come. */
  lacks(index: number): boolean {
    return this.#taken < index && index <= this.#lines.length;
  }

  take(): TraceLine {
    return this.#lines[this.#taken++]!;
  }
}
