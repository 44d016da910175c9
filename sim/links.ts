/**
 * Links: the way from one node to another. A latency is drawn by the link, by what the message is about and by which
 * repetition of it this is, so that no other message changes it. What faults do to a link is kept beside the draw.
 */
import type { Frame, Pipe } from './frames.js';
import type { SimNode } from './nodes.js';
import { draw, drawKey, joinKeys, type Range, type Seed, within } from './random.js';
import { Repetitions } from './repetitions.js';
import type { MessageType } from './scenario/fact-names.js';

export interface Link {
  readonly from: SimNode;
  readonly to: SimNode;
  /** Both names as an integer, for draws. */
  readonly key: number;
  /** Partitions that cut it, which may overlap: each is told of what it holds up. */
  readonly blocks: (() => void)[];
  /** Pipes with frames that wait for it to heal. */
  readonly stalled: Set<Pipe>;
  /** How often something of this kind about this subject has been sent, by the key of both. */
  readonly repetitions: Repetitions;
  /** What faults do to its frames, in the order in which they began. */
  readonly troubles: Trouble[];
}

/** One fault on a link. */
export interface Trouble {
  /** The fault's, for draws. */
  readonly key: number;
  readonly what: TroubleKind;
  /** Called for every frame that it has changed. */
  readonly hit: (frame: Frame) => void;
}

export type TroubleKind =
  | { readonly kind: 'delay'; readonly extraUs: Range }
  | { readonly kind: 'loss'; readonly percent: number }
  | { readonly kind: 'duplicate'; readonly percent: number }
  | { readonly kind: 'reorder'; readonly extraUs: Range }
  | { readonly kind: 'clog'; readonly gapUs: number; lastUs: number }
  /** Holds one frame, and with it its pipe. */
  | { readonly kind: 'hold'; readonly message: MessageType | undefined; held: Pipe | undefined };

export type FrameKind = 'connect' | 'accept' | 'close' | MessageType;

const latency = drawKey('link latency');

export function newLink(from: SimNode, to: SimNode): Link {
  return {
    from,
    to,
    key: joinKeys(from.key, to.key),
    blocks: [],
    stalled: new Set(),
    repetitions: new Repetitions(),
    troubles: [],
  };
}

/** The link between two nodes; it comes into being when it is asked for. */
export function linkTo(from: SimNode, to: SimNode): Link {
  return (from.links[to.index] ??= newLink(from, to));
}

/** Which repetition this is, from 0, of what has this key on this link. */
export function repetitionOf(link: Link, key: number): number {
  return link.repetitions.next(key);
}

export function latencyOf(seed: Seed, range: Range, link: Link, key: number, repetition: number): number {
  return within(range, draw(seed, latency, link.key, key, repetition));
}
