/**
 * Times at which nothing comes before its cause. Clocks of nodes disagree, those of real processes by some microseconds, and
 * an arrow that goes back in time is none that a viewer draws: a life whose step would stand before its cause is moved from
 * there on, as little as it takes. What took how long stays. Nothing moves where clocks agree.
 */
import { lifeName } from '../../core/ids.js';
import { type MergedStep, stepsBefore } from '../explain/merge.js';

export function inTime(steps: readonly MergedStep[]): MergedStep[] {
  const shifts = new Map<string, number>();
  const timesOf = new Map<string, number[]>();
  return steps.map((step) => {
    const life = lifeName(step);
    const causesUs = stepsBefore(step).map(
      (cause) => timesOf.get(lifeName(cause))?.[cause.index] ?? step.atUs,
    );
    const shiftUs = Math.max(shifts.get(life) ?? 0, ...causesUs.map((causeUs) => causeUs - step.atUs));
    shifts.set(life, shiftUs);
    const atUs = step.atUs + shiftUs;
    const times = timesOf.get(life) ?? [];
    timesOf.set(life, times);
    times[step.line.i] = atUs;
    return { ...step, atUs };
  });
}
