/** The nodes of the world, their lives and their clocks. */
import type { NodeId } from '../core/ids.js';
import type { Machine, Role } from '../core/machine.js';
import type { Session } from './frames.js';
import type { Task } from './host.js';
import type { Link } from './links.js';
import { drawKey } from './random.js';

export interface Life {
  readonly node: SimNode;
  readonly incarnation: number;
  readonly machine: Machine;
  ended: boolean;
}

export interface SimNode {
  readonly name: NodeId;
  readonly kind: Role;
  /** Place among the world's nodes, from 0: masters, workers, clients. */
  readonly index: number;
  /** The name as an integer, for draws. */
  readonly key: number;
  status: 'up' | 'down' | 'paused';
  /** Its first start is still to come, will come within moments, or is past: also when it died before. */
  firstStart: 'later' | 'soon' | 'past';
  /** The present life, or the last. */
  life: Life | undefined;
  incarnations: number;
  /** How the life before this one ended, as its supervisor saw it. */
  previousEnd: 'crashed' | 'killed';
  pauses: number;
  readonly clock: Clock;
  /** Faults that have changed the clock, while nobody has read another time for it. */
  clockFaults: readonly ClockFault[];
  /** When its timer will come, by the world's time; Infinity without one. */
  timerUs: number;
  /** Its entry in the queue; -1 without one. */
  timerHandle: number;
  /** The timer came while the node was paused. */
  timerDue: boolean;
  /** What waits for the node to be resumed. */
  held: Task[];
  /** Executors take this many times as long, and the faults that make them are told of each piece of work that does. */
  slowBy: number;
  readonly slowed: (() => void)[];
  /** Faults that fill its disk: each hears of a write that fails. */
  readonly fullDisk: (() => void)[];
  /** Open and dialing sessions of the present life, by its own numbers. */
  readonly sessions: Map<number, Session>;
  /** Sessions that a master's life has accepted. */
  accepted: number;
  /** Its links by the other node's index, as they come to be used. */
  readonly links: (Link | undefined)[];
}

export interface ClockFault {
  /** The clock as it would have gone on. */
  readonly without: Readonly<Clock>;
  /** Called once, when a step goes by another time. */
  readonly hit: () => void;
}

/** A monotonic clock of its own: since `sinceUs` of the world's time it runs from `baseUs` at `rate`. */
export interface Clock {
  baseUs: number;
  sinceUs: number;
  rate: number;
}

export function newNode(name: NodeId, kind: Role, index = 0): SimNode {
  return {
    name,
    kind,
    index,
    key: drawKey(name),
    status: 'down',
    firstStart: 'later',
    life: undefined,
    incarnations: 0,
    previousEnd: 'killed',
    pauses: 0,
    clock: { baseUs: 0, sinceUs: 0, rate: 1 },
    clockFaults: [],
    timerUs: Number.POSITIVE_INFINITY,
    timerHandle: -1,
    timerDue: false,
    held: [],
    slowBy: 1,
    slowed: [],
    fullDisk: [],
    sessions: new Map(),
    accepted: 0,
    links: [],
  };
}

/** The life that a living node leads; undefined for one that is down. */
export function livingLife(node: SimNode): Life | undefined {
  return node.status === 'down' ? undefined : node.life;
}

/** What the clock shows, in whole microseconds. */
export function clockUs({ baseUs, sinceUs, rate }: Clock, worldUs: number): number {
  return rate === 1 ? baseUs + worldUs - sinceUs : baseUs + Math.floor((worldUs - sinceUs) * rate);
}

/** The first moment of the world at which the clock shows at least this. */
export function worldUs(clock: Clock, atUs: number): number {
  const { baseUs, sinceUs, rate } = clock;
  let us = rate === 1 ? sinceUs + atUs - baseUs : sinceUs + Math.ceil((atUs - baseUs) / rate);
  while (clockUs(clock, us) < atUs) us++;
  return us;
}

/** Goes on from now, `aheadUs` further on and at `rate`. A clock that only counts forward never shows less than before. */
export function setClock(clock: Clock, nowUs: number, change: { aheadUs?: number; rate?: number }): void {
  clock.baseUs = clockUs(clock, nowUs) + (change.aheadUs ?? 0);
  clock.sinceUs = nowUs;
  clock.rate = change.rate ?? clock.rate;
}
