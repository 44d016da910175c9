/** Schedules that the fuzzer came upon, each of which broke a rule once. */
import { expect, test } from 'vitest';
import { loadScenarios } from '../../sim/scenario/load.js';
import { simulate } from '../../sim/simulate.js';

const found = {
  'a leader that gives way to nobody is away whenever the worker comes by, as both go by periods of nine seconds': `
seed: 2
cluster: { masters: 3, workers: 1 }
job: { maps: 1, mapTime: 4s }
policy: { lease: 4s, masterLease: 1s }
faults:
  - { when: leader-resigned, sever: all masters }
  - { at: 4s, partition: [any worker, all nodes] }
heal: { at: 22s, nodes: [master-1, worker-1] }`,
  'three leaders give way to each other, and the one that the worker can reach is away whenever it comes by': `
seed: 5
cluster: { masters: 3, workers: 1, clockDrift: 2 }
job: { maps: 1 }
policy: { lease: 4s }
faults:
  - { point: journal.after_create, partition: [all masters, all workers] }
heal: { at: 10s, nodes: [master-3, worker-1] }`,
  'a job fails, and the worker that loses an attempt by it is given another as if that were queued': `
seed: 1060762
cluster: { masters: 2, workers: 5, slots: 3, mapOutputs: worker, latency: 5ms..50ms }
jobs:
  - { maps: 7 }
  - { maps: 1 }
  - { maps: 12, mapTime: 8ms, at: 3s, output: out-3, misbehave: { map-3: throws },
      poison: { lines: [rowan birch rowan birch], keys: [] } }
  - { maps: 15, mapTime: 20ms..80ms, at: 423ms, output: out-4, misbehave: { map-5: throws } }
policy: { maxAttempts: 2 }
faults:
  - { point: journal.after_base_sync, flap: it, every: 2s }
  - { when: map-4 committed, crash: leader }
  - { when: map-4 committed, crash: its worker }`,
};

test.each(Object.entries(found))('%s', (_, text) => {
  const loaded = loadScenarios(`name: found${text}\nexpect: { job: any }\n`, 'found.yaml');
  if (!loaded.ok) throw new Error(loaded.errors[0]!.message);
  expect(simulate(loaded.scenarios[0]!).violation?.message).toBeUndefined();
});
