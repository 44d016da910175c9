/**
 * The trace of a simulated run, in the format of real ones: one per life of a node, with the causes that messages carry.
 */

import { type Chain, newChain } from '../core/chain.js';
import type { Message } from '../core/messages.js';
import { type Cause, type TraceHeader, type TraceLine, traceLine, traceVersion } from '../core/trace.js';
import type { Life } from './nodes.js';
import type { WorldStep } from './observer.js';

export interface LifeTrace {
  readonly header: TraceHeader;
  readonly lines: TraceLine[];
}

/** Give `stepped` to `simulate` as `onStep`; afterwards `traces` holds every life, in the order in which they began. */
export class TraceRecorder {
  readonly traces: LifeTrace[] = [];
  readonly #seed: string;
  readonly #versions: Readonly<Record<string, string>>;
  readonly #lives = new Map<Life, { trace: LifeTrace; chain: Chain }>();
  /** Where a message was sent: the simulator hands on the very object. */
  readonly #sent = new WeakMap<Message, Cause>();

  constructor(seed: string, versions: Readonly<Record<string, string>>) {
    this.#seed = seed;
    this.#versions = versions;
  }

  /** Gives the trace of which the step is the last line. */
  stepped({ life, event, effects, clockUs }: WorldStep): LifeTrace {
    const { trace, chain } = this.#lives.get(life) ?? this.#begin(life);
    const cause = event.type === 'message.received' ? this.#sent.get(event.message) : undefined;
    trace.lines.push(traceLine(life.machine, chain, { event, at: clockUs, cause, effects: [...effects] }));
    for (const effect of effects) {
      if (effect.type === 'message.send')
        this.#sent.set(effect.message, { node: life.node.name, index: chain.index });
    }
    return trace;
  }

  #begin(life: Life): { trace: LifeTrace; chain: Chain } {
    const header: TraceHeader = {
      trace: traceVersion,
      driver: 'simulator',
      seed: this.#seed,
      versions: this.#versions,
      setup: life.machine.setup,
    };
    const begun = { trace: { header, lines: [] }, chain: newChain() };
    this.#lives.set(life, begun);
    this.traces.push(begun.trace);
    return begun;
  }
}
