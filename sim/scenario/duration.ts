/** Durations as people write them: `200ms`, `3s`, `1.5m`, and ranges of them, `200ms..900ms`. Always with a unit. */
import type { Range } from '../random.js';

const unitUs: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1_000,
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
};

export const durationPattern = /^\d+(\.\d+)?(us|ms|s|m|h)$/;
export const durationRangePattern = /^\d+(\.\d+)?(us|ms|s|m|h)(\.\.\d+(\.\d+)?(us|ms|s|m|h))?$/;

/** Microseconds. The text has the form of `durationPattern`. */
export function parseDuration(text: string): number {
  const unit = /[a-z]+$/.exec(text)![0];
  return Math.round(Number(text.slice(0, -unit.length)) * unitUs[unit]!);
}

/** Microseconds. The text has the form of `durationRangePattern`; undefined when it ends before it begins. */
export function parseDurationRange(text: string): Range | undefined {
  const [first, last] = text.split('..');
  const min = parseDuration(first!);
  const max = last === undefined ? min : parseDuration(last);
  return min <= max ? { min, max } : undefined;
}

/** For people: `2.35 s`, `900 ms`, `12 µs`. */
export function durationText(us: number): string {
  if (us >= 1_000_000) return `${trimmed(us / 1_000_000)} s`;
  if (us >= 1_000) return `${trimmed(us / 1_000)} ms`;
  return `${us} µs`;
}

function trimmed(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}
