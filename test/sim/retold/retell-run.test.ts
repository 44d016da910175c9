/** Recorded runs told as scenarios: here of simulated runs, whose traces are those of real ones. */
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { retellRun } from '../../../sim/retold/retell-run.js';
import { loadScenarios } from '../../../sim/scenario/load.js';
import type { RawScenario } from '../../../sim/scenario/schema.js';
import type { Scenario } from '../../../sim/scenario/types.js';
import { simulate } from '../../../sim/simulate.js';
import { TraceRecorder } from '../../../sim/traced.js';
import { stories, story } from '../../scenarios/stories.js';

function tracesOf(scenario: Scenario) {
  const recorder = new TraceRecorder(scenario.seed, {});
  simulate(scenario, { onStep: (step) => recorder.stepped(step) });
  return recorder.traces;
}

function retold(scenario: Scenario): { raw: RawScenario; notes: string; read: Scenario } {
  const { raw, notes } = retellRun(tracesOf(scenario), 'run-1')!;
  return { raw, notes: notes.join('\n'), read: read(stringify(raw)) };
}

function read(text: string): Scenario {
  const loaded = loadScenarios(text, 'x.yaml');
  if (!loaded.ok) throw new Error(loaded.errors[0]!.message);
  return loaded.scenarios[0]!;
}

it.each([...stories].filter(([, [one]]) => !one!.jobs[0]!.cost))(
  '%s is told as a scenario that breaks no rule',
  (_, [first]) => {
    const { read } = retold(first!);
    const { violation, jobs } = simulate(read);
    expect(violation).toBeUndefined();
    // Of those that were never accepted the journal says nothing.
    const accepted = simulate(first!).facts.filter(({ name }) => name === 'job-accepted');
    expect(jobs).toHaveLength(accepted.length);
  },
);

it('has the cluster, the policy, and the times of the attempts that were measured', () => {
  const { read, raw } = retold(story('late-worker-owner-only'));
  const { cluster, jobs } = story('late-worker-owner-only');
  const { latencyUs: _, ...known } = cluster;
  expect(read.cluster).toMatchObject(known);
  expect(read.jobs[0]).toMatchObject({
    maps: jobs[0]!.maps,
    reduces: jobs[0]!.reduces,
    policy: jobs[0]!.policy,
  });
  const { map, reduce } = rangesOf(raw);
  const [least, most] = [jobs[0]!.mapTimeUs, jobs[0]!.reduceTimeUs].map(({ min, max }) => [
    min / 1000,
    max / 1000,
  ]);
  // What lies between the work and its report is a part of the time that was measured; a pause as well.
  expect(Math.min(...map)).toBeGreaterThanOrEqual(least![0]!);
  expect(Math.min(...map)).toBeLessThan(least![1]! + 50);
  expect(Math.min(...reduce)).toBeGreaterThanOrEqual(most![0]!);
  expect(Math.max(...reduce)).toBeLessThan(most![1]! + 50);
});

/** Milliseconds of the single tasks. */
function rangesOf({ job }: RawScenario): { map: number[]; reduce: number[] } {
  const of = (kind: string): number[] =>
    Object.entries(job!.times!)
      .filter(([task]) => task.startsWith(kind))
      .map(([, time]) => (time.endsWith('ms') ? Number.parseFloat(time) : Number.parseFloat(time) * 1000));
  return { map: of('map'), reduce: of('reduce') };
}

describe('has the faults that the traces show', () => {
  it.each([
    ['worker-killed-mid-map', [{ when: /^map-\d+@1 started$/, crash: 'its worker' }]],
    ['worker-killed-and-back', [{ crash: 'its worker', restartAfter: '300ms' }, { restartAfter: '5s' }]],
    ['leader-killed-in-reduce', [{ crash: 'leader', restartAfter: /^20\d\dms$|^2s$/ }]],
    ['coordinator-killed-on-the-clock', [{ crash: 'leader' }]],
    ['late-worker', [{ when: 'map-0@1 started', pause: 'its worker', for: /^\d+ms$/ }]],
    ['old-leader-returns', [{ pause: 'leader', for: /ms$/ }]],
    ['two-of-three-stores-gone', [{ when: 'map-8@1 started', expire: 'lease' }]],
    ['drain-while-maps-run', [{ when: /started$/, drain: 'run' }]],
    ['session-broken', []],
  ])('%s', (name, faults) => {
    const { raw } = retold(stories.get(name)![0]!);
    const expected = faults.map((fault) =>
      Object.fromEntries(
        Object.entries(fault).map(([key, value]) => [
          key,
          value instanceof RegExp ? expect.stringMatching(value) : value,
        ]),
      ),
    );
    expect(raw.faults ?? []).toMatchObject(expected);
    expect(raw.faults ?? []).toHaveLength(faults.length);
  });
});

