import { describe, expect, it } from 'vitest';
import { JournalChecker } from '../../sim/checkers/journal-checker.js';
import { Ledger } from '../../sim/checkers/ledger.js';
import { worldInvariants } from '../../sim/checkers/violation.js';
import { timeOfDayText } from '../../sim/scenario/duration.js';
import { loadScenarios } from '../../sim/scenario/load.js';
import type { Scenario } from '../../sim/scenario/types.js';
import { simulate } from '../../sim/simulate.js';
import type { World } from '../../sim/world.js';
import { story } from '../scenarios/stories.js';
import { SmallHost } from './small-host.js';

function scenario(text: string): Scenario {
  const loaded = loadScenarios(text, 'x.yaml');
  if (!loaded.ok) throw new Error(loaded.errors[0]!.message);
  return loaded.scenarios[0]!;
}

it('without faults each task runs once', () => {
  const { verdict, counts, jobs } = simulate(
    scenario('{ name: x, job: { maps: 7, reduces: 3 }, expect: {} }'),
  );
  expect(verdict).toBe('passed');
  expect(counts).toMatchObject({ started: 10, committed: 10 });
  expect(jobs).toMatchObject([{ outcome: 'succeeded', output: 'same-as-sequential' }]);
});

it('every built-in job can be simulated', () => {
  for (const run of ['word-count', 'inverted-index', 'modelled']) {
    const text = `{ name: x, job: { run: ${run}, maps: 2, reduces: 2, input: ["a b a\\n", "b c\\n"] }, expect: {} }`;
    expect(simulate(scenario(text)).verdict).toBe('passed');
  }
});

it('a fault that hits nothing has tested nothing', () => {
  const result = simulate(
    scenario(
      '{ name: x, faults: [ { when: worker-lost, crash: leader } ], expect: { exercised: [worker-lost] } }',
    ),
  );
  expect(result.verdict).toBe('tested-nothing');
  expect(result.unmet.map(({ kind }) => kind)).toEqual(['tested-nothing', 'tested-nothing']);
});

it('a job that cannot end, because nobody is left, is unfinished and breaks no invariant', () => {
  const result = simulate(
    scenario('{ name: x, cluster: { workers: 1 }, faults: [ { at: 300ms, crash: worker-1 } ], expect: {} }'),
  );
  expect(result.violation).toBeUndefined();
  expect(result.verdict).toBe('failed');
  expect(result.jobs).toMatchObject([{ outcome: 'unfinished' }]);
});

it('a job that ends only because a fault that lasts for good was ended at last is not as expected', () => {
  const paused = (expected: string) =>
    simulate(scenario(`{ name: x, faults: [ { at: 300ms, pause: leader } ], expect: { job: ${expected} } }`));
  const { verdict, jobs, unmet } = paused('succeeded');
  expect(verdict).toBe('failed');
  expect(jobs).toMatchObject([{ outcome: 'succeeded' }]);
  expect(unmet.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^job 1 has succeeded only after all faults had been ended, at \d/),
  ]);
  expect(paused('any').verdict).toBe('passed');
});

it.each([
  ['a fault that has an end', '{ at: 500ms, pause: worker-1, for: 5m }'],
  ['a restart to come', '{ at: 500ms, crash: worker-1, restartAfter: 5m }'],
  ['a fault that is to begin', '{ at: 500ms, crash: worker-1 }, { at: 5m, restart: worker-1 }'],
])('%s is waited for, however late', (_, faults) => {
  const work = 'cluster: { workers: 1 }, job: { maps: 2, reduces: 1, mapTime: 1s, reduceTime: 1s }';
  const { verdict, unmet, jobs } = simulate(
    scenario(`{ name: x, ${work}, faults: [ ${faults} ], expect: { job: succeeded } }`),
  );
  expect(unmet).toEqual([]);
  expect(verdict).toBe('passed');
  expect(jobs[0]!.concludedUs).toBeGreaterThan(300_000_000);
});

describe('of two faults that overlap', () => {
  const link = '[worker-1, master-1], oneWay: true';
  const oneWorker = 'cluster: { workers: 1 }, job: { maps: 1, reduces: 1, mapTime: 1s, reduceTime: 1s }';
  const patient = 'policy: { lease: 60s, suspect: 60s, beat: 20s }';
  it.each([
    [
      'one holds up what the other held up',
      `${oneWorker}, ${patient}`,
      `{ at: 500ms, partition: ${link}, for: 2s }, { at: 2400ms, partition: ${link}, for: 1s }`,
    ],
    [
      'a partition holds up what a fault has let go',
      `${oneWorker}, ${patient}`,
      `{ at: 500ms, hold: ${link}, message: attempt.completed, for: 2s }, { at: 2400ms, partition: ${link}, for: 1s }`,
    ],
    [
      'each cuts one way between two workers',
      'cluster: { workers: 2, mapOutputs: worker }, job: { maps: 4, reduces: 1, mapTime: 500ms, reduceTime: 500ms }',
      ['[worker-1, worker-2]', '[worker-2, worker-1]']
        .map((way) => `{ at: 200ms, partition: ${way}, oneWay: true, for: 2s }`)
        .join(', '),
    ],
    [
      'one has the other heard of sooner',
      'cluster: { workers: 1 }, job: { maps: 4, reduces: 1, mapTime: 1s, reduceTime: 1s }, policy: { masterLease: 60s }',
      '{ at: 500ms, blur: all masters, percent: 100, happen: 100, for: 2s }, { at: 500ms, sever: all masters, for: 2s }',
    ],
  ])('both have an effect where %s', (_, setting, faults) => {
    const { unmet } = simulate(
      scenario(`{ name: x, ${setting}, faults: [ ${faults} ], expect: { job: succeeded } }`),
    );
    expect(unmet).toEqual([]);
  });
});

