/**
 * Draws one fault: its kind out of the profile, its moment, its target and parameters, how long it lasts. A new kind of
 * fault does not compile until it can be drawn here.
 */
import type { Range } from '../random.js';
import { lastingKinds, mayBeWorker } from '../scenario/read-fault.js';
import {
  type AttemptTarget,
  type EndTarget,
  type Fault,
  type FaultAction,
  type FaultKind,
  type FilesTarget,
  type LinkTarget,
  type MisbehaviourKind,
  masterNames,
  type NodeTarget,
  type ScenarioCluster,
  type Trigger,
  workerNames,
} from '../scenario/types.js';
import { withText } from '../scenario/write-fault.js';
import type { Weighted } from './dice.js';
import { drawTask, drawTrigger, drawTriggerIn, drawUntil, pattern, type Stage } from './draw-trigger.js';

/** What the action of a fault is drawn from. */
interface Scene extends Stage {
  readonly cluster: ScenarioCluster;
  readonly trigger: Trigger;
}

/** `stage.dice` are the fault's own. The first fault is the one that the profile's focus asks for. */
export function drawFault(stage: Stage, cluster: ScenarioCluster, index: number): Fault {
  const { dice, profile } = stage;
  const focus = index === 0 ? profile.focus : undefined;
  const kind = focus?.kind ?? dice.pick('fault', profile.faults);
  const drawn = focus ? drawTriggerIn(stage, focus.phase) : drawTrigger(stage);
  const scene: Scene = { ...stage, cluster, trigger: drawn.trigger };
  return withText({ index, text: '', ...drawn, action: actions[kind](scene), ...drawEnd(scene, kind) });
}

/** Publishing is over in some milliseconds: for a fault to meet it, the leader is stopped in the middle of it. */
export function longPublishing(index: number): Fault {
  return withText({
    index,
    text: '',
    trigger: { kind: 'point', point: 'publish.after_links' },
    action: { kind: 'pause', target: { kind: 'it' } },
    forUs: 2 * second,
  });
}

/** Only what is down can be restarted: the node crashes at some time, and stays down. */
export function downBefore({ dice, spanUs }: Stage, target: NodeTarget, index: number): Fault {
  const trigger: Trigger = { kind: 'at', atUs: dice.between('down before', 0, spanUs) };
  return withText({ index, text: '', trigger, action: { kind: 'crash', target } });
}

/**
 * A leader dies, perhaps a worker beside it, and whoever takes over cannot tell what becomes of its appends: much is in
 * doubt at once then, and independent draws hardly ever meet.
 */
export function troubledTakeover(stage: Stage, cluster: ScenarioCluster, index: number): Fault[] {
  const { dice } = stage;
  const drawn = drawTriggerIn(stage, dice.pick('phase', ['map', 'reduce', 'publishing', 'publishing']));
  const scene: Scene = { ...stage, cluster, trigger: drawn.trigger };
  const doubt: Omit<Fault, 'index' | 'text'> = {
    trigger: { kind: 'when', pattern: pattern('leader-began') },
    after: pattern('node-crashed'),
    action: actions.blur(scene),
    forUs: span(scene, 'doubt', longUs),
  };
  const crashes: FaultAction[] = [{ kind: 'crash', target: { kind: 'leader' }, ...restart(scene) }];
  if (dice.chance('a worker as well', 50)) crashes.push({ kind: 'crash', target: worker(scene) });
  const faults = [...crashes.map((action) => ({ ...drawn, action })), doubt];
  return faults.map((fault, place) => withText({ index: index + place, text: '', ...fault }));
}

const second = 1_000_000;
/** Around what machines wait for: beats, suspicion, leases. */
const shortUs: Weighted<Range> = [
  [25, { min: 1_000, max: 100_000 }],
  [35, { min: 100_000, max: 1 * second }],
  [30, { min: 1 * second, max: 6 * second }],
  [10, { min: 6 * second, max: 30 * second }],
];

/** Appends must stay in doubt for some leases until a master gives way because of them. */
const longUs: Weighted<Range> = [
  [50, { min: 100_000, max: 6 * second }],
  [50, { min: 6 * second, max: 30 * second }],
];

