/** Faults of the network: of one node's sessions, or of every link between two ends. */
import type { Trouble, TroubleKind } from '../links.js';
import type { SimNode } from '../nodes.js';
import type { FactName } from '../scenario/fact-names.js';
import type { LinkFault, LinkTarget } from '../scenario/types.js';
import type { Occasion, Outcome, Perform } from './occasion.js';

type Action<Kind extends LinkFault['kind']> = Extract<LinkFault, { kind: Kind }>;

export const linkFaults = {
  drop: (occasion, { target }) => {
    const node = occasion.node(target);
    return node && drop(occasion, node) ? 'hit' : 'missed';
  },

  flap: (occasion, { target, everyUs }) => {
    const { world } = occasion;
    const node = occasion.node(target);
    if (!node) return 'missed';
    let over = false;
    const again = (): void => {
      if (over) return;
      if (drop(occasion, node)) occasion.hit();
      world.later(everyUs, again);
    };
    occasion.lasts(() => {
      over = true;
    }, node);
    again();
    return 'waits';
  },

  partition: (occasion, { link }) => {
    const { network } = occasion.world;
    const ways = waysOf(occasion, link);
    const hit = (): void => occasion.hit();
    for (const { from, to } of ways) network.block(from, to, hit);
    tellWays(occasion, ways, 'partition-began');
    const oneWay = link.oneWay;
    for (const way of ways) {
      const end = (): void => {
        network.heal(way.from, way.to, hit);
        tellWay(occasion, way, oneWay, 'partition-healed');
      };
      occasion.lasts(end, way.from, way.to);
    }
    return ways.length > 0 ? 'waits' : 'missed';
  },

  delay: (occasion, { link, extraUs }) => trouble(occasion, link, () => ({ kind: 'delay', extraUs })),

  loss: (occasion, { link, percent }) =>
    trouble(occasion, link, () => ({ kind: 'loss', percent }), 'message-lost'),

  duplicate: (occasion, { link, percent }) =>
    trouble(occasion, link, () => ({ kind: 'duplicate', percent }), 'message-duplicated'),

  reorder: (occasion, { link, extraUs }) =>
    trouble(occasion, link, () => ({ kind: 'reorder', extraUs }), 'message-straggled'),

  hold: (occasion, { link, message }) =>
    trouble(occasion, link, () => ({ kind: 'hold', message, held: undefined }), 'message-held'),

  clog: (occasion, { link, gapUs }) =>
    trouble(occasion, link, () => ({ kind: 'clog', gapUs, lastUs: Number.NEGATIVE_INFINITY })),
} satisfies { [Kind in LinkFault['kind']]: Perform<Action<Kind>> };

function drop({ world }: Occasion, node: SimNode): boolean {
  if (world.network.drop(node) === 0) return false;
  world.tell('session-dropped', node.name);
  return true;
}

/** One direction of a link. */
interface Way {
  readonly from: SimNode;
  readonly to: SimNode;
  /** The other direction of a link that is hit both ways. */
  readonly back: boolean;
}

/** Every direction that is meant. */
function waysOf(occasion: Occasion, { from, to, oneWay }: LinkTarget): Way[] {
  const ways: Way[] = [];
  for (const one of occasion.nodes(from)) {
    for (const other of occasion.nodes(to)) {
      if (one === other || occasion.books.areHealed([one, other])) continue;
      ways.push({ from: one, to: other, back: false });
      if (!oneWay) ways.push({ from: other, to: one, back: true });
    }
  }
  return ways;
}

/** Once for each link. */
function tellWays(occasion: Occasion, ways: readonly Way[], name: FactName): void {
  const oneWay = !ways.some(({ back }) => back);
  for (const way of ways) tellWay(occasion, way, oneWay, name);
}

function tellWay({ world, fault }: Occasion, { from, to, back }: Way, oneWay: boolean, name: FactName): void {
  const { kind } = fault.action;
  const detail = { other: to.name, oneWay, ...(kind === 'partition' ? {} : { by: kind }) };
  if (!back) world.tell(name, from.name, { detail });
}

/** Troubles every way that is meant, each with a state of its own; `name` is told for each message that is hit. */
function trouble(occasion: Occasion, link: LinkTarget, what: () => TroubleKind, name?: FactName): Outcome {
  const { world, key } = occasion;
  const ways = waysOf(occasion, link);
  const troubles = ways.map(({ from, to }): Trouble => {
    const hit: Trouble['hit'] = ({ kind }) => {
      occasion.hit();
      if (name) world.tell(name, from.name, { detail: { to: to.name, message: kind } });
    };
    return { key, what: what(), hit };
  });
  tellWays(occasion, ways, 'link-troubled');
  for (const [index, way] of ways.entries()) {
    const { from, to } = way;
    world.network.trouble(from, to, troubles[index]!);
    const end = (): void => {
      world.network.relieve(from, to, troubles[index]!);
      tellWay(occasion, way, link.oneWay, 'link-relieved');
    };
    occasion.lasts(end, from, to);
  }
  return ways.length > 0 ? 'waits' : 'missed';
}
