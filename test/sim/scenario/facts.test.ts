import { expect, it } from 'vitest';
import type { Effect } from '../../../core/effects.js';
import type { MachineEvent } from '../../../core/events.js';
import { drawScenario } from '../../../sim/fuzz/draw.js';
import { factAbout } from '../../../sim/scenario/fact-names.js';
import { countAssigned, newFactReader, ordinalOf, readFacts } from '../../../sim/scenario/facts.js';
import { simulate } from '../../../sim/simulate.js';

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

it('attempts of a task are numbered in the order in which they are given out, over all epochs', () => {
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

it('an attempt that was given out and never began is counted', () => {
  const reader = newFactReader();
  const assigned: Effect = {
    type: 'decide',
    decision: 'attempt-assigned',
    attempt: attempt(1, 1),
    node: 'w',
  };
  countAssigned(reader, assigned);
  expect([ordinalOf(reader, attempt(2, 1)), ordinalOf(reader, attempt(1, 1))]).toEqual([2, 1]);
});

it('an attempt that is heard of before an earlier one of its leader comes after it', () => {
  const reader = newFactReader();
  const ordinals = [attempt(1, 3), attempt(1, 2), attempt(2, 1)].map((one) => ordinalOf(reader, one));
  expect(ordinals).toEqual([3, 2, 4]);
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

it('is about no more than its name promises: else a pattern that can match would be refused', () => {
  const strange = new Set<string>();
  for (let seed = 1; seed <= 150; seed++) {
    const { scenario } = drawScenario(String(seed));
    for (const { name, job, task } of simulate(scenario, { keepsFacts: true, stepsMax: 20_000 }).facts) {
      const about = factAbout[name];
      if (task !== undefined && about !== 'attempt') strange.add(`${name} has a task`);
      if (job !== undefined && about === 'node') strange.add(`${name} has a job`);
    }
  }
  expect([...strange]).toEqual([]);
});

it('what user code says of its failure is cut at the end of its line, and between characters', () => {
  const messageOf = (message: string) => {
    const failure = { kind: 'user', message } as const;
    const event = { type: 'attempt.broke', attempt: attempt(1, 1), failure } as const;
    return readFacts(newFactReader(), { node: 'worker-1', atUs: 0, event, effects: [] })[0]!.detail!.message;
  };
  expect(messageOf('first\r\nsecond')).toBe('first');
  expect(messageOf('first\rsecond')).toBe('first');
  expect(messageOf(`${'x'.repeat(199)}😀😀`)).toBe(`${'x'.repeat(199)}😀`);
  expect(messageOf('😀'.repeat(300))).toBe('😀'.repeat(200));
});
