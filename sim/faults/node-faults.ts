/** Faults of processes, machines and clocks, and what users do to the whole. */
import type { SimNode } from '../nodes.js';
import type { NodeFault, NodeTarget, UserFault } from '../scenario/types.js';
import { tellSpoiled } from './file-faults.js';
import type { Occasion, Outcome, Perform } from './occasion.js';

/** Something done to the node that a target means; missed when nobody plays that role. */
function toNode<Action extends { readonly target: NodeTarget }>(
  perform: (occasion: Occasion, node: SimNode, action: Action) => Outcome,
): Perform<Action> {
  return (occasion, action) => {
    const node = occasion.node(action.target);
    return node ? perform(occasion, node, action) : 'missed';
  };
}

type Action<Kind extends NodeFault['kind']> = Extract<NodeFault, { kind: Kind }>;

export const nodeFaults = {
  crash: toNode<Action<'crash'>>((occasion, node, { restartAfterUs }) => {
    if (!occasion.world.crash(node)) return 'missed';
    occasion.restartLater(node, restartAfterUs);
    return 'hit';
  }),

  restart: toNode<Action<'restart'>>(({ world }, node) => {
    if (node.status !== 'down') return 'missed';
    world.startNode(node);
    return 'hit';
  }),

  pause: toNode<Action<'pause'>>((occasion, node) => {
    const { world } = occasion;
    if (!world.pause(node)) return 'missed';
    occasion.lasts(() => world.resume(node), node);
    return 'hit';
  }),

  slow: toNode<Action<'slow'>>((occasion, node, { by }) => {
    const { world } = occasion;
    if (node.kind !== 'worker') return 'missed';
    const hit = (): void => occasion.hit();
    node.slowBy *= by;
    node.slowed.push(hit);
    world.tell('node-slowed', node.name, { detail: { by } });
    world.executors.speedChanged(node);
    occasion.lasts(() => {
      node.slowBy /= by;
      node.slowed.splice(node.slowed.indexOf(hit), 1);
      world.executors.speedChanged(node);
    }, node);
    return 'waits';
  }),

  blackout: toNode<Action<'blackout'>>((occasion, node, { torn, restartAfterUs }) => {
    const { world } = occasion;
    const spoiled = node.status === 'down' ? [] : world.files.unsyncedOf(node);
    if (!world.crash(node)) return 'missed';
    world.tell('machine-blacked-out', node.name);
    const state = torn ? 'corrupt' : 'lost';
    tellSpoiled(
      world,
      spoiled.filter((file) => world.files.spoil(file, state)),
      state,
    );
    occasion.restartLater(node, restartAfterUs);
    return 'hit';
  }),

  jump: toNode<Action<'jump'>>((occasion, node, { aheadUs }) => {
    const { world } = occasion;
    world.tell('clock-jumped', node.name, { detail: { aheadUs } });
    world.changeClock(node, { aheadUs }, () => occasion.hit());
    return 'waits';
  }),

  drift: toNode<Action<'drift'>>((occasion, node, { by }) => {
    const { world } = occasion;
    const before = node.clock.rate;
    world.tell('clock-drifted', node.name, { detail: { by } });
    world.changeClock(node, { rate: before * by }, () => occasion.hit());
    occasion.lasts(() => world.changeClock(node, { rate: node.clock.rate / by }), node);
    return 'waits';
  }),
} satisfies { [Kind in NodeFault['kind']]: Perform<Action<Kind>> };

export const userFaults = {
  drain: ({ world }) => (world.drain() ? 'hit' : 'missed'),
} satisfies { [Kind in UserFault['kind']]: Perform<Extract<UserFault, { kind: Kind }>> };
