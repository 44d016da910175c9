/**
 * Draws a scenario from a seed: cluster, jobs, policies, faults. Every part has draws of its own, so that taking one
 * part away leaves the others as they are. The result is a plain scenario, as if it had been read from a file.
 */
import type { JobPolicy } from '../../core/records.js';
import type { Range } from '../random.js';
import { modelledInput } from '../scenario/input.js';
import {
  type Healing,
  type Misbehaviour,
  masterNames,
  type Scenario,
  type ScenarioCluster,
  type ScenarioJob,
  workerNames,
} from '../scenario/types.js';
import { type Dice, diceOf, type Weighted } from './dice.js';
import { downBefore, drawFault, longPublishing, troubledTakeover } from './draw-fault.js';
import { drawTask, type Stage } from './draw-trigger.js';
import {
  drawProfile,
  type GivenProfile,
  lineageOf,
  type Profile,
  profileText,
  type Variation,
} from './profile.js';

export interface Drawn {
  readonly profile: Profile;
  readonly scenario: Scenario;
}

export function drawScenario(seed: string, given: GivenProfile = {}): Drawn {
  const profile = drawProfile(seed, given);
  const dice = diceOf(...lineageOf(seed, given));
  const cluster = drawCluster(dice, profile);
  const count = varies(profile, 'jobs') ? dice.pick('jobs', [1, 2, 2, 3]) : 1;
  const policy = drawPolicy(dice, profile);
  const jobs = Array.from({ length: count }, (_, index) => drawJob(dice.of(index), profile, policy, index));
  const stage: Stage = { dice, profile, jobs, spanUs: spanUs(cluster, jobs) };
  const faultCount = dice.between('fault count', Math.min(1, profile.faultsMax), profile.faultsMax);
  const faults = Array.from({ length: Math.max(profile.focus ? 1 : 0, faultCount) }, (_, index) =>
    drawFault({ ...stage, dice: dice.of(index, 1) }, cluster, index),
  );
  if (profile.focus?.phase === 'publishing') faults.push(longPublishing(faults.length));
  const sought = profile.focus && faults[0]?.action;
  if (sought?.kind === 'restart') faults.push(downBefore(stage, sought.target, faults.length));
  if (dice.chance('drain', drainPercent)) {
    const drain = { ...stage, dice: dice.of(0, 4), profile: { ...profile, faults: ['drain'] as const } };
    faults.push(drawFault(drain, cluster, faults.length));
  }
  if (cluster.masters > 1 && dice.chance('troubled takeover', troubledPercent)) {
    faults.push(...troubledTakeover({ ...stage, dice: dice.of(0, 6) }, cluster, faults.length));
  }
  const heal = profile.heal ? { heal: drawHealing(dice, stage, cluster) } : {};
  const all = [...jobs, ...(varies(profile, 'at-once') ? drawBeside(stage, policy) : [])];
  const scenario: Scenario = {
    name: `seed ${seed}`,
    about: profileText(profile),
    file: `seed ${seed}`,
    seed,
    variant: {},
    cluster,
    jobs: all,
    faults,
    ...heal,
    expect: expectation(all.length),
  };
  return { profile, scenario };
}

/** Few: a run that is drained is over early, and shows little else. */
const drainPercent = 2;
/** Of clusters that have somebody to take over. */
const troubledPercent = 5;

/** Invariants judge; of the outcome nothing is expected. */
function expectation(jobs: number): Scenario['expect'] {
  return {
    jobs: Array.from({ length: jobs }, () => ({ outcome: 'any' })),
    output: 'same-as-sequential',
    commits: [],
    attempts: [],
    exercised: [],
    not: [],
    withinUs: 600 * second,
  };
}

function varies({ vary }: Profile, what: Variation): boolean {
  return vary.includes(what);
}

// ---- cluster ----------------------------------------------------------------------------------------------------

const workers: Record<Profile['size'], Range> = {
  tiny: { min: 1, max: 2 },
  small: { min: 2, max: 4 },
  medium: { min: 5, max: 8 },
};
const maps: Record<Profile['size'], Range> = {
  tiny: { min: 1, max: 2 },
  small: { min: 2, max: 6 },
  medium: { min: 10, max: 16 },
};
const reduces: Record<Profile['size'], Range> = {
  tiny: { min: 1, max: 1 },
  small: { min: 1, max: 3 },
  medium: { min: 2, max: 5 },
};

