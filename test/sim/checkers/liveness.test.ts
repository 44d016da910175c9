import { describe, expect, it } from 'vitest';
import { loadScenarios } from '../../../sim/scenario/load.js';
import type { Scenario } from '../../../sim/scenario/types.js';
import { simulate } from '../../../sim/simulate.js';

/**
 * The core is healed while `master-1`, outside of it, leads and has workers, and the client cannot reach `master-1`. So
 * only `master-2`, which follows the journal, can tell the client what became of its job.
 */
function cutOffFromTheLeader(when: string) {
  const text = `
name: a client that reaches only a standby
cluster: { masters: 2, workers: 2 }
job: { maps: 3, reduces: 2 }
faults: [{ when: "${when}", partition: [client-1, master-1] }]
heal: { at: 20s, nodes: [master-2, worker-1] }
expect: {}
`;
  return simulate(load(text));
}

/** At the time of the healing `master-1` leads outside of the core, and its last worker's sessions break all the time. */
const ledByFits = `
name: a leader outside of the core, whose worker comes and goes
cluster: { masters: 2, workers: 2 }
job: { maps: 1, reduces: 1 }
policy: { reconnect: 100ms }
faults:
  - { at: 0s, pause: master-2, for: 2s }
  - { at: 0s, partition: [client-1, master-1] }
  - { at: 0s, partition: [worker-1, master-1] }
  - { at: 2s, flap: worker-2, every: 800ms }
heal: { at: 5s, nodes: [master-2, worker-1] }
expect: { job: any }
`;

function load(text: string): Scenario {
  const loaded = loadScenarios(text, 'x.yaml');
  if (!loaded.ok) throw new Error(loaded.errors.map(({ message }) => message).join('\n'));
  return loaded.scenarios[0]!;
}

describe('a client cut off from a leader that its workers reach', () => {
  it('hears from the standby that its job is published', () => {
    const { jobs, violation, facts } = cutOffFromTheLeader('job accepted');
    expect(violation).toBeUndefined();
    expect(facts.filter(({ name }) => name === 'leader-began')).toHaveLength(1);
    expect(jobs).toMatchObject([{ outcome: 'succeeded' }]);
  });
});

describe('a core that is led from outside by fits and starts', () => {
  it.each([false, true])('is not blamed for that, whether facts are kept or not: %s', (keepsFacts) => {
    expect(simulate(load(ledByFits), { keepsFacts }).violation).toBeUndefined();
  });
});

describe('a node that died before it had begun', () => {
  it.each(['worker-1', 'master-1', 'client-1'])('is started by the healing: %s', (node) => {
    const text = `
name: dead from the start
cluster: { workers: 1 }
faults: [{ at: 0s, crash: ${node} }]
heal: { at: 5s, nodes: [master-1, worker-1] }
expect: {}
`;
    expect(simulate(load(text))).toMatchObject({ verdict: 'passed', jobs: [{ outcome: 'succeeded' }] });
  });

  it('is not started while its turn has not come', () => {
    const text = `
name: healed while the first job runs
cluster: { workers: 1 }
jobs: [{ output: a, mapTime: 2s }, { output: b }]
faults: [{ at: 1s, pause: worker-1 }]
heal: { at: 2s, nodes: [master-1, worker-1] }
expect: {}
`;
    const { verdict, jobs, facts } = simulate(load(text), { keepsFacts: true });
    const accepted = facts.filter(({ name }) => name === 'job-accepted').map(({ atUs }) => atUs);
    expect(verdict).toBe('passed');
    expect(accepted[1]).toBeGreaterThan(jobs[0]!.concludedUs);
  });
});
