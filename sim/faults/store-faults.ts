/** Faults of the journal's store and of the lease service. */
import { livingLife, type SimNode } from '../nodes.js';
import { draw, drawKey, within } from '../random.js';
import type { FactName } from '../scenario/fact-names.js';
import type { EndTarget, StoreFault } from '../scenario/types.js';
import type { Occasion, Outcome, Perform } from './occasion.js';

type Action<Kind extends StoreFault['kind']> = Extract<StoreFault, { kind: Kind }>;

const forgotten = drawKey('forgotten slots');
/** For so long nobody reaches a store that fails over. */
const failoverUs = 300_000;

/** Something that lasts between masters and the store, and waits for a call that it changes. */
function toMasters<Action extends { readonly masters: EndTarget }>(
  tell: FactName,
  begin: (occasion: Occasion, node: SimNode, action: Action) => () => void,
): Perform<Action> {
  return (occasion, action) => {
    const masters = occasion.nodes(action.masters).filter(({ kind }) => kind === 'master');
    for (const node of masters) {
      occasion.lasts(begin(occasion, node, action), node);
      occasion.world.tell(tell, node.name);
    }
    return masters.length > 0 ? 'waits' : 'missed';
  };
}

export const storeFaults = {
  obscure: (occasion, { target }) => {
    const node = occasion.node(target);
    if (!node) return 'missed';
    occasion.world.journal.obscure(node, () => {
      if (occasion.books.areHealed([node])) return false;
      occasion.hit();
      return true;
    });
    return 'waits';
  },

  expire: (occasion) => {
    const { world } = occasion;
    const holder = world.lease.expire(() => occasion.hit());
    if (holder === undefined) return 'missed';
    world.tell('lease-taken-away', holder);
    return 'waits';
  },

  lag: toMasters<Action<'lag'>>('store-slowed', (occasion, node, { by }) => {
    const { store } = occasion.world;
    const slowness = { by, hit: () => occasion.hit() };
    store.slow(node, slowness);
    return () => store.hasten(node, slowness);
  }),

  sever: toMasters<Action<'sever'>>('store-severed', (occasion, node) => {
    const { world } = occasion;
    const hit = (): void => occasion.hit();
    world.store.sever(node, hit);
    return () => {
      world.tell('store-reached', node.name);
      world.store.rejoin(node, hit);
    };
  }),

  blur: toMasters<Action<'blur'>>('store-blurred', (occasion, node, { blur }) => {
    const { store } = occasion.world;
    const blurring = { blur, hit: () => occasion.hit() };
    store.blur(node, blurring);
    return () => store.clear(node, blurring);
  }),

  halt: (occasion, { stores, every }) => {
    const { stores: count } = occasion.world.scenario.cluster;
    const numbers =
      stores.kind === 'store' ? [stores.node] : Array.from({ length: count }, (_, index) => index + 1);
    if (every) haltAgain(occasion, numbers, every);
    else occasion.lasts(haltAll(occasion, numbers, () => occasion.hit()));
    return 'waits';
  },

  rewind: (occasion, { slots }) => goBack(occasion, slots),

  forget: (occasion, { slots }) => {
    const { world } = occasion;
    const outcome = goBack(
      occasion,
      within({ min: 1, max: slots }, draw(world.seed, forgotten, occasion.key)),
    );
    const numbers = Array.from({ length: world.scenario.cluster.stores }, (_, index) => index + 1);
    // What it does is to forget; that nobody reaches it meanwhile goes with that.
    const restart = haltAll(occasion, numbers, () => {});
    occasion.later(failoverUs, restart);
    return outcome;
  },

  failSync: (occasion, { target, restartAfterUs }) => {
    const { world } = occasion;
    const node = occasion.node(target);
    if (!node || !livingLife(node)) return 'missed';
    world.journal.failSync(node, () => {
      if (occasion.books.areHealed([node])) return false;
      world.tell('sync-failed', node.name);
      occasion.hit();
      world.crash(node);
      occasion.restartLater(node, restartAfterUs);
      return true;
    });
    return 'waits';
  },
} satisfies { [Kind in StoreFault['kind']]: Perform<Action<Kind>> };

/** Answers what brings them back; `hit` is called when somebody has missed them. */
function haltAll({ world }: Occasion, numbers: readonly number[], hit: () => void): () => void {
  for (const number of numbers) {
    world.store.halt(number, hit);
    world.tell('store-halted', `store-${number}`);
  }
  return () => {
    for (const number of numbers) {
      world.tell('store-restarted', `store-${number}`);
      world.store.restart(number, hit);
    }
  };
}

/** Down for a while, up for the rest of the period, and so on until the fault ends. */
function haltAgain(
  occasion: Occasion,
  numbers: readonly number[],
  { periodUs, downUs }: { readonly periodUs: number; readonly downUs: number },
): void {
  const { world } = occasion;
  let over = false;
  let restart: (() => void) | undefined;
  // What is told of the restart may end the fault, which comes back here.
  const up = (): void => {
    const restarting = restart;
    restart = undefined;
    restarting?.();
  };
  const kill = (): void => {
    if (over) return;
    restart = haltAll(occasion, numbers, () => occasion.hit());
    world.later(Math.min(downUs, periodUs - 1), up);
    world.later(periodUs, kill);
  };
  kill();
  occasion.lasts(() => {
    over = true;
    up();
  });
}

function goBack({ world }: Occasion, slots: number): Outcome {
  const { last } = world.journal;
  const lost = world.journal.goBack(Math.max(0, last - slots));
  if (lost === 0) return 'missed';
  world.tell('journal-lost-slots', 'store-1', { detail: { slots: lost } });
  return 'hit';
}
