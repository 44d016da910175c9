import { expect, it } from 'vitest';
import { checkExpectations, type JobOutcome } from '../../../sim/scenario/expectations.js';
import type { Fact } from '../../../sim/scenario/facts.js';
import { loadScenarios } from '../../../sim/scenario/load.js';

function check(expectation: string, jobs: readonly JobOutcome[], facts: readonly Fact[] = [], faults = '[]') {
  const loaded = loadScenarios(`name: x\nfaults: ${faults}\nexpect: ${expectation}`, 'x.yaml');
  if (!loaded.ok) throw new Error(loaded.errors[0]!.message);
  return checkExpectations(loaded.scenarios[0]!, { facts, jobs, effective: new Set() }).map(
    ({ kind, message }) => `${kind}: ${message}`,
  );
}

const good: JobOutcome = { outcome: 'succeeded', concludedUs: 1_000_000, output: 'same-as-sequential' };
const committed: Fact = { name: 'committed', atUs: 0, node: 'master-1', job: 1, task: 'map-0', ordinal: 1 };

it('a job that ends as expected is no problem', () => {
  expect(check('{ job: succeeded, commits: { map-0: 1 }, within: 2s }', [good], [committed])).toEqual([]);
});

it('another outcome, another reason, a late end and another output are told', () => {
  const failed: JobOutcome = { outcome: 'failed', reason: 'disk', message: 'full', concludedUs: 0 };
  expect(check('{ job: succeeded }', [failed])).toEqual([
    'unmet: job 1 was expected to have succeeded, but it is failed: full',
  ]);
  expect(check('{ job: failed, reason: nondeterministic }', [failed])).toEqual([
    'unmet: job 1 failed as disk, expected was nondeterministic: full',
  ]);
  expect(check('{ within: 500ms }', [good])).toEqual([
    'unmet: job 1 ended after 1 s, expected was within 500 ms',
  ]);
  expect(check('{}', [{ ...good, output: 'some-sequential' }])).toEqual([
    'unmet: the output of job 1 is some-sequential, expected was same-as-sequential',
  ]);
  expect(check('{ output: some-sequential }', [{ ...good, output: 'some-sequential' }])).toEqual([]);
});

it('a wrong number of commits and a forbidden fact are told', () => {
  expect(check('{ commits: { map-0: 1 }, not: [committed] }', [good], [committed, committed])).toEqual([
    'unmet: map-0 has 2 commits, expected were 1',
    'unmet: committed occurred and must not',
  ]);
});

it('what was not exercised, and a fault without effect, tested nothing', () => {
  expect(check('{ exercised: [worker-lost] }', [good], [], '[ { at: 1s, crash: worker-1 } ]')).toEqual([
    'tested-nothing: worker-lost did not occur',
    'tested-nothing: fault 1 (crash worker-1 at 1s) had no effect',
  ]);
});
