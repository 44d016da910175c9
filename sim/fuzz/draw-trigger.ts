/**
 * When a drawn fault strikes. Moments at which something was just decided, or is about to become durable, are dangerous:
 * most triggers are facts and crash points, few are times.
 */
import type { Phase } from '../coverage/phases.js';
import {
  type CrashPoint,
  crashPoints,
  type FactName,
  factAbout,
  factNames,
  isFactName,
} from '../scenario/fact-names.js';
import type { FactPattern, ScenarioJob, TaskPattern, Trigger } from '../scenario/types.js';
import { patternText } from '../scenario/write-fault.js';
import type { Dice, Weighted } from './dice.js';
import type { Profile } from './profile.js';

/** What a trigger can be drawn from. */
export interface Stage {
  readonly dice: Dice;
  readonly profile: Profile;
  readonly jobs: readonly ScenarioJob[];
  /** About as long as all jobs take without faults. */
  readonly spanUs: number;
}

/** Facts that come again and again, or are easily overlooked; the rest of all facts comes now and then. */
const dangerous: readonly FactName[] = [
  'leader-began',
  'lease-expired',
  'leader-fenced',
  'append-retried',
  'worker-joined',
  'worker-lost',
  'worker-rejoined',
  'worker-lease-expired',
  'attempt-adopted',
  'attempt-speculated',
  'attempt-revoked',
  'late-report-accepted',
  'late-report-refused',
  'task-invalidated',
  'job-accepted',
  'maps-done',
  'reduces-done',
  'job-publishing',
  'job-published',
  'output-published',
  'node-crashed',
  'node-restarted',
];

/** Facts about one attempt. */
const ofAttempts = ['started', 'finished', 'committed', 'broke', 'starved', 'failed', 'invalidated'] as const;

const attemptPoints = crashPoints.filter((point) => point.startsWith('attempt.'));
const publishPoints = crashPoints.filter((point) => point.startsWith('publish.'));
const journalPoints = crashPoints.filter((point) => !/^(attempt|publish)\./.test(point));

/** Until no fault is drawn so late that it always comes after the end. */
const latePercent = 130;

export interface DrawnTrigger {
  readonly trigger: Trigger;
  readonly after?: FactPattern;
}

export function drawTrigger(stage: Stage): DrawnTrigger {
  const { dice, profile } = stage;
  switch (dice.pick('kind of trigger', profile.triggers)) {
    case 'at':
      return { trigger: drawTime(stage) };
    case 'when':
      return { trigger: { kind: 'when', pattern: drawPattern(stage, 'when') }, ...drawAfter(stage, 10) };
    case 'point':
      return { trigger: drawPoint(stage), ...drawAfter(stage, 25) };
  }
}

/** A trigger that comes in this phase of the first job. */
export function drawTriggerIn(stage: Stage, phase: Phase): DrawnTrigger {
  const { dice, jobs } = stage;
  const when = (pattern: FactPattern): DrawnTrigger => ({ trigger: { kind: 'when', pattern } });
  const last = jobs.length;
  switch (phase) {
    case 'idle':
      return dice.chance('at once', 30)
        ? { trigger: { kind: 'at', atUs: dice.between('idle time', 0, 60_000) } }
        : when(pattern(dice.pick('idle fact', ['leader-began', 'worker-joined'])));
    case 'map':
      return when(
        dice.chance('accepted', 15) ? pattern('job-accepted') : attemptPattern(stage, 'focus', 'map'),
      );
    case 'reduce':
      return when(
        dice.chance('all maps', 25) ? pattern('maps-done') : attemptPattern(stage, 'focus', 'reduce'),
      );
    case 'publishing':
      return dice.chance('record', 35)
        ? when(pattern('job-publishing'))
        : { trigger: { kind: 'point', point: dice.pick('publish point', publishPoints) } };
    case 'done':
      return when(pattern('job-published', { job: last }));
  }
}

/** A fact that may end a lasting fault. */
export function drawUntil(stage: Stage): FactPattern {
  return drawPattern(stage, 'until');
}