it('worker 1 is leased at 12:00, revoked at 12:01, its task is reassigned at 12:03, and it reports at 12:04', () => {
  const told = ['late-worker-at-noon', 'late-worker-at-noon-owner-only'].map((name) => {
    const scenario = story(name);
    const names = ['attempt-assigned', 'attempt-revoked', 'late-report-accepted', 'late-report-refused'];
    return simulate(scenario)
      .facts.filter((fact) => fact.task === 'map-0' && names.includes(fact.name))
      .slice(0, 4)
      .map(({ atUs, name, ordinal, about }) => {
        const minute = timeOfDayText(scenario.startsUs! + atUs).slice(0, 5);
        return `${minute} ${name} ${ordinal} ${about}`;
      });
  });
  const before = [
    '12:00 attempt-assigned 1 worker-1',
    '12:01 attempt-revoked 1 worker-1',
    '12:03 attempt-assigned 2 worker-2',
  ];
  expect(told).toEqual([
    [...before, '12:04 late-report-accepted 1 worker-1'],
    [...before, '12:04 late-report-refused 1 worker-1'],
  ]);
});

it('facts that nobody waits for are made when somebody asks, and are the same', () => {
  const blind = scenario(
    '{ name: x, faults: [ { at: 300ms, crash: worker-1, restartAfter: 1s } ], expect: {} }',
  );
  let world: World | undefined;
  const observe = (observed: World) => {
    world = observed;
    return {};
  };
  const asked = simulate(blind, { observe });
  expect(world!.facts).toEqual([]);
  const kept = simulate(blind, { observe, keepsFacts: true });
  expect(kept.facts).toBe(world!.facts);
  expect(asked.facts).toEqual(kept.facts);
  expect(asked.timeline).toEqual(kept.timeline);
  expect([asked.chain, asked.steps]).toEqual([kept.chain, kept.steps]);
});

it.each([
  ['{ when: worker-lost, crash: worker-1 }', ''],
  ['{ at: 1s, crash: leader }', ''],
  ['{ at: 1s, lose: map-0 }', ''],
  ['{ at: 1s, pause: worker-1, until: worker-lost }', ''],
  ['', 'not: [worker-lost]'],
])('facts are made where something depends on them: %s %s', (fault, expectation) => {
  let made = 0;
  const { facts } = simulate(scenario(`{ name: x, faults: [ ${fault} ], expect: { ${expectation} } }`), {
    observe: (world) => ({ stepped: () => void (made = world.facts.length) }),
  });
  expect(made).toBeGreaterThan(0);
  expect(made).toBeLessThanOrEqual(facts.length);
});

it('an attempt that was given out and never began is counted, whether facts are kept or not', () => {
  const withFaults = (faults: string) =>
    scenario(`
name: x
cluster: { masters: 2 }
job: { maps: 1, reduces: 1, misbehave: { map-0@2: throws } }
faults: [${faults}]
expect: {}
`);
  const given = simulate(withFaults('')).facts.find(({ name }) => name === 'attempt-assigned')!;
  const at = `at: ${given.atUs + 50}us`; // the order is on its way
  const lost = withFaults(`{ ${at}, crash: ${given.node} }, { ${at}, crash: ${given.worker} }`);
  const { facts, chain } = simulate(lost, { keepsFacts: true });
  const begun = facts.filter(({ name, task }) => name === 'started' && task === 'map-0');
  expect(begun.map(({ ordinal }) => ordinal)).toEqual([2, 3]);
  expect(facts.filter(({ name }) => name === 'broke')).toMatchObject([{ ordinal: 2 }]);
  expect(simulate(lost).chain).toBe(chain);
});

it('a run that takes too many steps is inconclusive', () => {
  expect(simulate(story('late-worker'), { stepsMax: 50 }).verdict).toBe('inconclusive');
});

it('the steps that are told are those of the result', () => {
  let steps = 0;
  const result = simulate(story('late-worker'), { onStep: () => steps++ });
  expect(steps).toBe(result.steps);
});

describe('invariants of the journal that no plant can reach are seen to fail on their own', () => {
  const host = new SmallHost();
  const check = () =>
    new JournalChecker({ steps: 0, nowUs: 0, nodes: new Map() } as unknown as World, new Ledger());
  const entry = (slot: number, nonce: string, epoch: number, node: string) => ({
    slot,
    nonce,
    after: '',
    records: [{ type: 'leader.began', epoch, leader: { node, incarnation: 1 } } as const],
  });

  it('C1: a slot that changes', () => {
    const checker = check();
    const writer = host.life('master-1', 'master');
    checker.journalDurable(entry(1, 'a', 1, 'master-1'), writer);
    const step = { index: 1, atUs: 0, clockUs: 0, life: writer, effects: [] };
    const event = { type: 'journal.taken', slot: 1, entry: entry(1, 'b', 1, 'master-1') } as const;
    expect(() => checker.masterStepped({ ...step, event })).toThrow(/^C1:/);
  });

  it('C3: an epoch that is skipped, and a writer who does not lead', () => {
    const one = host.life('master-1', 'master');
    expect(() => check().journalDurable(entry(1, 'a', 2, 'master-1'), one)).toThrow(/^C3:/);
    const checker = check();
    checker.journalDurable(entry(1, 'a', 1, 'master-1'), one);
    const stray = { slot: 2, nonce: 'b', after: 'a', records: [] };
    expect(() => checker.journalDurable(stray, host.life('master-2', 'master'))).toThrow(/^C3:/);
  });
});

it('invariants are numbered without gaps', () => {
  expect(Object.keys(worldInvariants)).toEqual(
    Object.keys(worldInvariants).map((_, index) => `C${index + 1}`),
  );
});
