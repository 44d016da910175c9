import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../core/invariant-error.js';
import { checkMaster } from '../../core/invariants.js';
import type { Leading, MasterState } from '../../core/master/state.js';
import { MasterCheck } from '../../core/step-invariants.js';
import { Bench, specOf } from './bench.js';

/** A leader whose two workers run the two maps of a job. */
function busy(): { master: MasterState; leading: Leading; check: MasterCheck } {
  const bench = new Bench();
  bench.submit(specOf());
  bench.join('worker-1');
  bench.join('worker-2');
  const { master } = bench;
  const check = new MasterCheck(master);
  check.after({ type: 'node.started' }, []); // the first look sees everything; the next is due later
  return { master, leading: master.leading!, check };
}

const beat = (node: string) =>
  ({
    type: 'message.received',
    from: node,
    session: 1,
    message: { type: 'worker.beat', incarnation: 1, credit: 1, progress: [] },
  }) as const;

function broken(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof InvariantError) return error.rule;
    throw error;
  }
}

describe('the rules of a master after a step', () => {
  test('hold without a bug', () => {
    const { master, check } = busy();
    expect(master.leading!.jobs.get(1)!.active.size).toBe(2);
    for (let step = 0; step < 20; step++) check.after(beat('worker-1'), []);
  });

  test('are broken at once by what the step has touched', () => {
    const { leading, check } = busy();
    leading.workers.get('worker-1')!.assigned++;
    expect(broken(() => check.after(beat('worker-2'), []))).toBeUndefined();
    expect(broken(() => check.after(beat('worker-1'), []))).toBe('M8');
  });

  test('are judged of every attempt that is decided about or ordered', () => {
    const { leading, check } = busy();
    const [attempt] = leading.workers.get('worker-1')!.live.values();
    leading.workers.get('worker-1')!.live.clear();
    const decide = { type: 'decide', decision: 'attempt-assigned', attempt: attempt!.id } as const;
    expect(broken(() => check.after(beat('worker-2'), [decide]))).toBe('M5');
  });

  test('are broken soon by what no step touches', () => {
    const { master, leading, check } = busy();
    leading.open++;
    expect(broken(() => checkMaster(master))).toBe('M5');
    const until = Array.from({ length: 6 }, () => broken(() => check.after(beat('worker-1'), [])));
    expect(until).toContain('M5');
  });

  test('know who leads, whatever the step', () => {
    const { master, check } = busy();
    master.durable.epoch++;
    expect(broken(() => check.after({ type: 'lease.lost' }, []))).toBe('M7');
  });
});
