import { describe, expect, it } from 'vitest';
import { type ExploreOptions, explore } from '../../../sim/explore/explore.js';
import { type YardstickSize, yardstick } from '../../../sim/explore/yardstick.js';
import { explorePlainly } from './plain-explorer.js';

const everyStep: ExploreOptions = { noReduction: true };

const sizes: readonly YardstickSize[] = [
  { tasks: 1, workers: 1, attempts: 1, crashes: 0 },
  { tasks: 1, workers: 2, attempts: 3, crashes: 2 },
  { tasks: 2, workers: 1, attempts: 2, crashes: 3 },
  { tasks: 2, workers: 2, attempts: 2, crashes: 1 },
  { tasks: 3, workers: 2, attempts: 1, crashes: 1 },
  { tasks: 2, workers: 3, attempts: 2, crashes: 0 },
];

function counts({ generated, distinct, terminal }: ReturnType<typeof explore>) {
  return { generated, distinct, terminal };
}

describe('the yardstick', () => {
  it('has exactly the states that other model checkers count', () => {
    const size = { tasks: 3, workers: 3, attempts: 2, crashes: 1 };
    const result = explore(yardstick(size), everyStep);
    expect(result.verdict).toBe('holds');
    expect(counts(result)).toEqual({ generated: 8_541_073, distinct: 1_585_336, terminal: 540 });
    const symmetric = explore(yardstick(size, { symmetry: true }), everyStep);
    expect(symmetric.verdict).toBe('holds');
    expect(symmetric.distinct).toBeLessThanOrEqual(46_197);
  });

  it.each(sizes)(
    'of $tasks tasks, $workers workers, $attempts attempts, $crashes crashes is as the plain explorer says',
    (size) => {
      const { broken, ...plain } = explorePlainly(size);
      expect(broken).toBe(0);
      expect(counts(explore(yardstick(size), everyStep))).toEqual(plain);
    },
  );

  it.each(sizes)(
    'comes out the same with whole states compared: $tasks, $workers, $attempts, $crashes',
    (size) => {
      const exact = explore(yardstick(size), { ...everyStep, exact: true });
      expect(counts(exact)).toEqual(counts(explore(yardstick(size), everyStep)));
    },
  );

  it.each(sizes)(
    'with ample sets ends in the same states, through fewer: $tasks, $workers, $attempts, $crashes',
    (size) => {
      const full = explore(yardstick(size), everyStep);
      const reduced = explore(yardstick(size));
      expect(reduced.verdict).toBe('holds');
      expect(reduced.terminal).toBe(full.terminal);
      expect(reduced.distinct).toBeLessThanOrEqual(full.distinct);
      if (full.distinct > 100) expect(reduced.reduced).toBeGreaterThan(0);
    },
  );

  it.each(sizes)(
    'under symmetry has a state for each class of them: $tasks, $workers, $attempts, $crashes',
    (size) => {
      const full = explore(yardstick(size), everyStep);
      const symmetric = explore(yardstick(size, { symmetry: true }), everyStep);
      let factor = 1;
      for (let n = 2; n <= 3; n++) factor *= (size.tasks >= n ? n : 1) * (size.workers >= n ? n : 1);
      expect(symmetric.distinct * factor).toBeGreaterThanOrEqual(full.distinct);
      expect(symmetric.depth).toBe(full.depth);
    },
  );
});

describe('a planted double commit', () => {
  const size: YardstickSize = { tasks: 2, workers: 2, attempts: 2, crashes: 1, acceptsLate: true };

  it.each([
    { name: 'with every step', symmetry: false, options: everyStep },
    { name: 'with ample sets', symmetry: false, options: {} },
    { name: 'under symmetry', symmetry: true, options: everyStep },
    { name: 'with both', symmetry: true, options: {} },
    { name: 'with whole states', symmetry: false, options: { ...everyStep, exact: true } },
  ])('is found by a shortest path $name', ({ symmetry, options }) => {
    const result = explore(yardstick(size, { symmetry }), options);
    expect(result.verdict).toBe('broken');
    expect(result.counterexample?.rule).toMatch(/^once: task \d is committed 2 times$/);
    const { steps } = result.counterexample!.path;
    expect(steps).toHaveLength(7);
    expect(steps.filter((step) => step.startsWith('the master commits'))).toHaveLength(2);
  });

  it('is what the plain explorer finds as well', () => {
    expect(explorePlainly(size).broken).toBeGreaterThan(0);
  });
});

describe('limits', () => {
  const size = { tasks: 3, workers: 2, attempts: 2, crashes: 1 };

  it('too many states make it inconclusive', () => {
    const result = explore(yardstick(size), { statesMax: 1000 });
    expect(result).toMatchObject({ verdict: 'inconclusive', limit: 'states' });
    expect(result.waiting).toBeGreaterThan(0);
  });

  it('too little memory makes it inconclusive, before it is taken', () => {
    const memoryMax = 500_000;
    const result = explore(yardstick(size), { memoryMax, noReduction: true });
    expect(result).toMatchObject({ verdict: 'inconclusive', limit: 'memory' });
    expect(result.bytes).toBeLessThanOrEqual(memoryMax);
  });
});
