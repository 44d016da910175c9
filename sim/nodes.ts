/** The nodes of the world and their lives. */
import type { NodeId } from '../core/ids.js';
import type { Machine, Role } from '../core/machine.js';
import type { Session } from './network.js';
import type { Task } from './queue.js';
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
  /** The name as an integer, for draws. */
  readonly key: number;
  status: 'up' | 'down' | 'paused';
  /** The present life, or the last. */
  life: Life | undefined;
  incarnations: number;
  pauses: number;
  /** When its timer will come; Infinity without one. */
  timerUs: number;
  /** The timer came while the node was paused. */
  timerDue: boolean;
  /** What waits for the node to be resumed. */
  held: Task[];
  /** Executors take this many times as long. */
  slowBy: number;
  /** Open and dialing sessions of the present life, by its own numbers. */
  readonly sessions: Map<number, Session>;
  /** Sessions that a master's life has accepted. */
  accepted: number;
}

export function newNode(name: NodeId, kind: Role): SimNode {
  return {
    name,
    kind,
    key: drawKey(name),
    status: 'down',
    life: undefined,
    incarnations: 0,
    pauses: 0,
    timerUs: Number.POSITIVE_INFINITY,
    timerDue: false,
    held: [],
    slowBy: 1,
    sessions: new Map(),
    accepted: 0,
  };
}

/** The life that a living node leads; undefined for one that is down. */
export function livingLife(node: SimNode): Life | undefined {
  return node.status === 'down' ? undefined : node.life;
}