const misbehaviours: Weighted<MisbehaviourKind> = [
  [30, 'throws'],
  [20, 'hangs'],
  [20, 'differs'],
  [5, 'scatters'],
  [15, 'exhausts'],
  [10, 'exits'],
];

const actions = {
  crash: (scene) => ({ kind: 'crash', target: anyNode(scene), ...restart(scene) }),
  restart: (scene) => ({ kind: 'restart', target: namedNode(scene) }),
  pause: (scene) => ({ kind: 'pause', target: anyNode(scene) }),
  slow: (scene) => ({ kind: 'slow', target: worker(scene), by: scene.dice.pick('times', [2, 3, 5, 10]) }),
  blackout: (scene) => {
    const target = anyNode(scene);
    const torn = mayBeWorker(target) && scene.dice.chance('torn', 50);
    return { kind: 'blackout', target, torn, ...restart(scene) };
  },
  jump: (scene) => ({ kind: 'jump', target: anyNode(scene), aheadUs: span(scene, 'ahead') }),
  drift: (scene) => ({
    kind: 'drift',
    target: anyNode(scene),
    by: scene.dice.pick('drift', [0.5, 0.8, 0.95, 1.05, 1.25, 2]),
  }),
  lose: (scene) => ({ kind: 'lose', files: files(scene) }),
  corrupt: (scene) => ({ kind: 'corrupt', files: files(scene) }),
  fill: (scene) => ({ kind: 'fill', target: worker(scene) }),
  drop: (scene) => ({ kind: 'drop', target: anyNode(scene) }),
  flap: (scene) => ({
    kind: 'flap',
    target: anyNode(scene),
    everyUs: scene.dice.between('every', 50_000, 3 * second),
  }),
  partition: (scene) => ({ kind: 'partition', link: link(scene) }),
  delay: (scene) => ({ kind: 'delay', link: link(scene), extraUs: extra(scene) }),
  loss: (scene) => ({ kind: 'loss', link: link(scene), percent: percent(scene) }),
  duplicate: (scene) => ({ kind: 'duplicate', link: link(scene), percent: percent(scene) }),
  reorder: (scene) => ({ kind: 'reorder', link: link(scene), extraUs: extra(scene) }),
  hold: (scene) => ({ kind: 'hold', link: link(scene) }),
  clog: (scene) => ({ kind: 'clog', link: link(scene), gapUs: scene.dice.between('gap', 1_000, 300_000) }),
  misbehave: (scene) => ({
    kind: 'misbehave',
    attempt: attempt(scene),
    how: scene.dice.weighted('misbehaviour', misbehaviours),
  }),
  obscure: (scene) => ({ kind: 'obscure', target: master(scene) }),
  expire: () => ({ kind: 'expire' }),
  drain: () => ({ kind: 'drain' }),
  lag: (scene) => ({ kind: 'lag', masters: masters(scene), by: scene.dice.pick('times', [3, 20, 200]) }),
  sever: (scene) => ({ kind: 'sever', masters: masters(scene) }),
  blur: (scene) => ({
    kind: 'blur',
    masters: masters(scene),
    blur: { percent: percent(scene), happen: scene.dice.pick('happen', [0, 50, 50, 100]) },
  }),
  halt: (scene) => ({
    kind: 'halt',
    stores: scene.dice.chance('all stores', 30)
      ? { kind: 'all-stores' }
      : { kind: 'store', node: scene.dice.between('store', 1, scene.cluster.stores) },
    ...(scene.dice.chance('again and again', 40)
      ? { every: { periodUs: scene.dice.between('every', 1 * second, 5 * second), downUs: 500_000 } }
      : {}),
  }),
  rewind: (scene) => ({ kind: 'rewind', slots: scene.dice.between('slots', 1, 12) }),
  forget: (scene) => ({ kind: 'forget', slots: scene.dice.between('slots', 1, 4) }),
  failSync: (scene) => ({ kind: 'failSync', target: master(scene), ...restart(scene) }),
} satisfies Record<FaultKind, (scene: Scene) => FaultAction>;

