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

/** Forty days. A thousand times as long, on the slowest clock or worker there can be, is still counted to the microsecond. */
export const longest = '1000h';
export const longestUs = parseDuration(longest);

/** Of a duration, or of a range of them. */
export function isTooLong(text: string): boolean {
  return text.split('..').some((part) => durationPattern.test(part) && parseDuration(part) > longestUs);
}

/** `12:04` or `12:04:30`. */
export const timeOfDayPattern = /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/;
/** A duration or a time of day. */
export const momentPattern = new RegExp(`${durationPattern.source}|${timeOfDayPattern.source}`);

/** Microseconds since midnight. The text has the form of `timeOfDayPattern`. */
export function parseTimeOfDay(text: string): number {
  const [hours, minutes, seconds] = text.split(':').map(Number);
  return ((hours! * 60 + minutes!) * 60 + (seconds ?? 0)) * unitUs.s!;
}

/** Microseconds since a start at that time of day, or what is wrong. The text has the form of `momentPattern`. */
export function readMoment(text: string, startsUs: number | undefined): number | string {
  if (!timeOfDayPattern.test(text)) return parseDuration(text);
  if (startsUs === undefined) return 'a time of day needs a scenario that "starts" at one';
  const atUs = parseTimeOfDay(text) - startsUs;
  return atUs < 0 ? 'this is before the start' : atUs;
}

/** `12:04:30`, as `parseTimeOfDay` reads it; goes on counting after midnight. */
export function timeOfDayText(us: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const seconds = Math.floor(us / unitUs.s!);
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

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

/** Of a moment, for columns of them: in seconds, always to the millisecond, so that they stand one below the other. */
export function momentText(us: number): string {
  return `${(shownUs(us) / unitUs.s!).toFixed(3)} s`;
}

/** The same of a day: `12:04:30.500`. */
export function clockText(us: number): string {
  const shown = shownUs(us);
  return `${timeOfDayText(shown)}.${String((shown / unitUs.ms!) % 1000).padStart(3, '0')}`;
}

/** What these show: whole milliseconds. */
export function shownUs(us: number): number {
  return Math.round(us / unitUs.ms!) * unitUs.ms!;
}

function trimmed(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}
