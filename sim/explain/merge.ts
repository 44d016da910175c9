/**
 * The traces of a run's nodes as one: ordered by time, and never a step before the one that caused it.
 *
 * Clocks of nodes begin at different moments; a header's `originUs` lays them side by side. Where two clocks disagree,
 * causes win: what a message carried, and for what is read in the journal the step that appended it.
 */
import type { Draft } from '../../core/draft.js';
import { lifeName, type NodeId, type NodeLife } from '../../core/ids.js';
import type { Message } from '../../core/messages.js';
import type { JournalEntry } from '../../core/records.js';
import type { TraceHeader, TraceLine } from '../../core/trace.js';
import { entriesOf } from '../journal-entries.js';
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
  /** The last step of each other life that appended something of what it read in the journal, as far as these traces tell. */
  readonly appends?: readonly LifeStep[];
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

/** The steps of other lives that must have come before. */
export function stepsBefore({ cause, appends = [] }: MergedStep): readonly LifeStep[] {
  return cause ? [cause, ...appends] : appends;
}

/** All steps of all nodes. A trace that lacks the causing step holds nothing up. */
export function mergeTraces(traces: readonly NodeTrace[]): MergedStep[] {
  const lanes = traces.filter(({ lines }) => lines.length > 0).map((trace) => new Lane(trace));
  const known = new Known(lanes);
  const startUs = startOf(traces);
  const merged: MergedStep[] = [];
  for (;;) {
    const waiting = lanes.filter((lane) => lane.nextUs < Number.POSITIVE_INFINITY);
    if (waiting.length === 0) return merged;
    const free = waiting.filter((lane) => !lane.isHeldUp(known));
    // Lives that wait for each other can only come from traces that were put together wrongly: time decides.
    const lane = earliestOf(free.length > 0 ? free : waiting);
    merged.push(lane.take(startUs, known));
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

/** Where a step of which others are the effect stands. */
interface Place {
  readonly lane: Lane;
  readonly index: number;
}

/** What the causes of a step are looked up in. */
class Known {
  readonly livesOf = new Map<NodeId, Lane[]>();
  readonly #appends = new Map<string, Place>();

  constructor(lanes: readonly Lane[]) {
    for (const lane of lanes) {
      this.livesOf.set(lane.node, [...(this.livesOf.get(lane.node) ?? []), lane]);
      for (const { slot, nonce, index } of lane.appends()) {
        const key = `${slot} ${nonce}`;
        if (!this.#appends.has(key)) this.#appends.set(key, { lane, index }); // the first of several tries
      }
    }
  }

  appendOf({ slot, nonce }: JournalEntry): Place | undefined {
    return this.#appends.get(`${slot} ${nonce}`);
  }
}

/** What must come before a step. */
interface Causes {
  readonly sender: Place | undefined;
  readonly appends: readonly Place[];
}

class Lane {
  readonly node: NodeId;
  readonly incarnation: number;
  readonly #originUs: number;
  readonly #lines: readonly TraceLine[];
  #taken = 0;
  /** Of the next step; found out once, when that is asked for. */
  #causes: Causes | undefined;

  constructor({ header, lines }: NodeTrace) {
    this.node = header.setup.life.node;
    this.incarnation = header.setup.life.incarnation;
    this.#originUs = header.originUs ?? 0;
    this.#lines = lines;
  }

  get nextUs(): number {
    return this.#taken < this.#lines.length ? this.#timeOf(this.#taken + 1) : Number.POSITIVE_INFINITY;
  }

  /** Whether a step that is a cause of the next one is still to come. */
  isHeldUp(known: Known): boolean {
    const { sender, appends } = this.#causesOfNext(known);
    const isToCome = ({ lane, index }: Place): boolean => lane.#taken < index;
    return (sender !== undefined && isToCome(sender)) || appends.some(isToCome);
  }

  take(startUs: number, known: Known): MergedStep {
    const { sender, appends } = this.#causesOfNext(known);
    const atUs = this.nextUs - startUs;
    const line = this.#lines[this.#taken++]!;
    this.#causes = undefined;
    const { node, incarnation } = this;
    const step: Draft<MergedStep> = { node, incarnation, atUs, line };
    if (sender) step.cause = stepAt(sender);
    if (appends.length > 0) step.appends = appends.map(stepAt);
    return step;
  }

  *appends(): Generator<{ readonly slot: number; readonly nonce: string; readonly index: number }> {
    for (const [before, { effects }] of this.#lines.entries()) {
      for (const effect of effects) {
        if (effect.type !== 'journal.append') continue;
        yield { slot: effect.slot, nonce: effect.nonce, index: before + 1 };
      }
    }
  }

  #causesOfNext(known: Known): Causes {
    return (this.#causes ??= { sender: this.#senderOfNext(known), appends: this.#appendsOfNext(known) });
  }

  /** A cause names a node, not its life: of several lives the message tells, and the time where all have said the same. */
  #senderOfNext({ livesOf }: Known): Place | undefined {
    const { cause, event } = this.#lines[this.#taken]!;
    if (!cause || event.type !== 'message.received') return undefined;
    const { index } = cause;
    const lives = livesOf.get(cause.node) ?? [];
    const long = lives.filter((life) => index <= life.#lines.length);
    if (lives.length === 1) return long[0] && { lane: long[0], index };
    const senders = long.filter((life) => life.#hasSent(index, this.node, event.message));
    const lane = senders.findLast((life) => life.#timeOf(index) <= this.nextUs) ?? senders[0];
    return lane && { lane, index };
  }

  /** Of each life the last one: those before it come first anyway. */
  #appendsOfNext(known: Known): readonly Place[] {
    const last = new Map<Lane, number>();
    for (const entry of entriesOf(this.#lines[this.#taken]!.event)) {
      const place = known.appendOf(entry);
      if (place && place.lane !== this)
        last.set(place.lane, Math.max(place.index, last.get(place.lane) ?? 0));
    }
    return [...last].map(([lane, index]) => ({ lane, index }));
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

function stepAt({ lane: { node, incarnation }, index }: Place): LifeStep {
  return { node, incarnation, index };
}
