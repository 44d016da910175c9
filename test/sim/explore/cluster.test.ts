/** The real core, explored: what holds, what reduction and symmetry may not change, and planted bugs that must be found. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Effect } from '../../../core/effects.js';
import type { MasterState } from '../../../core/master/state.js';
import { readTupleList } from '../../../sim/coverage/coverage.js';
import { tupleName } from '../../../sim/coverage/tuples.js';
import type { Bounds } from '../../../sim/explore/cluster/bounds.js';
import { Cluster } from '../../../sim/explore/cluster/cluster.js';
import type { ExplorePlants, Local } from '../../../sim/explore/cluster/locals.js';
import { clusterSetupOf } from '../../../sim/explore/cluster/setup.js';
import { symmetric } from '../../../sim/explore/cluster/symmetry.js';
import { explore } from '../../../sim/explore/explore.js';
import { checkLiveness } from '../../../sim/explore/liveness.js';
import { unfair } from '../../../sim/explore/model.js';
import { loadScenarios } from '../../../sim/scenario/load.js';

interface Small {
  readonly masters?: number;
  readonly workers?: number;
  readonly maps?: number;
  readonly reduces?: number;
  readonly mapOutputs?: 'shared' | 'worker';
  readonly bounds?: Partial<Bounds>;
  readonly plants?: ExplorePlants;
}

function cluster({ masters = 1, workers = 1, maps = 1, reduces = 1, ...small }: Small = {}): Cluster {
  const text = JSON.stringify({
    name: 'small',
    cluster: { masters, workers, mapOutputs: small.mapOutputs ?? 'shared' },
    job: { maps, reduces },
    explore: small.bounds ?? {},
    expect: {},
  });
  const loaded = loadScenarios(text, 'small.yaml');
  if (!loaded.ok) throw new Error(loaded.errors[0]!.message);
  return new Cluster(clusterSetupOf(loaded.scenarios[0]!), small.plants);
}

/** Every order of one worker, one map and one reduce, with one fault of each kind that is named. */
const all: readonly Small[] = [
  {},
  { bounds: { crashes: 1 }, mapOutputs: 'worker' },
  { bounds: { losses: 1 } },
  { bounds: { duplicates: 1, failures: 1 } },
  { bounds: { unknowns: 1 } },
  { bounds: { timeouts: 1 } },
];

describe('the real core', () => {
  it.each(all)('keeps every rule, and every fair run has an answer: %j', (small) => {
    expect(explore(cluster(small))).toMatchObject({ verdict: 'holds' });
    expect(checkLiveness(cluster(small))).toMatchObject({ verdict: 'holds' });
  });

  it('keeps every rule with two masters of which one loses the lease', () => {
    const result = explore(cluster({ masters: 2, bounds: { expiries: 1 } }));
    expect(result.counterexample).toBeUndefined();
    expect(result.verdict).toBe('holds');
  });
});

describe('the scenarios to explore', () => {
  const folder = new URL('../../../scenarios/explore/', import.meta.url);
  const load = (file: string): Cluster => {
    const loaded = loadScenarios(readFileSync(new URL(file, folder), 'utf8'), file);
    if (!loaded.ok) throw new Error(loaded.errors[0]!.message);
    return new Cluster(clusterSetupOf(loaded.scenarios[0]!));
  };

  it.each(readdirSync(folder))('%s can be read, and a beginning of it keeps every rule', (file) => {
    const result = explore(load(file), { statesMax: 20_000 });
    expect(result.counterexample).toBeUndefined();
  });

  it('reduces that wait hold all slots, and every fair run has an answer all the same', () => {
    const model = load('early-reduces.yaml');
    expect(checkLiveness(model)).toMatchObject({ verdict: 'holds' });
    expect(tuplesOf(model).some((name) => name.includes('attempt.progressed'))).toBe(true);
  });

  it('reach what the list of reachable steps says', () => {
    const list = readTupleList(
      readFileSync(new URL('../../../sim/coverage/reachable.txt', import.meta.url), 'utf8'),
    );
    const model = cluster({ bounds: { crashes: 1 }, mapOutputs: 'worker' });
    explore(model);
    expect(tuplesOf(model).filter((name) => !list.has(name))).toEqual([]);
  });
});

