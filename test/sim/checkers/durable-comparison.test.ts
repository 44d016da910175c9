import { describe, expect, it } from 'vitest';
import { applyEntry } from '../../../core/durable/apply.js';
import { type DurableState, emptyDurable } from '../../../core/durable/state.js';
import type { JournalEntry, JournalRecord, TaskCommitted } from '../../../core/records.js';
import { sameAfter, sameState } from '../../../sim/checkers/durable-comparison.js';
import { specOf } from '../../core/bench.js';

const holder = { node: 'worker-1', incarnation: 1 };
const committed: TaskCommitted = {
  type: 'task.committed',
  attempt: { job: 1, task: 0, epoch: 1, n: 1 },
  holder,
  output: { digest: 'd', bytes: 1, records: 1, inputs: '' },
  counters: [['words', 3]],
};
const failure = { kind: 'user', message: 'boom' } as const;
const records: JournalRecord[] = [
  { type: 'leader.began', epoch: 1, leader: { node: 'master-1', incarnation: 1 } },
  { type: 'job.accepted', job: 1, requestId: 'request-1', spec: specOf() },
  committed,
  {
    type: 'attempt.failed',
    attempt: { job: 1, task: 1, epoch: 1, n: 1 },
    node: 'worker-1',
    failure,
    counted: true,
  },
];

function folded(): DurableState {
  const state = emptyDurable();
  for (const [index, record] of records.entries()) {
    const entry: JournalEntry = {
      slot: index + 1,
      nonce: `n${index + 1}`,
      after: state.nonce,
      records: [record],
    };
    applyEntry(state, entry);
  }
  return state;
}

const tampered: [string, (state: DurableState) => void][] = [
  ['slot', (state) => state.slot++],
  ['nonce', (state) => (state.nonce = 'x')],
  ['epoch', (state) => state.epoch++],
  ['leader', (state) => (state.leader = { node: 'master-2', incarnation: 1 })],
  ['count of jobs', (state) => state.jobs.push(state.jobs[0]!)],
  ['phase', (state) => (state.jobs[0]!.phase = 'publishing')],
  ['count of maps', (state) => state.jobs[0]!.mapsCommitted++],
  ['generation', (state) => state.jobs[0]!.generation.a++],
  ['failures', (state) => state.jobs[0]!.failures.pop()],
  ['validity', (state) => (state.jobs[0]!.commits[0]!.valid = false)],
  ['commit', (state) => (state.jobs[0]!.commits[0] = undefined)],
  ['holder', (state) => Object.assign(state.jobs[0]!.commits[0]!, { holder: { ...holder, incarnation: 2 } })],
  ['trouble', (state) => state.jobs[0]!.troubles.get(1)!.failed++],
  ['dead attempt', (state) => state.jobs[0]!.troubles.get(1)!.dead.pop()],
  ['trouble of a task', (state) => state.jobs[0]!.troubles.delete(1)],
];

describe('two foldings of one journal', () => {
  it('are the same, also when one of them went through a snapshot', () => {
    expect(sameState(folded(), folded())).toBe(true);
    expect(sameAfter(folded(), folded(), records)).toBe(true);
    expect(sameAfter(folded(), structuredClone(folded()), records)).toBe(true);
  });

  it.each(tampered)('differ by the %s of one of them', (_, tamper) => {
    const other = folded();
    tamper(other);
    expect(sameState(folded(), other)).toBe(false);
    expect(sameAfter(folded(), other, records)).toBe(false);
    expect(sameAfter(other, folded(), records)).toBe(false);
  });

  it('are only compared where records have touched them', () => {
    const other = folded();
    other.jobs[0]!.commits[0]!.valid = false;
    expect(sameAfter(folded(), other, records.slice(0, 1))).toBe(true);
  });
});
