import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attemptKey, compareAttempts, sameAttempt, sameLife, taskKey, taskName } from '../../core/ids.js';

describe('ids', () => {
  const attempt = { job: 1, task: 2, epoch: 3, n: 4 };

  test('an attempt is the same only if job, task, epoch and number are', () => {
    expect(sameAttempt(attempt, { ...attempt })).toBe(true);
    for (const field of ['job', 'task', 'epoch', 'n'] as const) {
      expect(sameAttempt(attempt, { ...attempt, [field]: 9 })).toBe(false);
      expect(attemptKey({ ...attempt, [field]: 9 })).not.toBe(attemptKey(attempt));
    }
    expect(attemptKey({ job: 1, task: 23, epoch: 4, n: 5 })).not.toBe(
      attemptKey({ job: 12, task: 3, epoch: 4, n: 5 }),
    );
    expect(taskKey(1, 23)).not.toBe(taskKey(12, 3));
  });

  test('an attempt has the same key, whatever was asked before', () => {
    const id = fc.record({
      job: fc.integer({ min: 1, max: 300 }),
      task: fc.integer({ min: 0, max: 250_000 }),
      epoch: fc.integer({ min: 1, max: 300 }),
      n: fc.integer({ min: 1, max: 300 }),
    });
    fc.assert(
      fc.property(fc.array(id, { maxLength: 50 }), (ids) => {
        for (const { job, task, epoch, n } of [...ids, ...ids]) {
          expect(attemptKey({ job, task, epoch, n })).toBe(`${job}.${task}.${epoch}.${n}`);
          expect(attemptKey({ job, task, epoch: epoch + 16, n })).toBe(`${job}.${task}.${epoch + 16}.${n}`);
        }
      }),
    );
  });

  test('attempts are ordered by epoch first, then by number', () => {
    const attempts = [
      { ...attempt, epoch: 2, n: 1 },
      { ...attempt, epoch: 1, n: 10 },
      { ...attempt, epoch: 1, n: 2 },
    ];
    expect(attempts.sort(compareAttempts).map(({ epoch, n }) => [epoch, n])).toEqual([
      [1, 2],
      [1, 10],
      [2, 1],
    ]);
  });

  test('a restarted node is another life', () => {
    expect(sameLife({ node: 'a', incarnation: 1 }, { node: 'a', incarnation: 2 })).toBe(false);
    expect(sameLife({ node: 'a', incarnation: 1 }, { node: 'a', incarnation: 1 })).toBe(true);
  });

  test('people call the first maps-many tasks maps, and the others reduces', () => {
    expect([0, 2, 3, 5].map((task) => taskName(task, 3))).toEqual(['map-0', 'map-2', 'reduce-0', 'reduce-2']);
  });
});
