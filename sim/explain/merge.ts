/**
 * The traces of a run's nodes as one: ordered by time, and never a step before the one that caused it.
 *
 * Clocks of nodes begin at different moments; a header's `originUs` lays them side by side. Where two clocks disagree,
 * the cause that a message carried wins.
 */
import { lifeName, type NodeId, type NodeLife } from '../../core/ids.js';
import type { Message } from '../../core/messages.js';
import type { TraceHeader, TraceLine } from '../../core/trace.js';
import { same } from '../same.js';

export interface NodeTrace {
  readonly header: TraceHeader;
  readonly lines: readonly TraceLine[];
}

export interface MergedStep {
  readonly node: NodeId;
  readonly incarnation: number;
  /** Since the start of the simulation; processes have no start in common, so of theirs since the earliest step. */
  readonly atUs: number;
  /** The step from which its message came, in the life that took it. Absent when these traces lack it. */
  readonly cause?: LifeStep;
  readonly line: TraceLine;
}

/** A step of one life of a node. */
export interface LifeStep extends NodeLife {
  readonly index: number;
}

/** `worker-1.2:17`. */
export function stepName(step: LifeStep): string {
  return `${lifeName(step)}:${step.index}`;
}

/** All steps of all nodes. A trace that lacks the causing step holds nothing up. */
export function mergeTraces(traces: readonly NodeTrace[]): MergedStep[] {
  const lanes = traces.filter(({ lines }) => lines.length > 0).map((trace) => new Lane(trace));
  const livesOf = new Map<NodeId, Lane[]>();
  for (const lane of lanes) livesOf.set(lane.node, [...(livesOf.get(lane.node) ?? []), lane]);
  const startUs = startOf(traces);
  const merged: MergedStep[] = [];
  for (;;) {
    const waiting = lanes.filter((lane) => lane.nextUs < Number.POSITIVE_INFINITY);
    if (waiting.length === 0) return merged;
    const free = waiting.filter((lane) => !lane.isHeldUp(livesOf));
    // Lives that wait for each other can only come from traces that were put together wrongly: time decides.
    const lane = earliestOf(free.length > 0 ? free : waiting);
    merged.push(lane.take(startUs, livesOf));
  }
}

/** The zero of merged times: 0 in a simulation; of processes the Unix time, in microseconds, of the earliest step. */
export function startOf(traces: readonly NodeTrace[]): number {
  if (traces.some(({ header }) => header.driver === 'simulator')) return 0;
  const firsts = traces.flatMap(({ header, lines }) =>
    lines.length > 0 ? [(header.originUs ?? 0) + lines[0]!.at] : [],
  );
  return firsts.reduce((first, atUs) => Math.min(first, atUs), firsts[0] ?? 0);
}

function earliestOf(lanes: readonly Lane[]): Lane {
  return lanes.reduce((first, lane) => (lane.nextUs < first.nextUs ? lane : first));
}

class Lane {
  readonly node: NodeId;
  readonly incarnation: number;
  readonly #originUs: number;
  readonly #lines: readonly TraceLine[];
  #taken = 0;
  /** Who sent the message of the next step; found out once, when that is asked for. */
  #sender: Lane | undefined;
  #isSenderKnown = false;

  constructor({ header, lines }: NodeTrace) {
    this.node = header.setup.life.node;
    this.incarnation = header.setup.life.incarnation;
    this.#originUs = header.originUs ?? 0;
    this.#lines = lines;
  }

  get nextUs(): number {
    return this.#taken < this.#lines.length ? this.#timeOf(this.#taken + 1) : Number.POSITIVE_INFINITY;
  }

  /** Whether the step that sent the next one its message is still to come. */
  isHeldUp(livesOf: ReadonlyMap<NodeId, readonly Lane[]>): boolean {
    const sender = this.#senderOfNext(livesOf);
    return sender !== undefined && sender.#taken < this.#lines[this.#taken]!.cause!.index;
  }

  take(startUs: number, livesOf: ReadonlyMap<NodeId, readonly Lane[]>): MergedStep {
    const sender = this.#senderOfNext(livesOf);
    const atUs = this.nextUs - startUs;
    const line = this.#lines[this.#taken++]!;
    this.#isSenderKnown = false;
    const { node, incarnation } = this;
    if (!sender) return { node, incarnation, atUs, line };
    const cause = { node: sender.node, incarnation: sender.incarnation, index: line.cause!.index };
    return { node, incarnation, atUs, cause, line };
  }

  #senderOfNext(livesOf: ReadonlyMap<NodeId, readonly Lane[]>): Lane | undefined {
    if (!this.#isSenderKnown) {
      this.#sender = this.#findSender(livesOf);
      this.#isSenderKnown = true;
    }
    return this.#sender;
  }

  /** A cause names a node, not its life: of several lives the message tells, and the time where all have said the same. */
  #findSender(livesOf: ReadonlyMap<NodeId, readonly Lane[]>): Lane | undefined {
    const { cause, event } = this.#lines[this.#taken]!;
    if (!cause || event.type !== 'message.received') return undefined;
    const { index } = cause;
    const lives = livesOf.get(cause.node) ?? [];
    const long = lives.filter((life) => index <= life.#lines.length);
    if (lives.length === 1) return long[0];
    const senders = long.filter((life) => life.#hasSent(index, this.node, event.message));
    return senders.findLast((life) => life.#timeOf(index) <= this.nextUs) ?? senders[0];
  }

  #hasSent(index: number, to: NodeId, message: Message): boolean {
    return this.#lines[index - 1]!.effects.some(
      (effect) => effect.type === 'message.send' && effect.to === to && same(effect.message, message),
    );
  }

  #timeOf(index: number): number {
    return this.#originUs + this.#lines[index - 1]!.at;
  }
}
