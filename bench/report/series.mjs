/** What a measure's contestants become in its plot: `[{ name, points: [{ x, y, least, greatest }] }]`. */

/** Each takes a run's wall time and gives the height of the point. */
const values = {
  seconds: () => (seconds) => seconds,
  throughput:
    ({ bytes }) =>
    (seconds) =>
      bytes / seconds / 1e6,
  efficiency: ({ workers, sequential }, contestants) => {
    const alone = contestants.find(({ name }) => name === sequential).wallSeconds.median;
    return (seconds) => alone / (workers * seconds);
  },
};

export const units = {
  seconds: 'seconds',
  throughput: 'MB/s',
  efficiency: 'efficiency',
};

export function seriesOf({ plot, contestants }) {
  const series = new Map();
  for (const { at, wallSeconds } of contestants) {
    if (at === undefined || wallSeconds === null) continue;
    const value = values[plot.value](at, contestants);
    const [one, other] = [value(wallSeconds.least), value(wallSeconds.greatest)];
    if (!series.has(at.series)) series.set(at.series, []);
    series.get(at.series).push({
      x: at.x,
      y: value(wallSeconds.median),
      least: Math.min(one, other),
      greatest: Math.max(one, other),
    });
  }
  return [...series].map(([name, points]) => ({ name, points }));
}
