/** Lanes for what takes time: things that overlap lie in different ones, and there are as few lanes as can be. */

export interface Span {
  readonly startUs: number;
  /** The first moment that is free again. */
  readonly endUs: number;
}

/** The lane of each span, 0 being the first. Taking them by their start, and the first lane that is free, needs the fewest. */
export function lanesOf<S extends Span>(spans: readonly S[]): Map<S, number> {
  const lanes = new Map<S, number>();
  const freeUs: number[] = [];
  for (const span of spans.toSorted((a, b) => a.startUs - b.startUs)) {
    const free = freeUs.findIndex((us) => us <= span.startUs);
    const lane = free >= 0 ? free : freeUs.length;
    freeUs[lane] = span.endUs;
    lanes.set(span, lane);
  }
  return lanes;
}
