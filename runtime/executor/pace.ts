/**
 * Modelled work: an attempt that takes at least as long as a scenario says. The time is drawn by (seed, task, epoch, n),
 * so that the same attempt takes the same time again, and a `slow` fault stretches it while it runs.
 */
import { mixInt, mixText, newHash } from '../../core/hash.js';
import type { WorkOrder } from '../node/work-order.js';
import { gaugeDone, gaugeSlow, gaugeTotal, type ThreadTask } from './messages.js';

const sliceMs = 10;

/**
 * Blocks this thread, as work does, until the attempt has taken its time since `begunAtMs` (Unix time). Says how far it
 * is in microseconds.
 */
export function pace(
  order: WorkOrder,
  { attempt, ordinal, maps, begunAtMs }: Pick<ThreadTask, 'attempt' | 'ordinal' | 'maps' | 'begunAtMs'>,
  gauge: Float64Array,
): void {
  if (!order.pace) return;
  const { mapUs, reduceUs, tasks = [] } = order.pace;
  const said = tasks.find((one) => one.task === attempt.task && (one.ordinal ?? ordinal) === ordinal);
  const [lowUs, highUs] = said?.us ?? (attempt.task < maps ? mapUs : reduceUs);
  const hash = newHash();
  mixText(hash, order.seed);
  for (const id of [attempt.task, attempt.epoch, attempt.n]) mixInt(hash, id);
  const totalUs = lowUs + (((hash.a ^ hash.b) >>> 0) % Math.max(1, highUs - lowUs));
  const signal = new Int32Array(new SharedArrayBuffer(4));
  gauge[gaugeTotal] = totalUs;
  let beforeMs = begunAtMs;
  for (let doneUs = 0; doneUs < totalUs; ) {
    Atomics.wait(signal, 0, 0, sliceMs);
    // By the clock, as a sleep: time goes on for a process that is stopped.
    const nowMs = Date.now();
    doneUs += ((nowMs - beforeMs) * 1000) / Math.max(1, gauge[gaugeSlow]!);
    beforeMs = nowMs;
    gauge[gaugeDone] = Math.min(Math.floor(doneUs), totalUs);
  }
}
