import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultClusterConfig } from '../../core/config.js';
import { startMachine } from '../../core/machine.js';
import {
  Coverage,
  mergeCoverage,
  missingFrom,
  nothingCovered,
  readTupleList,
} from '../../sim/coverage/coverage.js';
import { phases, possibleStrikes } from '../../sim/coverage/phases.js';
import { abstractState, firstState, joinTuple, tupleName } from '../../sim/coverage/tuples.js';
import { drawScenario } from '../../sim/fuzz/draw.js';
import { fuzzSeed } from '../../sim/fuzz/fuzz.js';
import { honestKinds } from '../../sim/scenario/read-fault.js';
import { simulate } from '../../sim/simulate.js';
import { story } from '../scenarios/stories.js';

const life = { node: 'a', incarnation: 1 };
const setups = [
  { role: 'master', config: defaultClusterConfig, life },
  { role: 'worker', config: defaultClusterConfig, life, slots: 1 },
  { role: 'client', config: defaultClusterConfig, life },
] as const;

describe('a step', () => {
  it('is named by role, abstract state and kind of event', () => {
    const worker = startMachine(setups[1]);
    expect(tupleName(joinTuple(abstractState(worker), { type: 'node.started' }))).toBe(
      'worker closed <- node.started',
    );
    worker.step({ type: 'node.started' }, 0);
    const silence = { type: 'clock.reached', deadline: { kind: 'silence', id: '' } } as const;
    expect(tupleName(joinTuple(abstractState(worker), silence))).toBe('worker connecting <- clock silence');
  });

  it.each(setups)('of a new $role begins in the first state', (setup) => {
    expect(abstractState(startMachine(setup))).toBe(firstState(setup.role));
  });

  it('in a story is what an observer before the step would have called it', () => {
    const scenario = story('leader-killed-in-reduce');
    const coverage = new Coverage();
    const before = new Set<string>();
    simulate(scenario, {
      observe: (world) => coverage.observe(world),
      plants: {
        event: (node, event) => {
          before.add(tupleName(joinTuple(abstractState(node.machine), event)));
          return event;
        },
      },
    });
    const { tuples } = coverage.take();
    expect(Object.keys(tuples).sort()).toEqual([...before].sort());
    expect(tuples['master standby <- node.started']).toBe(scenario.cluster.masters + 1);
    expect(Object.keys(tuples)).toContain('master leader,appending,map <- attempt.completed');
    expect(Object.keys(tuples)).toContain('client welcomed,accepted <- job.status');
  });
});

describe('a strike', () => {
  it('is named by the kind of fault and the phase of the job', () => {
    const coverage = new Coverage();
    simulate(story('leader-killed-in-reduce'), { observe: (world) => coverage.observe(world) });
    expect(coverage.take().strikes).toEqual({ 'crash in reduce': 1 });
  });

  it('is possible in most phases; the others are named with a reason', () => {
    const possible = possibleStrikes();
    expect(new Set(possible).size).toBe(possible.length);
    expect(possible.length).toBeGreaterThan(honestKinds.length * (phases.length - 1));
    for (const kind of honestKinds) expect(possible).toContain(`${kind} in map`);
  });
});

describe('coverage', () => {
  it('adds up, whatever was counted first', () => {
    const take = (seed: number) => {
      const coverage = new Coverage();
      fuzzSeed(seed, { coverage });
      return coverage.take();
    };
    const [a, b] = [take(1), take(2)];
    expect(mergeCoverage(a, b)).toEqual(mergeCoverage(b, a));
    expect(mergeCoverage(nothingCovered, a).tuples).toEqual(a.tuples);
    const both = new Coverage();
    for (const seed of [1, 2]) fuzzSeed(seed, { coverage: both });
    const taken = both.take();
    expect(mergeCoverage(a, b)).toEqual({ tuples: taken.tuples, strikes: taken.strikes });
    expect(new Set(Object.values(taken.firsts))).toEqual(new Set(['1', '2']));
  });

  it('begins anew when it was taken', () => {
    const coverage = new Coverage();
    fuzzSeed(1, { coverage });
    coverage.take();
    expect(coverage.take()).toEqual({ ...nothingCovered, firsts: {} });
  });

  it('changes nothing of what it looks at', () => {
    const { scenario } = drawScenario('5');
    const coverage = new Coverage();
    const seen = simulate(scenario, { observe: (world) => coverage.observe(world) });
    expect(seen.chain).toBe(simulate(scenario).chain);
  });

  it('names what can be reached and was not', () => {
    const counts = { tuples: { a: 1 }, strikes: {} };
    const tuples = readTupleList('# reached by the explorer\na\n\nb\n');
    expect(missingFrom(counts, { tuples, strikes: ['crash in map'] })).toEqual({
      tuples: ['b'],
      strikes: ['crash in map'],
    });
  });
});

describe('the lists of steps', () => {
  const read = (name: string): string[] => [
    ...readTupleList(readFileSync(new URL(`../../sim/coverage/${name}`, import.meta.url), 'utf8')),
  ];
  const explored = new Set(read('reachable.txt'));
  const beyond = read('beyond.txt');

  it('beyond the explored clusters lies no step that is explored', () => {
    expect(beyond.filter((name) => explored.has(name))).toEqual([]);
    expect(beyond).toEqual([...beyond].sort());
  });

  it.each(['drain.requested', 'clock speculate', 'journal.trimmed', 'output.refused'])(
    'what only larger clusters do is demanded there: %s',
    (event) => expect(beyond.some((name) => name.endsWith(` <- ${event}`))).toBe(true),
  );
});
