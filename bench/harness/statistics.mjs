/** Medians and their spread; ratios are taken round by round, since both sides of a round saw the same machine. */

export function median(values) {
  if (values.length === 0) throw new Error('no values, no median');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median, the least and the greatest. */
export function summary(values) {
  return { median: median(values), least: Math.min(...values), greatest: Math.max(...values) };
}

/** The summary of `above[i] / below[i]` over the rounds that both have. */
export function ratioOf(above, below) {
  const rounds = Math.min(above.length, below.length);
  return summary(Array.from({ length: rounds }, (_, round) => above[round] / below[round]));
}

/**
 * `yes`, `bar` (the bar, not the aim) or `no`. A goal has `atLeast` or `atMost`: a bar, and an aim that lies beyond it. A
 * ratio without either is `told`.
 */
export function judge(value, { atLeast, atMost, aim }) {
  if (atLeast === undefined && atMost === undefined && aim === undefined) return 'told';
  const reaches = (mark) => (atMost === undefined ? value >= mark : value <= mark);
  const bar = atLeast ?? atMost;
  if (bar !== undefined && !reaches(bar)) return 'no';
  return aim === undefined || reaches(aim) ? 'yes' : 'bar';
}