/** Lasting faults end by themselves, except what lies outside of a healed core: to wait for an end that never comes is dear. */
function drawEnd(scene: Scene, kind: FaultKind): Pick<Fault, 'until' | 'forUs'> {
  if (!lastingKinds.has(kind)) return {};
  const ends: Weighted<'for' | 'until' | 'healing'> = [
    [70, 'for'],
    [15, 'until'],
    [scene.profile.heal ? 30 : 0, 'healing'],
  ];
  switch (scene.dice.weighted('end', ends)) {
    case 'for':
      return { forUs: span(scene, 'for', kind === 'blur' ? longUs : shortUs) };
    case 'until':
      return { until: drawUntil(scene) };
    case 'healing':
      return {};
  }
}

function restart(scene: Scene): { restartAfterUs?: number } {
  return scene.dice.chance('restart', 70) ? { restartAfterUs: span(scene, 'restart after') } : {};
}

function span({ dice }: Scene, purpose: string, about = shortUs): number {
  return dice.within(purpose, dice.weighted(`${purpose} about`, about));
}

function extra(scene: Scene): Range {
  const most = span(scene, 'extra');
  return { min: Math.floor(most / 10), max: most };
}

function percent({ dice }: Scene): number {
  return dice.pick('percent', [1, 5, 20, 50, 100]);
}

function masters(scene: Scene): EndTarget {
  return scene.dice.chance('all masters', 40) ? { kind: 'all', of: 'master' } : master(scene);
}

// ---- targets ----------------------------------------------------------------------------------------------------

function worker(scene: Scene): NodeTarget {
  const { dice, cluster } = scene;
  return dice.weighted<NodeTarget>('worker', [
    ...ofTrigger(scene),
    [20, { kind: 'any', of: 'worker' }],
    [20, { kind: 'node', node: dice.pick('which worker', workerNames(cluster)) }],
  ]);
}

function master(scene: Scene): NodeTarget {
  const { dice, cluster } = scene;
  return dice.weighted<NodeTarget>('master', [
    [50, { kind: 'leader' }],
    [20, { kind: 'node', node: dice.pick('which master', masterNames(cluster)) }],
    [cluster.masters > 1 ? 15 : 0, { kind: 'any', of: 'standby' }],
  ]);
}

function anyNode(scene: Scene): NodeTarget {
  const { dice, trigger } = scene;
  const it: NodeTarget = { kind: 'it' };
  if (trigger.kind !== 'at' && dice.chance('where it happened', 35)) return it;
  return dice.chance('a worker', 50) ? worker(scene) : master(scene);
}

/** A node that may well be down: roles are played only by those that are up. */
function namedNode({ dice, cluster }: Scene): NodeTarget {
  return {
    kind: 'node',
    node: dice.pick('which node', [...masterNames(cluster), ...workerNames(cluster)]),
  };
}

function ofTrigger(scene: Scene): Weighted<NodeTarget> {
  return isOfAttempt(scene.trigger) ? [[60, { kind: 'its-worker' }]] : [];
}

function isOfAttempt(trigger: Trigger): boolean {
  if (trigger.kind === 'when') return trigger.pattern.task !== undefined;
  return trigger.kind === 'point' && trigger.point.startsWith('attempt.');
}

function files(scene: Scene): FilesTarget {
  const { dice, trigger } = scene;
  return dice.weighted<FilesTarget>('files', [
    [isOfAttempt(trigger) ? 50 : 0, { kind: 'its-output' }],
    [35, { kind: 'attempt', task: drawTask(scene, 'files') }],
    [25, { kind: 'outputs-of', worker: worker(scene) }],
  ]);
}

function attempt(scene: Scene): AttemptTarget {
  const { dice, trigger } = scene;
  if (isOfAttempt(trigger) && dice.chance('its attempt', 65)) return { kind: 'its-attempt' };
  return { kind: 'attempt', task: drawTask(scene, 'attempt') };
}

function link(scene: Scene): LinkTarget {
  const { dice } = scene;
  const from: EndTarget = dice.chance('from all', 15)
    ? { kind: 'all', of: dice.pick('all', ['worker', 'master', 'node']) }
    : anyNode(scene);
  const to: EndTarget = dice.weighted<EndTarget>('to', [
    [30, { kind: 'all', of: 'master' }],
    [15, { kind: 'all', of: 'worker' }],
    [10, { kind: 'all', of: 'client' }],
    [15, { kind: 'all', of: 'node' }],
    [30, dice.chance('to a master', 70) ? master(scene) : worker(scene)],
  ]);
  return { from, to, oneWay: dice.chance('one way', 35) };
}
