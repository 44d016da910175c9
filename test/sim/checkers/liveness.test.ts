import { describe, expect, it } from 'vitest';
import { recoveryUs, restUs } from '../../../sim/checkers/liveness.js';
import { loadScenarios } from '../../../sim/scenario/load.js';
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
  const loaded = loadScenarios(text, 'x.yaml');
  if (!loaded.ok) throw new Error(loaded.errors.map(({ message }) => message).join('\n'));
  return simulate(loaded.scenarios[0]!);
}

describe('a client cut off from a leader that its workers reach', () => {
  it('hears from the standby that its job is published', () => {
    const { jobs, violation, facts } = cutOffFromTheLeader('job accepted');
    expect(violation).toBeUndefined();
    expect(facts.filter(({ name }) => name === 'leader-began')).toHaveLength(1);
    expect(jobs).toMatchObject([{ outcome: 'succeeded' }]);
  });
});

function runUntilNever(cut: string) {
  const text = `
name: a fault that only what it prevents can end
cluster: { masters: 2, workers: 2 }
job: { maps: 3, reduces: 2 }
faults: [{ when: "job accepted", ${cut}, until: "reduce-1 committed" }]
expect: {}
`;
  const loaded = loadScenarios(text, 'x.yaml');
  if (!loaded.ok) throw new Error(loaded.errors.map(({ message }) => message).join('\n'));
  const { cluster } = loaded.scenarios[0]!;
  return { ...simulate(loaded.scenarios[0]!), restUs: restUs(cluster), recoveryUs: recoveryUs(cluster) };
}

describe('a fault that nothing can end', () => {
  it.each([
    'partition: [all masters, all workers]',
    'partition: [all masters, all workers], oneWay: true',
    'sever: all masters',
  ])('ends when the leases have run out: %s', (cut) => {
    const { verdict, jobs, virtualUs, restUs, recoveryUs } = runUntilNever(cut);
    expect({ verdict, jobs }).toMatchObject({ verdict: 'passed', jobs: [{ outcome: 'succeeded' }] });
    expect(virtualUs).toBeGreaterThan(restUs);
    expect(jobs[0]!.concludedUs).toBeLessThan(recoveryUs);
  });

  it('is waited for as long as some worker reaches some master', () => {
    const { verdict, jobs, recoveryUs } = runUntilNever('partition: [all clients, all masters]');
    expect({ verdict, jobs }).toMatchObject({ verdict: 'passed', jobs: [{ outcome: 'succeeded' }] });
    expect(jobs[0]!.concludedUs).toBeLessThan(recoveryUs);
  });
});
