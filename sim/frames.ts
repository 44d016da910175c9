/**
 * What is under way between nodes: sessions, their two directions, and frames. A frame is known by its kind and by what it
 * is about; beats are about nothing and are told apart by their repetition.
 */
import type { MachineEvent } from '../core/events.js';
import type { Message } from '../core/messages.js';
import type { FrameKind, Link, Trouble } from './links.js';
import type { Life } from './nodes.js';
import { drawKey, joinKeys } from './random.js';

export interface Session {
  readonly dialer: Life;
  readonly dialerSession: number;
  /** The dialed side, once it has accepted. */
  master: Life | undefined;
  masterSession: number;
  state: 'dialing' | 'open' | 'broken';
  /** The dialer has heard that it is open. */
  confirmed: boolean;
  readonly toMaster: Pipe;
  readonly toDialer: Pipe;
}

/** One direction of a session. */
export interface Pipe {
  readonly link: Link;
  /** Nothing arrives before what was sent before it. */
  lastUs: number;
  /** Its sender has ended the session: what it had sent before still arrives. */
  orderly: boolean;
  /** The fault that holds a frame of it; all that follows waits as well. */
  heldBy: Trouble | undefined;
  readonly heldUp: Frame[];
}

/** Something under way. */
export interface Frame {
  readonly kind: FrameKind;
  readonly session: Session;
  readonly pipe: Pipe;
  /** Who is told, and what; a `connect` has nobody yet. */
  readonly receiver: Life | undefined;
  readonly event: MachineEvent | undefined;
  /** Its kind and what it is about, as an integer for draws, and which repetition of that it is on its link. */
  readonly key: number;
  readonly repetition: number;
  readonly latencyUs: number;
  /** A fault delivers it although its session has broken. */
  late: boolean;
}

export const frameKeys = { connect: drawKey('connect'), accept: drawKey('accept'), close: drawKey('close') };

export function newPipe(link: Link): Pipe {
  return { link, lastUs: 0, orderly: false, heldBy: undefined, heldUp: [] };
}

const typeKeys = new Map<string, number>();

function typeKeyOf(type: string): number {
  let key = typeKeys.get(type);
  if (key === undefined) typeKeys.set(type, (key = drawKey(type)));
  return key;
}

/** The last message of which the key was asked: the hash of the run asks for it, and then the network. */
let lastMessage: Message | undefined;
let lastKey = 0;

/** A message's type and subject as an integer, for draws. */
export function messageKey(message: Message): number {
  if (message !== lastMessage) {
    lastMessage = message;
    lastKey = newKey(message);
  }
  return lastKey;
}

function newKey(message: Message): number {
  const type = typeKeyOf(message.type);
  if ('attempt' in message) {
    const { job, task, epoch, n } = message.attempt;
    return joinKeys(joinKeys(type, task), joinKeys(job, joinKeys(epoch, n)));
  }
  if (message.type === 'outputs.changed') return joinKeys(type, joinKeys(message.job, message.from));
  return 'job' in message ? joinKeys(type, message.job) : type;
}
