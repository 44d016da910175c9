import { describe, expect, it } from 'vitest';
import { checkLiveness } from '../../../sim/explore/liveness.js';
import { tableModel } from './small-models.js';

describe('a fair run comes to a goal', () => {
  it('when every way leads there', () => {
    const model = tableModel({ steps: [[{ to: 1 }, { to: 2 }], [{ to: 2 }], []], goals: [2] });
    expect(checkLiveness(model).verdict).toBe('holds');
  });

  it('not when it ends before', () => {
    const model = tableModel({ steps: [[{ to: 1 }, { to: 2 }], [], []], goals: [2] });
    const { verdict, lasso } = checkLiveness(model);
    expect(verdict).toBe('stuck');
    expect(lasso?.stem.steps).toEqual(['0 to 1']);
    expect(lasso?.cycle).toEqual([]);
  });

  it('not when it may go round for ever, and the way out is nobody’s duty', () => {
    const model = tableModel({ steps: [[{ to: 1 }], [{ to: 0 }, { to: 2 }], []], goals: [2] });
    const { verdict, lasso } = checkLiveness(model);
    expect(verdict).toBe('stuck');
    expect(lasso?.stem.steps).toEqual([]);
    expect(lasso?.cycle).toEqual(['0 to 1', '1 to 0']);
  });

  it('when the way out waits in every state of the cycle, and has to be taken', () => {
    const out = { to: 2, fairness: 5 };
    const model = tableModel({
      steps: [[{ to: 1, fairness: 1 }, out], [{ to: 0, fairness: 2 }, out], []],
      goals: [2],
    });
    expect(checkLiveness(model).verdict).toBe('holds');
  });

  it('not when the way out is closed again and again: weak fairness asks only for what stays open', () => {
    const model = tableModel({
      steps: [
        [{ to: 1, fairness: 1 }],
        [
          { to: 0, fairness: 2 },
          { to: 2, fairness: 5 },
        ],
        [],
      ],
      goals: [2],
    });
    const { verdict, lasso } = checkLiveness(model);
    expect(verdict).toBe('stuck');
    expect(lasso?.cycle).toEqual(['0 to 1', '1 to 0']);
  });

  it('when what is open only here waits everywhere: time goes on', () => {
    const model = tableModel({
      steps: [
        [{ to: 1, fairness: 1 }],
        [
          { to: 0, fairness: 2 },
          { to: 2, fairness: 40 },
        ],
        [],
      ],
      goals: [2],
      awaits: { 0: [40] },
    });
    expect(checkLiveness(model).verdict).toBe('holds');
  });

  it('and the cycle that is told does everything that waits', () => {
    const model = tableModel({
      steps: [
        [{ to: 1, name: 'in' }],
        [
          { to: 1, fairness: 1, name: 'one' },
          { to: 2, fairness: 2, name: 'two' },
        ],
        [
          { to: 1, fairness: 1, name: 'back' },
          { to: 2, fairness: 33, name: 'three' },
        ],
      ],
      awaits: { 1: [33] },
    });
    const { verdict, lasso } = checkLiveness(model);
    expect(verdict).toBe('stuck');
    expect(lasso?.stem.steps).toEqual(['in']);
    expect(lasso?.cycle).toContain('three');
    expect(lasso?.cycle.some((step) => step === 'one' || step === 'back')).toBe(true);
    expect(lasso?.cycle.at(-1)).toBe('back');
  });

  it('is not asked when a rule is broken before', () => {
    const model = tableModel({ steps: [[{ to: 1 }], [{ to: 0 }]], broken: [1] });
    const { verdict, distinct, generated, counterexample } = checkLiveness(model);
    expect([verdict, distinct, generated]).toEqual(['broken', 2, 2]);
    expect(counterexample).toMatchObject({ rule: 'state 1', path: { steps: ['0 to 1'] } });
  });

  it('is not known when there are too many states', () => {
    const model = tableModel({ steps: [[{ to: 1 }], [{ to: 2 }], [{ to: 3 }], []] });
    expect(checkLiveness(model, { statesMax: 2 })).toMatchObject({
      verdict: 'inconclusive',
      limit: 'states',
      distinct: 3,
      generated: 3,
    });
  });
});