const second = 1_000_000;

function drawCluster(dice: Dice, profile: Profile): ScenarioCluster {
  const workerLeaseUs = varies(profile, 'short-leases')
    ? dice.pick('lease', [1, 2, 4]) * second
    : 10 * second;
  const beatUs = Math.min(second, Math.floor(workerLeaseUs / 4));
  return {
    masters: varies(profile, 'standbys') ? dice.pick('masters', [2, 2, 3]) : 1,
    workers: dice.within('workers', workers[profile.size]),
    slots: varies(profile, 'slots') ? dice.between('slots', 2, 4) : 1,
    mapOutputs: varies(profile, 'local-files') ? 'worker' : 'shared',
    latencyUs: varies(profile, 'slow-links')
      ? dice.pick('latency', [
          { min: 5_000, max: 50_000 },
          // Jitter that a lease can just stand.
          { min: 1_000, max: Math.min(400_000, workerLeaseUs / 8) },
        ])
      : { min: 200, max: 2_000 },
    beatUs,
    suspectUs: 3 * beatUs,
    workerLeaseUs,
    reconnectUs: beatUs,
    masterLeaseUs: (varies(profile, 'short-leases') ? dice.pick('master lease', [1, 2]) : 3) * second,
    exclusionUs: (varies(profile, 'short-leases') ? dice.pick('exclusion', [1, 5]) : 30) * second,
    exclusionMaxUs: 60 * second,
    stores: varies(profile, 'stores') ? dice.pick('stores', [3, 3, 5]) : 1,
    snapshotSlots: varies(profile, 'snapshots') ? dice.pick('snapshot slots', [2, 4, 16, 64]) : 1000,
    sharing: varies(profile, 'at-once') && dice.chance('fifo', 30) ? 'fifo' : 'fair',
    clockOffsetUs: {
      min: 0,
      max: (varies(profile, 'clocks') ? dice.pick('clock offset', [1_000, 86_400]) : 0) * second,
    },
    clockDriftPercent: varies(profile, 'clocks') ? dice.pick('clock drift', [0, 0.1, 2]) : 0,
  };
}

// ---- jobs -------------------------------------------------------------------------------------------------------

const workTimes: Weighted<Range> = [
  [20, { min: 20_000, max: 80_000 }],
  [50, { min: 200_000, max: 900_000 }],
  [20, { min: 1 * second, max: 4 * second }],
  [10, { min: 500_000, max: 500_000 }],
];

function drawPolicy(dice: Dice, profile: Profile): JobPolicy {
  const impatient = varies(profile, 'time-outs');
  const speculation = varies(profile, 'speculation');
  return {
    lateReports: varies(profile, 'owner-only') ? 'owner-only' : 'first-commit',
    maxAttempts: impatient ? dice.between('attempts', 1, 4) : 4,
    // What hangs costs all of it, and it doubles each time.
    taskTimeoutUs: (impatient ? dice.pick('time-out', [6, 15]) : 30) * second,
    speculation,
    speculationAgeMinUs: speculation ? dice.pick('age', [200_000, 1 * second, 5 * second]) : 5 * second,
    skipBadRecords: varies(profile, 'skipping') && dice.chance('skip', 80),
    slowstartPermille: varies(profile, 'slowstart') ? dice.pick('slowstart', [0, 50, 500, 900]) : 1000,
  };
}

function drawJob(dice: Dice, profile: Profile, policy: JobPolicy, index: number): ScenarioJob {
  const mapCount = dice.within('maps', maps[profile.size]);
  const job: ScenarioJob = {
    run: 'modelled',
    parameters: {},
    input: modelledInput(mapCount),
    maps: mapCount,
    reduces: dice.within('reduces', reduces[profile.size]),
    mapTimeUs: dice.weighted('map time', workTimes),
    reduceTimeUs: dice.weighted('reduce time', workTimes),
    ...drawPlace(dice, index),
    policy,
    misbehaviours: [],
    poison: { lines: [], keys: [] },
  };
  const poison = policy.skipBadRecords ? drawPoison(dice, job) : job.poison;
  if (!varies(profile, 'misbehaviour')) return { ...job, poison };
  return { ...job, poison, misbehaviours: drawMisbehaviours(dice, job) };
}

