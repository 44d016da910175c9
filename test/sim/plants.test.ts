/** Planted bugs: each must be caught, by the invariant that names its cause. Without its bug, each scenario passes. */
import { describe, expect, it } from 'vitest';
import { packState, unpackState } from '../../core/durable/snapshot.js';
import type { Effect } from '../../core/effects.js';
import { generationText } from '../../core/generation.js';
import { type AttemptId, sameAttempt } from '../../core/ids.js';
import type { MasterState } from '../../core/master/state.js';
import type { JournalRecord } from '../../core/records.js';
import type { Life } from '../../sim/nodes.js';
import type { Plants } from '../../sim/plants.js';
import { scenarioErrorText } from '../../sim/scenario/error.js';
import { loadScenarios } from '../../sim/scenario/load.js';
import type { Scenario } from '../../sim/scenario/types.js';
import { simulate } from '../../sim/simulate.js';
import { story } from '../scenarios/stories.js';

interface Planted {
  readonly sentence: string;
  readonly scenario: Scenario;
  readonly caughtBy: string;
  readonly plants: () => Plants;
}

function scenario(text: string): Scenario {
  const loaded = loadScenarios(text, 'test.yaml');
  if (!loaded.ok) throw new Error(loaded.errors.map(scenarioErrorText).join('\n'));
  return loaded.scenarios[0]!;
}

const calm = scenario('{ name: calm, job: { maps: 3, reduces: 2 }, expect: {} }');

/** Changes every message of one type that masters send. */
function changing(
  kind: Life['node']['kind'],
  change: (effect: Effect, life: Life) => Effect | readonly Effect[],
): Plants {
  return {
    effects: (life, _, effects) =>
      life.node.kind === kind ? effects.flatMap((effect) => change(effect, life)) : effects,
  };
}

function append(
  effect: Effect,
  records: (before: readonly JournalRecord[]) => readonly JournalRecord[],
): Effect {
  return effect.type === 'journal.append' ? { ...effect, records: records(effect.records) } : effect;
}

/** A late completion, refused at first, is smuggled into the next batch. */
function lateCompletionCommitted(): Plants {
  const reports = new Map<string, JournalRecord>();
  let late: AttemptId | undefined;
  return {
    event: (life, event) => {
      if (event.type === 'message.received' && event.message.type === 'worker.hello') {
        const { incarnation, finished } = event.message;
        for (const { attempt, output, counters } of finished) {
          const holder = { node: event.from, incarnation };
          reports.set(String(attempt.task), { type: 'task.committed', attempt, holder, output, counters });
        }
      }
      return life.ended ? undefined : event;
    },
    effects: (_, __, effects) => {
      const refused = effects.find(
        (effect) => effect.type === 'decide' && effect.decision === 'late-report-refused',
      );
      if (refused?.type === 'decide') late = refused.attempt;
      return effects.map((effect) => {
        const record = late && reports.get(String(late.task));
        if (!record || effect.type !== 'journal.append') return effect;
        late = undefined;
        return append(effect, (before) => [...before, record]);
      });
    },
  };
}

/** Two masters, and a worker with room that has heard both. */
const twoLeaders = scenario(`
name: a worker with room meets an old leader
seed: 8
cluster: { masters: 2, workers: 2, slots: 2 }
job: { maps: 6, reduces: 1, mapTime: 3s }
policy: { masterLease: 10s }
faults:
  - { when: "map-2@1 started", expire: lease }
  - { when: "leader began", after: lease-taken-away, drop: worker-1 }
  - { when: "leader began", after: lease-taken-away, drop: worker-2 }
  - { when: "map-3 committed", after: session-dropped, drop: "its worker" }
expect: {}
`);

/** A single master that writes many snapshots. */
const snapshots = scenario(`
name: snapshots
cluster: { snapshotSlots: 3 }
job: { maps: 12, reduces: 1, mapTime: 300ms..500ms }
expect: {}
`);

/** Workers take every order as if it came from the highest epoch they know, and warn nobody of what they have heard. */
function obeysAnyEpoch(): Plants {
  const heard = new Map<Life, number>();
  return {
    event: (life, event) => {
      if (life.node.kind !== 'worker' || event.type !== 'message.received' || !('epoch' in event.message))
        return event;
      const epoch = Math.max(heard.get(life) ?? 0, event.message.epoch);
      heard.set(life, epoch);
      return { ...event, message: { ...event.message, epoch } } as typeof event;
    },
    effects: (_, __, effects) =>
      effects.map((effect) => {
        if (effect.type !== 'message.send' || effect.message.type !== 'worker.hello') return effect;
        return { ...effect, message: { ...effect.message, epochSeen: 0, slotSeen: 0 } } as Effect;
      }),
  };
}

