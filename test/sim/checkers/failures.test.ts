/** C19 blames what is made up (plants.test.ts), and nothing else. */
import { expect, it } from 'vitest';
import { scenarioErrorText } from '../../../sim/scenario/error.js';
import { loadScenarios } from '../../../sim/scenario/load.js';
import { simulate } from '../../../sim/simulate.js';

function play(text: string) {
  const loaded = loadScenarios(text, 'test.yaml');
  if (!loaded.ok) throw new Error(loaded.errors.map(scenarioErrorText).join('\n'));
  return simulate(loaded.scenarios[0]!);
}

it('a full disk ended the job, also when more has failed since than a job remembers', () => {
  const throwing = Array.from({ length: 11 }, (_, map) => `map-${map}: throws`).join(', ');
  const { violation, jobs } = play(`
name: many failures behind a full disk
cluster: { workers: 12, latency: 1ms }
job: { maps: 12, reduces: 1, mapTime: 1s, misbehave: { ${throwing} } }
policy: { maxAttempts: 1 }
faults:
  - { at: 1ms, fill: worker-1 }
  - { at: 300ms, slow: worker-2..worker-12, by: 1.05 }
  - { at: 900ms, lag: all masters, by: 100 }
expect: { job: failed }`);
  expect(violation).toBeUndefined();
  expect(jobs).toMatchObject([{ outcome: 'failed', reason: 'disk' }]);
});

it.each([
  ['when the leader’s clock leaps', '{ at: 3s, jump: leader, ahead: 60s }'],
  ['when the leader’s clock is fast', '{ at: 1s, drift: leader, by: 40 }'],
])('an attempt may time out early by other clocks: %s', (_, fault) => {
  const { violation, facts } = play(`
name: a clock that is not like the others
cluster: { workers: 1, masters: 1 }
job: { maps: 1, reduces: 1, misbehave: { map-0@1: hangs } }
policy: { taskTimeout: 30s, lease: 300s, masterLease: 300s }
faults: [${fault}]
expect: { attempts: { map-0: 2 } }`);
  expect(violation).toBeUndefined();
  const timedOut = facts.find(({ name }) => name === 'attempt-timed-out');
  expect(timedOut?.atUs).toBeLessThan(10_000_000);
});
