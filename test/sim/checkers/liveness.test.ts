import { describe, expect, it } from 'vitest';
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