it('ends as the run did, and attempts fail that failed', () => {
  const failing = retold(story('throwing-map-for-good'));
  expect(failing.raw.job!.misbehave).toEqual({
    'map-1@1': 'throws',
    'map-1@2': 'throws',
    'map-1@3': 'throws',
  });
  expect(failing.read.expect.jobs).toEqual([{ outcome: 'failed', reason: 'task-failed' }]);
  expect(simulate(failing.read).verdict).toBe('passed');
  expect(retold(story('drain-while-maps-run')).read.expect.jobs).toEqual([{ outcome: 'drained' }]);
});

it('the attempt that failed fails again, also where one before it was given out and never began', () => {
  const { raw, read } = retold(story('order-lost-with-its-leader'));
  expect(raw.job!.misbehave).toEqual({ 'map-0@2': 'throws' });
  const broken = simulate(read).facts.filter(({ name }) => name === 'broke');
  expect(broken).toMatchObject([{ task: 'map-0', ordinal: 2, attempt: { epoch: 2, n: 1 } }]);
});

it('an attempt that was ended without progress hangs again', () => {
  const { raw, read } = retold(story('hanging-map'));
  expect(raw.job!.misbehave).toEqual({ 'map-0@1': 'hangs' });
  const { facts, verdict } = simulate(read);
  expect(verdict).toBe('passed');
  expect(facts.filter(({ name }) => name === 'failed')).toMatchObject([{ detail: { kind: 'timeout' } }]);
});

it('says what else attempts failed of, and who was excluded for it', () => {
  const { raw, notes } = retold(story('full-disk'));
  expect(raw.job!.misbehave).toBeUndefined();
  expect(notes).toMatch(
    /^not known: why attempts failed \(disk: map-\d+@1(, map-\d+@1)*\): that is not rehearsed$/m,
  );
  expect(notes).toMatch(/^not known: that workers were excluded \(worker-\d\): that is not rehearsed$/m);
  expect(retold(story('throwing-map-for-good')).notes).not.toContain('why attempts failed');
});

it('attempts whose code failed took their time as well, of which the range of the others knows nothing', () => {
  const { raw } = retold(
    read(`
name: x
cluster: { workers: 2 }
job: { maps: 2, reduces: 1, mapTime: 1s, times: { map-1@1: 3s }, misbehave: { map-1@1: throws } }
expect: {}
`),
  );
  const { times, mapTime } = raw.job!;
  expect(Object.keys(times!)).toEqual(['map-0', 'map-1@1', 'map-1@2', 'reduce-0']);
  expect(times!['map-1@1']).toMatch(/^3s$|^300\dms$/);
  expect(mapTime).toMatch(/^(1s|100\dms)(\.\.100\dms)?$/);
});

it('says what is not known', () => {
  expect(retold(story('nondeterministic-map')).notes).toContain(
    'not known: why the job failed (nondeterministic)',
  );
  expect(retold(story('poison-line')).notes).toContain('not known: which records were left out');
  expect(retold(story('poison-line')).raw.job!.misbehave).toBeUndefined();
  const early = tracesOf(story('late-worker')).map(({ header, lines }) => ({
    header,
    lines: lines.slice(0, 20),
  }));
  const { raw, notes } = retellRun(early, 'run-1')!;
  expect(notes).toContain('not known: how it ended: the traces end before that');
  expect(raw.expect).toEqual({ job: 'any' });
});

it('a life is not given up for the one before it', () => {
  expect(retold(story('one-line-file')).notes).not.toContain('although it lived');
});