/** Where bad records are skipped, there are some: a line of the input, or one of its words as a key. */
function drawPoison(dice: Dice, { input }: ScenarioJob): ScenarioJob['poison'] {
  const lines = input.flatMap((text) => text.split('\n')).filter((line) => line !== '');
  const line = dice.pick('bad line', lines);
  const key = dice.pick('bad key', line.split(' '));
  return dice.weighted('poison', [
    [40, { lines: [line], keys: [] }],
    [30, { lines: [], keys: [key] }],
    [30, { lines: [], keys: [] }],
  ]);
}

/** Later jobs often want the place of the first: only then can publishers collide. */
function drawPlace(dice: Dice, index: number): Pick<ScenarioJob, 'output' | 'overwrite'> {
  if (index === 0) return { output: 'out', overwrite: false };
  return dice.weighted('place', [
    [60, { output: 'out', overwrite: true }],
    [10, { output: 'out', overwrite: false }],
    [30, { output: `out-${index + 1}`, overwrite: false }],
  ]);
}

/** Jobs that are submitted while others run, whatever these do. Faults speak of the others, or of any. */
function drawBeside({ dice, profile, jobs, spanUs }: Stage, policy: JobPolicy): ScenarioJob[] {
  const count = dice.chance('third job', 20) ? 2 : 1;
  return Array.from({ length: count }, (_, place) => {
    const index = jobs.length + place;
    const own = dice.of(index, 5);
    const at = own.chance('with the first', 30) ? 0 : own.between('submission', 0, spanUs);
    const job = { ...drawJob(own, profile, policy, index), ...drawPlaceBeside(own, index), atUs: at };
    return own.chance('short maps', 30) ? { ...job, mapTimeUs: mapsAhead } : job;
  });
}

/** So short that workers are given them ahead of time. */
const mapsAhead: Range = { min: 1_000, max: 8_000 };

/** Mostly its own: of two that overlap, one is refused. */
function drawPlaceBeside(dice: Dice, index: number): Pick<ScenarioJob, 'output' | 'overwrite'> {
  return dice.weighted('place beside', [
    [75, { output: `out-${index + 1}`, overwrite: false }],
    [15, { output: 'out', overwrite: true }],
    [10, { output: 'out/inner', overwrite: false }],
  ]);
}

function drawMisbehaviours(dice: Dice, job: ScenarioJob): Misbehaviour[] {
  const count = dice.between('misbehaviours', 1, 2);
  const named = new Map<string, Misbehaviour>();
  for (let index = 0; index < count; index++) {
    const own = dice.of(index, 2);
    const drawn = drawTask({ dice: own, jobs: [job] }, 'misbehaving');
    // What always fails ends its job soon: mostly it is one attempt.
    const task = own.chance('always', 15) ? drawn : { ...drawn, ordinal: drawn.ordinal ?? 1 };
    const how = own.weighted<Misbehaviour['how']>('how', [
      [40, 'throws'],
      [20, 'differs'],
      [5, 'scatters'],
      [15, 'hangs'],
      [10, 'exhausts'],
      [10, 'exits'],
    ]);
    named.set(`${task.kind}-${task.index}@${task.ordinal ?? ''}`, { task, how });
  }
  return [...named.values()];
}

/** How long the jobs take when nothing goes wrong, roughly. */
function spanUs({ workers, slots }: ScenarioCluster, jobs: readonly ScenarioJob[]): number {
  let sum = 0;
  for (const { maps, reduces, mapTimeUs, reduceTimeUs } of jobs) {
    const waves = (tasks: number): number => Math.ceil(tasks / (workers * slots));
    sum += waves(maps) * mapTimeUs.max + waves(reduces) * reduceTimeUs.max + 100_000;
  }
  return sum;
}

// ---- healing ----------------------------------------------------------------------------------------------------

/** One master, all clients, and as many workers as the luck of the draw wants, at least one. */
function drawHealing(dice: Dice, { spanUs }: Stage, cluster: ScenarioCluster): Healing {
  const workers = workerNames(cluster);
  const lucky = dice.pick('lucky worker', workers);
  const chosen = workers.filter(
    (name, index) => name === lucky || dice.of(index, 3).chance('in the core', 40),
  );
  return {
    atUs: dice.between('healing time', Math.floor(spanUs / 2), 3 * spanUs + 10 * second),
    nodes: [dice.pick('lucky master', masterNames(cluster)), ...chosen],
  };
}