describe('reduction and symmetry', () => {
  it.each(all)('reach the same steps of the machines, through fewer states: %j', (small) => {
    const full = cluster(small);
    const reduced = cluster(small);
    const counts = [explore(full, { noReduction: true }), explore(reduced)] as const;
    expect(counts[1].verdict).toBe(counts[0].verdict);
    expect(counts[1].distinct).toBeLessThan(counts[0].distinct);
    expect(tuplesOf(reduced)).toEqual(tuplesOf(full));
  });

  it('take one of two states that differ in the names of workers', () => {
    const full = explore(cluster({ workers: 2 }), { noReduction: true });
    const half = explore(symmetric(cluster({ workers: 2 })), { noReduction: true });
    expect(half).toMatchObject({ verdict: 'holds', depth: full.depth, terminal: full.terminal });
    expect(half.distinct).toBeGreaterThanOrEqual(full.distinct / 2);
    expect(half.distinct).toBeLessThan(0.6 * full.distinct);
  });

  it('come to the same numbers with whole states compared', () => {
    const hashed = explore(cluster({ bounds: { crashes: 1 } }));
    const exact = explore(cluster({ bounds: { crashes: 1 } }), { exact: true });
    expect([exact.generated, exact.distinct, exact.depth]).toEqual([
      hashed.generated,
      hashed.distinct,
      hashed.depth,
    ]);
  });
});

describe('the steps of a state', () => {
  it.each(all)(
    'are told one for each successor, and only faults and late appends need not happen: %j',
    (small) => {
      const model = cluster(small);
      let states = 0;
      explore({
        words: model.words,
        initial: (out) => model.initial(out),
        describe: (...step) => model.describe(...step),
        expand: (data, offset, out) => {
          model.expand(data, offset, out);
          if (out.count === 0 || states++ % 16 > 0) return;
          const last = out.count - 1;
          const { text, fault } = model.step(data, offset, last);
          expect(out.classes[last] === unfair).toBe(fault !== undefined || text.endsWith(', late'));
          expect(model.step(data, offset, out.count)).toBeUndefined();
        },
      });
      expect(states).toBeGreaterThan(100);
    },
  );
});

function tuplesOf({ parts }: Cluster): string[] {
  return [...parts.tuples].map(tupleName).sort();
}

// ---- planted bugs -----------------------------------------------------------------------------------------------

interface Planted {
  readonly sentence: string;
  readonly small: Small;
  readonly rule: RegExp;
}

function effectsOf(
  role: Local['role'],
  change: (effect: Effect, local: Local) => readonly Effect[],
): ExplorePlants {
  return {
    effects: (local, _, effects) =>
      local.role === role ? effects.flatMap((effect) => change(effect, local)) : effects,
  };
}

/** A completion that is refused because its attempt is dead goes to the journal. */
function lateCompletionWritten(): ExplorePlants {
  return {
    effects: (local, event, effects) => {
      const refused = effects.some(
        (effect) => effect.type === 'decide' && effect.decision === 'late-report-refused',
      );
      if (!refused || event.type !== 'message.received' || event.message.type !== 'attempt.completed')
        return effects;
      const { attempt, output, counters, incarnation } = event.message;
      const { slot, nonce } = (local.state as MasterState).durable;
      const record = {
        type: 'task.committed',
        attempt,
        holder: { node: event.from, incarnation },
        output,
        counters,
      } as const;
      const mine = `${local.node}/${local.incarnation}/late`;
      return [
        ...effects,
        { type: 'journal.append', slot: slot + 1, nonce: mine, after: nonce, records: [record] },
      ];
    },
  };
}