function drawTime({ dice, spanUs }: Stage): Trigger {
  const latestUs = Math.max(100_000, Math.floor((spanUs * latePercent) / 100));
  return { kind: 'at', atUs: dice.between('time', 0, latestUs) };
}

function drawAfter(stage: Stage, percent: number): { after?: FactPattern } {
  return stage.dice.chance('after', percent) ? { after: drawPattern(stage, 'after') } : {};
}

function drawPattern(stage: Stage, purpose: string): FactPattern {
  const { dice } = stage;
  switch (
    dice.weighted(`${purpose} about`, [
      [60, 'attempt'],
      [32, 'dangerous'],
      [8, 'anything'],
    ])
  ) {
    case 'attempt':
      return attemptPattern(stage, purpose);
    case 'dangerous':
      return pattern(dice.pick(`${purpose} fact`, dangerous), drawJob(stage, purpose));
    default:
      return pattern(dice.pick(`${purpose} any fact`, triggering), drawJob(stage, purpose));
  }
}

/** Whatever can set off a fault: `point-reached` has a trigger of its own. */
const triggering = factNames.filter((name) => name !== 'point-reached');

const attemptFacts: Weighted<(typeof ofAttempts)[number]> = [
  [40, 'started'],
  [25, 'finished'],
  [25, 'committed'],
  [3, 'broke'],
  [2, 'starved'],
  [2, 'failed'],
  [3, 'invalidated'],
];

function attemptPattern(stage: Stage, purpose: string, kind?: TaskPattern['kind']): FactPattern {
  const { dice } = stage;
  const task = drawTask(stage, purpose, kind);
  const name = dice.weighted(`${purpose} attempt`, attemptFacts);
  const { job } = drawJob(stage, purpose);
  // The task is one of the first job: the others may be smaller.
  const has =
    job !== undefined && task.index < stage.jobs[job - 1]![task.kind === 'map' ? 'maps' : 'reduces'];
  return pattern(name, { task, ...(has ? { job } : {}) });
}

function drawPoint(stage: Stage): Trigger {
  const { dice } = stage;
  const group = dice.weighted('points', [
    [35, attemptPoints],
    [35, journalPoints],
    [30, publishPoints],
  ]);
  const point: CrashPoint = dice.pick('point', group);
  const task = group === attemptPoints ? { task: drawTask(stage, 'point') } : {};
  return { kind: 'point', point, ...task };
}

export function drawTask(
  { dice, jobs }: Pick<Stage, 'dice' | 'jobs'>,
  purpose: string,
  kind?: TaskPattern['kind'],
): TaskPattern {
  const [job] = jobs;
  const { maps, reduces } = job!;
  const of = kind ?? (dice.below(`${purpose} task kind`, 3) === 0 ? 'reduce' : 'map');
  const index = dice.below(`${purpose} task`, of === 'map' ? maps : reduces);
  const ordinal = dice.weighted(`${purpose} ordinal`, [
    [45, 1],
    [15, 2],
    [40, 0],
  ]);
  return { kind: of, index, ...(ordinal > 0 ? { ordinal } : {}) };
}

function drawJob({ dice, jobs }: Stage, purpose: string): { job?: number } {
  if (jobs.length === 1 || dice.chance(`${purpose} any job`, 50)) return {};
  return { job: dice.between(`${purpose} job`, 1, jobs.length) };
}

/** A pattern with the text that reads as itself. */
export function pattern(
  name: FactName,
  { job, ...rest }: { job?: number; task?: TaskPattern; node?: string } = {},
): FactPattern {
  // "job-1 failed" speaks of the job, whatever else is called "failed".
  const readsAsJobs = rest.task === undefined && isFactName(`job-${name}`);
  const ofJob = factAbout[name] !== 'node' && !readsAsJobs;
  const about = { ...(job !== undefined && ofJob ? { job } : {}), ...rest };
  return { name, ...about, text: patternText({ name, ...about }) };
}