it('traces without a master tell of no job', () => {
  const workers = tracesOf(story('late-worker')).filter(({ header }) => header.setup.role === 'worker');
  expect(retellRun(workers, 'run-1')).toBeUndefined();
});

it('a job without a reduce is told with maps alone, and one short reduce', () => {
  const traces = tracesOf(story('worker-killed-mid-map'));
  // As such a job is submitted: its tasks are reduces without maps, and the core calls them maps.
  const text = JSON.stringify(traces).replaceAll('"maps":6,"reduces":2', '"maps":0,"reduces":8');
  const { raw, notes } = retellRun(JSON.parse(text), 'run-1')!;
  expect(raw.job).toMatchObject({ maps: 8, reduceTime: '1ms' });
  expect(Object.keys(raw.job!.times!).every((task) => task.startsWith('map-'))).toBe(true);
  expect(loadScenarios(stringify(raw), 'x.yaml').ok).toBe(true);
  expect(notes.join('\n')).toContain('how a job without a reduce goes');
});

it('a fault that came at a repeated event waits for what lay between, and hits the same leader again', () => {
  const { raw, read: told } = retold(
    read(`
name: x
cluster: { masters: 3, workers: 2 }
job: { maps: 4, reduces: 1 }
faults:
  - { when: "map-0@1 committed", crash: leader }
  - { when: leader-began, after: node-crashed, crash: leader }
expect: {}
`),
  );
  expect(raw.faults).toEqual([
    { when: 'map-0@1 committed', crash: 'leader' },
    { when: 'leader-began', after: expect.stringMatching(/^(job-accepted|map-\d@1 \w+)$/), crash: 'leader' },
  ]);
  for (const seed of ['1', '2', '3', '4', '5', '6']) {
    const { facts, verdict } = simulate(told, { seed });
    expect(verdict).toBe('passed');
    const story = facts.filter(({ name }) => name === 'leader-began' || name === 'node-crashed');
    expect(story.map(({ name }) => name)).toEqual([
      'leader-began',
      'node-crashed',
      'leader-began',
      'node-crashed',
      'leader-began',
    ]);
    const before = facts.slice(0, facts.indexOf(story[1]!));
    expect(before.some(({ name, task }) => name === 'committed' && task === 'map-0')).toBe(true);
  }
});

it('a fault at a repeated event with nothing between has a time', () => {
  const { raw } = retold(
    read(`
name: x
cluster: { masters: 3, workers: 2 }
job: { maps: 4, reduces: 1 }
faults:
  - { when: leader-began, crash: leader }
  - { when: leader-began, after: node-crashed, crash: leader }
expect: {}
`),
  );
  expect(raw.faults).toEqual([
    { when: 'leader-began', crash: 'leader' },
    { at: expect.stringMatching(/^\d+ms$/), crash: 'leader' },
  ]);
});

it('what cost a leader its lease comes before another one leads', () => {
  const { raw, read: told } = retold(story('two-standbys-race'));
  expect(raw.faults).toMatchObject([
    { when: 'map-1@1 started', pause: 'leader' },
    { when: 'leader-began', after: 'map-1@1 started', expire: 'lease' },
    { at: expect.stringMatching(/^\d+ms$/), pause: 'leader' },
  ]);
  for (const seed of ['1', '2', '3', '4', '5', '6']) expect(simulate(told, { seed }).verdict).toBe('passed');
});

it('of masters that ended together each goes by its own name, whoever leads', () => {
  const { raw, read: told } = retold(
    read(`
name: x
cluster: { masters: 2, workers: 2 }
job: { maps: 4, reduces: 1, mapTime: 2s }
faults:
  - { when: "map-1@1 started", crash: master-1, restartAfter: 4s }
  - { when: "map-1@1 started", crash: master-2, restartAfter: 4s }
expect: {}
`),
  );
  expect(raw.faults!.map(({ crash }) => crash).sort()).toEqual(['master-1', 'master-2']);
  const leaders = new Set<string>();
  for (const seed of ['1', '2', '3', '4', '5', '6', '7', '8']) {
    const { facts, verdict } = simulate(told, { seed });
    leaders.add(facts.find(({ name }) => name === 'leader-began')!.node);
    expect(verdict).toBe('passed');
  }
  expect(leaders.size).toBe(2);
});

