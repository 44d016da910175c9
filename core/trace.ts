/**
 * The trace: schema `trace.v1`, one NDJSON file per life of a node, the same for every driver.
 *
 * A header, then one line per step of the core: dense index, the node's own time, event, effects, what caused it, the
 * chain hash, and now and then (state-digests.ts) the digest of the state. A line is a pure function of the machine and
 * its event, so a replay can compare whole lines: whatever was changed in one, by hand or by a bug, shows. On which lines
 * a digest stands is the writer's choice: that of another version may have chosen others.
 */
import { type Chain, chainText, extendChain } from './chain.js';
import type { Effect } from './effects.js';
import type { MachineEvent } from './events.js';
import type { NodeId } from './ids.js';
import type { Machine, MachineSetup } from './machine.js';
import { stateDigests } from './state-digests.js';

export const traceVersion = 'trace.v1';

export interface TraceHeader {
  readonly trace: typeof traceVersion;
  readonly driver: 'runtime' | 'simulator';
  /** The simulator's seed. */
  readonly seed?: string;
  /** Version of Rehearse, and of Node where there is one. */
  readonly versions: Readonly<Record<string, string>>;
  readonly setup: MachineSetup;
  /** Unix time in microseconds at which the node's clock stood at 0: lays traces of several nodes side by side. */
  readonly originUs?: number;
}

/** The step of another node from which a message came. */
export interface Cause {
  readonly node: NodeId;
  readonly index: number;
}

export interface TraceLine {
  /** 1, 2, 3 … */
  readonly i: number;
  /** Microseconds of the node's monotonic clock. */
  readonly at: number;
  readonly cause?: Cause;
  readonly event: MachineEvent;
  readonly effects: readonly Effect[];
  readonly chain: string;
  /** The digest of the state after the step. */
  readonly state?: string;
  /** The digest of each field of that state. */
  readonly stateFields?: Readonly<Record<string, string>>;
}

/** Takes one step and returns its effects with the line that records it. Extends the chain. */
export function tracedStep(
  machine: Machine,
  chain: Chain,
  input: { readonly event: MachineEvent; readonly at: number; readonly cause?: Cause | undefined },
): { readonly effects: readonly Effect[]; readonly line: TraceLine } {
  const { event, at, cause } = input;
  const effects = machine.step(event, at);
  return { effects, line: traceLine(machine, chain, { event, at, cause, effects }) };
}

/** The line of a step that the machine has taken just now. Extends the chain. */
export function traceLine(
  machine: Machine,
  chain: Chain,
  step: {
    readonly event: MachineEvent;
    readonly at: number;
    readonly cause?: Cause | undefined;
    readonly effects: readonly Effect[];
  },
): TraceLine {
  const { event, at, cause, effects } = step;
  extendChain(chain, at, event, effects);
  return {
    i: chain.index,
    at,
    ...(cause ? { cause } : {}),
    event,
    effects,
    chain: chainText(chain),
    ...(chain.index === chain.digestAt ? digestsOf(machine, chain) : {}),
  };
}

function digestsOf(machine: Machine, chain: Chain): Pick<TraceLine, 'state' | 'stateFields'> {
  const { state, stateFields, stepsToNext } = stateDigests(machine.state);
  chain.digestAt += stepsToNext;
  return { state, stateFields };
}
