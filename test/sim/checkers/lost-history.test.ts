/** What was said and done by a history that the store has lost afterwards is held against nobody. Found by drawn schedules. */
import { expect, test } from 'vitest';
import { loadScenarios } from '../../../sim/scenario/load.js';
import { simulate } from '../../../sim/simulate.js';

const found = {
  'a map is invalidated, and its file deleted, by records that are lost': `
seed: 1
cluster: { workers: 3, slots: 2, mapOutputs: worker, latency: 1ms..250ms }
job: { maps: 3, reduces: 3 }
policy: { lease: 2s }
faults:
  - { when: reduce-2@1 finished, rewind: journal, slots: 1 }
  - { point: attempt.after_write_before_report, task: map-1@1, jump: it, ahead: 10s }
  - { when: reduce-2@1 attempt-assigned, drift: master-1, by: 2 }`,
  'a job is lost, and its worker hears so when the next one with its number is on its way': `
seed: 1044856
cluster: { workers: 1, latency: 5ms..50ms, clockDrift: 2 }
jobs: [{ maps: 1, mapTime: 80ms }, { maps: 1 }]
policy: { lease: 1s }
faults: [{ when: reduce-0@1 committed, rewind: journal, slots: 4 }]`,
  'an output is in place, and the reduce that answered otherwise for it has lost its file since': `
seed: 1
cluster: { masters: 2, workers: 1, latency: 5ms..50ms }
job: { maps: 5, misbehave: { reduce-0@1: differs } }
faults:
  - { point: publish.after_rename, rewind: journal, slots: 8 }
  - { when: job-publishing, crash: leader }`,
};

test.each(Object.entries(found))('%s', (_, text) => {
  const loaded = loadScenarios(`name: found${text}\nexpect: { job: any }\n`, 'found.yaml');
  if (!loaded.ok) throw new Error(loaded.errors[0]!.message);
  const result = simulate(loaded.scenarios[0]!);
  expect(result.violation?.message).toBeUndefined();
  expect(result.facts.map(({ name }) => name)).toContain('store-went-back');
});