/** A reduce that has read an old generation of a map says that it has read the present one, and nobody stops it. */
function forgesItsInputs(): Plants {
  let leader: MasterState | undefined;
  return {
    event: (life, event) => {
      if (life.node.kind === 'master') leader = life.machine.state as MasterState;
      if (event.type === 'message.received' && event.message.type === 'attempt.revoke') return undefined;
      if (event.type !== 'attempt.finished' || event.output.inputs === '' || !leader) return event;
      const inputs = generationText(leader.durable.jobs[0]!.generation);
      return { ...event, output: { ...event.output, inputs } };
    },
  };
}

/** One reduce reads its input early, the other late; between them the map is lost and made again differently. */
const mixing = scenario(`
name: a map changes between the reading of two reduces
cluster: { workers: 3 }
job: { maps: 2, reduces: 2, mapTime: 300ms, reduceTime: 4s, misbehave: { map-0: differs } }
policy: { lease: 60s }
faults:
  - { when: "reduce-1@1 started", pause: "its worker", for: 2s }
  - { at: 2300ms, lose: map-0 }
expect: { job: succeeded, output: any }
`);

const planted: readonly Planted[] = [
  {
    sentence: 'a late completion is committed a second time',
    scenario: story('late-worker'),
    caughtBy: 'M1',
    plants: lateCompletionCommitted,
  },
  {
    sentence: 'a late completion is counted twice',
    scenario: story('late-worker'),
    caughtBy: 'C6',
    plants: () =>
      changing('master', (effect) => {
        if (effect.type !== 'message.send' || effect.message.type !== 'job.status') return effect;
        const counters = effect.message.counters.map(([name, value]) => [name, 2 * value] as const);
        return { ...effect, message: { ...effect.message, counters } };
      }),
  },
  {
    sentence: 'an append is acknowledged before its sync',
    scenario: calm,
    caughtBy: 'C2',
    plants: () => ({ acknowledgeBeforeSync: true }),
  },
  {
    sentence: 'a batch grows while its fate is unknown',
    scenario: story('answer-of-an-append-lost'),
    caughtBy: 'C16',
    plants: () => {
      const sent = new Set<string>();
      return changing('master', (effect) => {
        if (effect.type !== 'journal.append' || !sent.has(effect.nonce)) {
          if (effect.type === 'journal.append') sent.add(effect.nonce);
          return effect;
        }
        return append(effect, (records) => [...records, ...records]);
      });
    },
  },
  {
    sentence: 'a worker obeys a lower epoch',
    scenario: twoLeaders,
    caughtBy: 'C12',
    plants: obeysAnyEpoch,
  },
  {
    sentence: 'a reduce hides that it has read another generation of a map',
    scenario: mixing,
    caughtBy: 'C5',
    plants: forgesItsInputs,
  },
  {
    sentence: 'a job is ended twice',
    scenario: calm,
    caughtBy: 'C9',
    plants: () =>
      changing('master', (effect) =>
        append(effect, (records) =>
          records[0]?.type === 'job.published' ? [...records, ...records] : records,
        ),
      ),
  },
  {
    sentence: 'a master keeps in its durable state what is in no journal',
    scenario: calm,
    caughtBy: 'C10',
    plants: () =>
      changing('master', (effect, life) => {
        const { jobs } = (life.machine.state as MasterState).durable;
        if (jobs[0]?.phase === 'published') jobs[0].failures.length = 1;
        return effect;
      }),
  },
  {
    sentence: 'a worker reports an attempt that it did not run',
    scenario: calm,
    caughtBy: 'C11',
    plants: () =>
      changing('worker', (effect) => {
        if (effect.type !== 'message.send' || effect.message.type !== 'attempt.completed') return effect;
        const attempt = { ...effect.message.attempt, n: 7 };
        return { ...effect, message: { ...effect.message, attempt } };
      }),
  },
  {
    sentence: 'no master hears of completions',
    scenario: calm,
    caughtBy: 'C13',
    plants: () => ({
      event: (_, event) =>
        event.type === 'message.received' && event.message.type === 'attempt.completed' ? undefined : event,
    }),
  },
  {
    sentence: 'a late report is answered as committed',
    scenario: story('late-worker'),
    caughtBy: 'C14',
    plants: () =>
      changing('master', (effect) => {
        if (effect.type !== 'message.send' || effect.message.type !== 'attempt.answer') return effect;
        return { ...effect, message: { ...effect.message, verdict: 'committed' } };
      }),
  },
  {
    sentence: 'the parts of an output are published in the wrong order',
    scenario: calm,
    caughtBy: 'C15',
    plants: () =>
      changing('master', (effect) =>
        effect.type === 'output.publish' ? { ...effect, parts: effect.parts.toReversed() } : effect,
      ),
  },
  {
    sentence: 'an attempt is begun twice',
    scenario: calm,
    caughtBy: 'C17',
    plants: () => changing('worker', (effect) => (effect.type === 'attempt.run' ? [effect, effect] : effect)),
  },
  {
    sentence: 'a store forgets what it had confirmed, and workers do not say what they have heard',
    scenario: story('store-forgets-in-a-failover'),
    caughtBy: 'C2',
    plants: () =>
      changing('worker', (effect) => {
        if (effect.type !== 'message.send' || effect.message.type !== 'worker.hello') return effect;
        return { ...effect, message: { ...effect.message, epochSeen: 0, slotSeen: 0 } };
      }),
  },
  {
    sentence: 'a snapshot leaves something out',
    scenario: snapshots,
    caughtBy: 'C18',
    plants: () =>
      changing('master', (effect) => {
        const [record] = effect.type === 'journal.append' ? effect.records : [];
        if (effect.type !== 'journal.append' || record?.type !== 'snapshot') return effect;
        const state = unpackState(record.text);
        state.jobs[0]!.commits[0] = undefined;
        return { ...effect, records: [{ ...record, text: packState(state) }] };
      }),
  },
  ...(['limit', 'output-overlaps', 'gone'] as const).map((reason) => ({
    sentence: `a submit is refused for no reason: ${reason}`,
    scenario: calm,
    caughtBy: 'C14',
    plants: () =>
      changing('master', (effect) => {
        if (effect.type !== 'message.send' || effect.message.type !== 'job.status') return effect;
        const { epoch, requestId, slot } = effect.message;
        return {
          ...effect,
          message: { type: 'job.refused', epoch, requestId, slot, reason, message: 'made up' },
        };
      }),
  })),
  {
    sentence: 'an attempt that is done is reported as failed',
    scenario: calm,
    caughtBy: 'C19',
    plants: () =>
      changing('worker', (effect) => {
        if (effect.type !== 'message.send' || effect.message.type !== 'attempt.completed') return effect;
        const { incarnation, credit, attempt } = effect.message;
        const failure = { kind: 'user', message: 'made up' } as const;
        return { ...effect, message: { type: 'attempt.ended', incarnation, credit, attempt, failure } };
      }),
  },
  {
    sentence: 'what is done is written down as having timed out',
    scenario: calm,
    caughtBy: 'C19',
    plants: () =>
      changing('master', (effect) =>
        append(effect, (before) =>
          before.map((record): JournalRecord => {
            if (record.type !== 'task.committed') return record;
            const { attempt, holder } = record;
            const failure = { kind: 'timeout', message: 'made up' } as const;
            return { type: 'attempt.failed', attempt, node: holder.node, failure, counted: true };
          }),
        ),
      ),
  },
  {
    sentence: 'one death of a worker is taken for many',
    scenario: scenario(`
name: a worker dies once
cluster: { workers: 1 }
job: { maps: 1, reduces: 1 }
faults: [{ when: "map-0@1 started", crash: worker-1, restartAfter: 1s }]
expect: {}`),
    caughtBy: 'C19',
    plants: () =>
      changing('master', (effect) =>
        append(effect, (before) =>
          before.flatMap((record): JournalRecord[] => {
            if (record.type !== 'attempt.failed') return [record];
            const failure = { reason: 'workers-died', message: 'many', task: record.attempt.task } as const;
            return [record, { type: 'job.failed', job: 1, failure }];
          }),
        ),
      ),
  },
  {
    sentence: 'a job is given up before its tasks have failed often enough',
    scenario: scenario(
      '{ name: throws once, job: { maps: 3, reduces: 2, misbehave: { map-0@1: throws } }, expect: {} }',
    ),
    caughtBy: 'C19',
    plants: () =>
      changing('master', (effect) =>
        append(effect, (before) =>
          before.flatMap((record): JournalRecord[] =>
            record.type === 'attempt.failed'
              ? [
                  record,
                  { type: 'job.failed', job: 1, failure: { reason: 'task-failed', message: 'enough' } },
                ]
              : [record],
          ),
        ),
      ),
  },
  {
    sentence: 'the journal is trimmed where no snapshot begins',
    scenario: snapshots,
    caughtBy: 'C18',
    plants: () => {
      const nonces: string[] = [''];
      return changing('master', (effect) => {
        if (effect.type === 'journal.append') nonces[effect.slot] = effect.nonce;
        if (effect.type !== 'journal.trim') return effect;
        return { ...effect, first: effect.first - 1, nonce: nonces[effect.first - 1]! };
      });
    },
  },
];

describe('planted bugs', () => {
  it.each(planted)('$caughtBy: $sentence', ({ scenario, caughtBy, plants }) => {
    const result = simulate(scenario, { plants: plants() });
    expect(result.violation?.id, result.violation?.message).toBe(caughtBy);
    expect(result.verdict).toBe('failed');
  });

  it.each(planted)('without it all is well: $sentence', ({ scenario }) => {
    expect(simulate(scenario).violation).toBeUndefined();
  });
});

it('sameAttempt tells attempts apart, as the plants rely on', () => {
  const attempt = { job: 1, task: 0, epoch: 1, n: 1 };
  expect(sameAttempt(attempt, { ...attempt, n: 2 })).toBe(false);
});
