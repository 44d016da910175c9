/** From times to places: the part of a run that is drawn, and how wide. */
import { durationText } from '../../scenario/duration.js';
import type { Span } from '../lanes.js';

/** What is drawn of a run; absent ends are the run's own. Microseconds on the clock of the run. */
export interface Range {
  readonly fromUs?: number;
  readonly untilUs?: number;
}

export class Scale {
  readonly fromUs: number;
  readonly untilUs: number;
  /** Pixels. */
  readonly width: number;

  constructor(fromUs: number, untilUs: number, width: number) {
    this.fromUs = fromUs;
    this.untilUs = Math.max(untilUs, fromUs + 1);
    this.width = width;
  }

  /** The place of a time, in tenths of a pixel; of one outside, the nearest edge. */
  x(us: number): number {
    const part = (us - this.fromUs) / (this.untilUs - this.fromUs);
    return Math.round(Math.min(1, Math.max(0, part)) * this.width * 10) / 10;
  }

  shows({ startUs, endUs }: Span): boolean {
    return startUs <= this.untilUs && endUs >= this.fromUs;
  }

  showsTime(us: number): boolean {
    return us >= this.fromUs && us <= this.untilUs;
  }

  /** Round times, some hundred pixels apart. */
  ticks(): { readonly x: number; readonly text: string }[] {
    const stepUs = roundUp(((this.untilUs - this.fromUs) * 110) / this.width);
    const ticks = [];
    for (let us = Math.ceil(this.fromUs / stepUs) * stepUs; us <= this.untilUs; us += stepUs)
      ticks.push({ x: this.x(us), text: durationText(us) });
    return ticks;
  }
}

/** To 1, 2 or 5 of some power of ten. */
function roundUp(us: number): number {
  let power = 1;
  while (power * 10 <= us) power *= 10;
  for (const factor of [1, 2, 5]) if (power * factor >= us) return power * factor;
  return power * 10;
}

const widthMin = 1200;
const widthMax = 6000;
/** An attempt of middling length is to be so wide, if that can be. */
const attemptWidth = 56;

/** Wide enough for the attempts, but never wider than can be scrolled through. */
export function scaleOf(
  steps: readonly { readonly atUs: number }[],
  spans: readonly Span[],
  range: Range,
): Scale {
  const times = steps.map(({ atUs }) => atUs);
  const first = times.reduce((least, us) => Math.min(least, us), times[0] ?? 0);
  const last = [...times, ...spans.map(({ endUs }) => endUs)].reduce((most, us) => Math.max(most, us), first);
  const fromUs = range.fromUs ?? first;
  const untilUs = range.untilUs ?? last;
  const lengths = spans
    .filter(({ startUs, endUs }) => startUs <= untilUs && endUs >= fromUs)
    .map(({ startUs, endUs }) => endUs - startUs)
    .sort((a, b) => a - b);
  const middle = lengths[lengths.length >> 1] ?? untilUs - fromUs;
  const wished = ((untilUs - fromUs) / Math.max(1, middle)) * attemptWidth;
  return new Scale(fromUs, untilUs, Math.round(Math.min(widthMax, Math.max(widthMin, wished))));
}
