import { describe, expect, it } from 'vitest';
import type { Effect } from '../../core/effects.js';
import type { MachineEvent } from '../../core/events.js';
import { Evidence } from '../../sim/evidence.js';
import type { Plants } from '../../sim/plants.js';
import { loadScenarios } from '../../sim/scenario/load.js';
import { simulate } from '../../sim/simulate.js';

const attempt = { job: 1, task: 2, epoch: 3, n: 4 };
const answer = { type: 'attempt.answer', epoch: 3, incarnation: 1, attempt, verdict: 'committed' } as const;
const heard = (session: number, message: object) =>
  ({ type: 'message.received', from: 'master-1', session, message }) as MachineEvent;
const said = (session: number, message: object) =>
  ({ type: 'message.send', to: 'worker-1', session, message }) as Effect;
const decided = (facts: Record<string, string>) =>
  ({ type: 'decide', decision: 'task-committed', attempt, facts }) as Effect;

function hashOf(node: number, now: number, event: MachineEvent, effects: Effect[]): string {
  const evidence = new Evidence();
  evidence.add(node, now, event, effects);
  return evidence.text;
}

describe('the hash of a run', () => {
  it('covers node, time, event and effects, and their order', () => {
    const event = heard(1, answer);
    const effects = [said(7, answer), decided({ task: 'map-1' })];
    const others = [
      hashOf(2, 10, event, effects),
      hashOf(1, 11, event, effects),
      hashOf(1, 10, heard(2, answer), effects),
      hashOf(1, 10, heard(1, { ...answer, verdict: 'dead' }), effects),
      hashOf(1, 10, event, [said(7, answer)]),
      hashOf(1, 10, event, [said(8, answer), decided({ task: 'map-1' })]),
      hashOf(1, 10, event, [
        said(7, { ...answer, attempt: { ...attempt, n: 5 } }),
        decided({ task: 'map-1' }),
      ]),
      hashOf(1, 10, event, [said(7, answer), decided({ task: 'map-2' })]),
      hashOf(1, 10, event, [...effects].reverse()),
    ];
    const all = [hashOf(1, 10, event, effects), ...others];
    expect(new Set(all).size).toBe(all.length);
    expect(hashOf(1, 10, event, effects)).toBe(all[0]);
  });

  const scenario = loadScenarios('{ name: x, job: { maps: 3, reduces: 1 }, expect: {} }', 'x.yaml');
  if (!scenario.ok) throw new Error(scenario.errors[0]!.message);
  /** Of a run in which every effect is changed by this before it is performed. */
  const chainWith = (change: (effect: Effect) => Effect): string => {
    const plants: Plants = { effects: (_, __, effects) => effects.map(change) };
    return simulate(scenario.scenarios[0]!, { plants }).chain;
  };
  const plain = chainWith((effect) => effect);

  it('shows what a message holds when it arrives', () => {
    const chain = chainWith((effect) =>
      effect.type === 'message.send' && effect.message.type === 'attempt.completed'
        ? { ...effect, message: { ...effect.message, counters: [['leak', 1]] } }
        : effect,
    );
    expect(chain).not.toBe(plain);
  });

  it('shows what was written when it is read', () => {
    const chain = chainWith((effect) =>
      effect.type === 'journal.append'
        ? {
            ...effect,
            records: effect.records.map((record) =>
              record.type === 'task.committed' ? { ...record, counters: [['leak', 1]] } : record,
            ),
          }
        : effect,
    );
    expect(chain).not.toBe(plain);
  });
});
