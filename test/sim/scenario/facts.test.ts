import { expect, it } from 'vitest';
import type { Effect } from '../../../core/effects.js';
import type { MachineEvent } from '../../../core/events.js';
import { newFactReader, readFacts } from '../../../sim/scenario/facts.js';

const attempt = (epoch: number, n: number) => ({ job: 1, task: 0, epoch, n });
const output = { digest: 'd', bytes: 1, records: 1, inputs: '' };
const run = (epoch: number, n: number): Effect => ({
  type: 'attempt.run',
  attempt: attempt(epoch, n),
  work: 'w',
  maps: 2,
  reduces: 1,
  output: 'out',
  outputsVersion: 0,
});
const started: MachineEvent = { type: 'node.started' };

it('attempts of a task are numbered in the order in which they are first seen, over all epochs', () => {
  const reader = newFactReader();
  const of = (node: string, effects: Effect[]) =>
    readFacts(reader, { node, atUs: 0, event: started, effects });
  expect(of('worker-1', [run(1, 1)])).toMatchObject([
    { name: 'started', task: 'map-0', ordinal: 1, worker: 'worker-1' },
  ]);
  expect(of('worker-2', [run(2, 1)])).toMatchObject([
    { name: 'started', task: 'map-0', ordinal: 2, worker: 'worker-2' },
  ]);
});

it('a journal entry speaks once, when the first node learns of it', () => {
  const reader = newFactReader();
  const holder = { node: 'worker-1', incarnation: 1 };
  const committed = { type: 'task.committed', attempt: attempt(1, 1), holder, output, counters: [] } as const;
  const entry = { slot: 1, nonce: 'x', after: '', records: [committed] };
  const leader = {
    node: 'master-1',
    atUs: 5,
    event: { type: 'journal.appended', entry } as const,
    effects: [],
  };
  expect(readFacts(reader, leader)).toMatchObject([
    { name: 'committed', worker: 'worker-1', node: 'master-1' },
  ]);
  const event = { type: 'journal.entries', from: 1, entries: [entry], end: true } as const;
  expect(readFacts(reader, { node: 'master-2', atUs: 6, event, effects: [] })).toEqual([]);
});

it('a decision says which node it is about', () => {
  const effects: Effect[] = [
    { type: 'decide', decision: 'worker-lost', node: 'worker-2', facts: { end: 'silent' } },
  ];
  expect(readFacts(newFactReader(), { node: 'master-1', atUs: 0, event: started, effects })).toEqual([
    { name: 'worker-lost', atUs: 0, node: 'master-1', about: 'worker-2', detail: { end: 'silent' } },
  ]);
});