const planted: readonly Planted[] = [
  {
    sentence: 'a completion is written twice',
    small: {
      plants: effectsOf('master', (effect) =>
        effect.type === 'journal.append' && effect.records[0]?.type === 'task.committed'
          ? [{ ...effect, records: [...effect.records, ...effect.records] }]
          : [effect],
      ),
    },
    rule: /^M1/,
  },
  {
    sentence: 'a late completion is written all the same',
    small: { bounds: { timeouts: 1 }, plants: lateCompletionWritten() },
    rule: /^M1/,
  },
  {
    sentence: 'an append is answered by the master itself, before the store has',
    small: {
      bounds: { crashes: 1 },
      plants: {
        effects: (_, event, effects) =>
          event.type === 'message.received' && event.message.type === 'attempt.completed'
            ? [
                ...effects,
                {
                  type: 'message.send',
                  to: event.from,
                  session: event.session,
                  message: {
                    type: 'attempt.answer',
                    epoch: event.message.attempt.epoch,
                    incarnation: event.message.incarnation,
                    attempt: event.message.attempt,
                    verdict: 'committed',
                  },
                },
              ]
            : effects,
      },
    },
    rule: /^C14/,
  },
  {
    sentence: 'a worker deletes what it finished when it is told that it is committed',
    small: {
      plants: {
        effects: (_, event, effects) =>
          event.type === 'message.received' && event.message.type === 'attempt.answer'
            ? [...effects, { type: 'output.discard', attempt: event.message.attempt, maps: 1 }]
            : effects,
      },
    },
    rule: /^C4/,
  },
  {
    sentence: 'an attempt is begun twice',
    small: {
      plants: effectsOf('worker', (effect) => (effect.type === 'attempt.run' ? [effect, effect] : [effect])),
    },
    rule: /^C17/,
  },
  {
    sentence: 'somebody who does not lead writes to the journal',
    small: {
      plants: effectsOf('master', (effect, { node }) =>
        effect.type === 'journal.append' && effect.records[0]?.type !== 'leader.began'
          ? [{ ...effect, nonce: effect.nonce.replace(node, 'master-9') }]
          : [effect],
      ),
    },
    rule: /^C3/,
  },
  {
    sentence: 'parts are published that are no commits',
    small: {
      plants: effectsOf('master', (effect) =>
        effect.type === 'output.publish'
          ? [
              {
                ...effect,
                parts: effect.parts.map((part) => ({ ...part, attempt: { ...part.attempt, n: 7 } })),
              },
            ]
          : [effect],
      ),
    },
    rule: /^C15/,
  },
  {
    sentence: 'counters are doubled on their way to the user',
    small: {
      plants: effectsOf('client', (effect) => {
        if (effect.type !== 'job.conclude' || !effect.status) return [effect];
        const counters = effect.status.counters.map(([name, value]) => [name, 2 * value] as const);
        return [{ ...effect, status: { ...effect.status, counters } }];
      }),
    },
    rule: /^C6/,
  },
];

describe('a planted bug is found by exploring', () => {
  it.each(planted)('$sentence', ({ small, rule }) => {
    const result = explore(cluster(small));
    expect(result.counterexample?.rule).toMatch(rule);
    expect(result.verdict).toBe('broken');
    const plain = explore(cluster(small), { noReduction: true });
    expect(plain.counterexample?.rule).toMatch(rule);
  });

  it('and under symmetry the path is that of a real run', () => {
    const plants = planted.find(({ rule }) => rule.source === '^C4')!.small.plants!;
    const small = { workers: 2, plants };
    const model = cluster(small);
    const { path, rule } = explore(symmetric(model)).counterexample!;
    expect(rule).toMatch(/^C4/);
    const last = path.states.length - model.words;
    expect(model.broken(path.states, last)).toBe(rule);
    for (const [index, ordinal] of path.ordinals.entries()) {
      expect(model.describe(path.states, index * model.words, ordinal)).toBe(path.steps[index]);
    }
  });

  it('a master that never hears of completions keeps a fair run from its end', () => {
    const plants: ExplorePlants = {
      event: (_, event) =>
        event.type === 'message.received' && event.message.type === 'attempt.completed' ? undefined : event,
    };
    const { verdict, lasso } = checkLiveness(cluster({ plants }));
    expect(verdict).toBe('stuck');
    expect(lasso!.stem.steps.join('\n')).toContain('attempt.completed');
    expect(lasso!.cycle.join('\n')).toContain('beat');
  });
});