it('a worker that is back before it was given up was cut off by nothing', () => {
  const { raw, notes } = retold(
    read(`
name: x
cluster: { workers: 2 }
job: { maps: 4, reduces: 1, mapTime: 2s }
faults:
  - { when: "map-1@1 started", crash: its worker, restartAfter: 300ms }
expect: {}
`),
  );
  expect(raw.faults).toEqual([{ when: 'map-1@1 started', crash: 'its worker', restartAfter: '300ms' }]);
  expect(notes).toMatch(
    /^fault 1: worker-\d was killed and came back 300 ms later; why is not known\nnot known: /,
  );
});

it('nodes that ended together are named, and end together again', () => {
  const text = `
name: x
cluster: { masters: 2, workers: 2 }
job: { maps: 4, reduces: 1, mapTime: 2s }
faults:
  - { when: "map-1@1 started", crash: worker-1, restartAfter: 4s }
  - { when: "map-1@1 started", crash: worker-2, restartAfter: 4s }
  - { when: "map-1@1 started", crash: leader, restartAfter: 4s }
expect: {}
`;
  const { raw, read: told } = retold(read(text));
  expect(raw.faults!.map(({ crash }) => crash).sort()).toEqual(['leader', 'worker-1', 'worker-2']);
  expect(new Set(raw.faults!.map(({ when }) => when)).size).toBe(1);
  for (const seed of ['1', '2', '3', '4', '5', '6']) expect(simulate(told, { seed }).verdict).toBe('passed');
});

it('workers that ended together are named, whether they came back or not', () => {
  for (const seed of ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']) {
    const { raw, read: told } = retold({ ...story('all-workers-dead-and-one-back'), seed });
    expect(raw.faults!.map(({ crash }) => crash).sort()).toEqual(['worker-1', 'worker-2', 'worker-3']);
    expect(new Set(raw.faults!.map(({ when }) => when)).size).toBe(1);
    expect(simulate(told).verdict).toBe('passed');
  }
});

it('messages are as slow as they were, and what follows from that is no fault', () => {
  for (const seed of ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']) {
    const { raw, notes, read: told } = retold({ ...story('lease-too-short-healthy'), seed });
    expect(told.cluster.latencyUs.min).toBeGreaterThanOrEqual(20_000);
    expect(told.cluster.latencyUs.min).toBeLessThan(60_000);
    expect(told.cluster.latencyUs.max).toBeGreaterThan(200_000);
    expect(told.cluster.latencyUs.max).toBeLessThanOrEqual(250_000);
    expect(raw.faults).toBeUndefined();
    expect(notes).toContain('not known: what the store did: as by default');
    const { facts, verdict } = simulate(told);
    expect(verdict).toBe('passed');
    expect(facts.map(({ name }) => name)).toContain('worker-lease-expired');
  }
});

it.each([
  ['late-worker', ''],
  ['clocks-that-disagree', 'leader'],
])(
  'messages take as long as by default where they were fast, and where clocks do not say: %s',
  (name, variant) => {
    for (const seed of ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']) {
      const { notes, read: told } = retold({ ...story(name, variant), seed });
      expect(told.cluster.latencyUs).toEqual({ min: 200, max: 2000 });
      expect(notes).toContain('not known: how long messages took, and what the store did: as by default');
    }
  },
);

it('jobs that ran at once do so again, and one that came after another waits for it', () => {
  for (const seed of ['1', '2', '3', '4', '5']) {
    const { read: told } = retold({ ...story('drain-while-two-jobs-run'), seed });
    const [first, second] = told.jobs;
    expect(first!.atUs).toBeUndefined();
    expect(second!.atUs).toBeGreaterThanOrEqual(500_000);
    expect(second!.atUs).toBeLessThan(1_500_000);
    expect(simulate(told).verdict).toBe('passed');
  }
  const { read: told } = retold(story('store-restored-and-the-next-job'));
  expect(told.jobs.map(({ atUs }) => atUs)).toEqual(told.jobs.map(() => undefined));
  expect(told.jobs.length).toBe(2);
});
