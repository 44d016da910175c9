/** `map-0@2` on real processes: the second attempt that was given out, whatever the leader that gave it out calls it. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { wordCount } from '../../../jobs/builtin/word-count.js';
import { misbehaving } from '../../../runtime/executor/misbehave.js';
import { CrashPoints } from '../../../runtime/node/crash-points.js';
import type { WorkOrder } from '../../../runtime/node/work-order.js';
import { Ordinals } from '../../../runtime/process/ordinals.js';

/** The first of the second leader. */
const attempt = { job: 1, task: 0, epoch: 2, n: 1 };
const other = { ...attempt, task: 1 };

describe('which attempt of its task one is', () => {
  it('is asked for by attempt, and answered in any order', async () => {
    const asked: unknown[] = [];
    const ordinals = new Ordinals((one) => asked.push(one));
    const answers = Promise.all([ordinals.of(attempt), ordinals.of(other)]);
    ordinals.told(other, 3);
    ordinals.told({ ...attempt, epoch: 1 }, 1); // of a former life, which nobody waits for
    ordinals.told(attempt, 2);
    expect(asked).toEqual([attempt, other]);
    expect(await answers).toEqual([2, 3]);
  });
});

describe('what is said of map-0@2', () => {
  afterEach(() => vi.restoreAllMocks());

  it('holds for its user code', () => {
    const order = { misbehaviours: [{ task: 0, ordinal: 2, how: 'throws' }] } as unknown as WorkOrder;
    const isHit = (ordinal: number | undefined) =>
      misbehaving(wordCount.job, order, { attempt, ordinal }) !== wordCount.job;
    expect([1, 2, 3, undefined].map(isHit)).toEqual([false, true, false, false]);
  });

  it('holds for the places in the code that it comes to', () => {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    const points = new CrashPoints([{ name: 'p', action: 'kill', job: 1, task: 0, ordinal: 2, fault: 0 }]);
    points.reach('p', { attempt, ordinal: 1 });
    points.reach('p', { attempt });
    points.reach('p', { attempt: other, ordinal: 2 });
    expect(kill).not.toHaveBeenCalled();
    points.reach('p', { attempt, ordinal: 2 });
    expect(kill).toHaveBeenCalledWith(process.pid, 'SIGKILL');
  });
});
