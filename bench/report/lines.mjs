/** What the terminal shows: one line per goal. */

const number = (value) => value.toPrecision(3);

export function bounds({ atLeast, atMost, aim }, format = number) {
  const bar = atLeast ?? atMost;
  const side = atMost === undefined ? '≥' : '≤';
  const parts = [
    bar === undefined ? [] : `bar ${side} ${format(bar)}`,
    aim === undefined ? [] : `aim ${format(aim)}`,
  ];
  return parts.flat().join(', ');
}

export const verdicts = {
  yes: 'met',
  bar: 'bar met, aim not',
  no: 'NOT MET',
  told: 'for comparison',
  'not measured': 'not measured',
  'smoke run': 'means nothing',
};

export function goalLine(measure, goal) {
  const { of, by, ratio, cpuRatio, met } = goal;
  const label = `${measure.padEnd(11)} ${`${of} ÷ ${by}`.padEnd(28)}`;
  if (ratio === null) return `${label} ${verdicts[met]}`;
  const spread = `${number(ratio.median)} × (${number(ratio.least)}–${number(ratio.greatest)})`;
  const cpu = cpuRatio === null ? '' : `CPU ${number(cpuRatio.median)} ×`;
  return `${label} ${spread.padEnd(24)} ${cpu.padEnd(13)} ${bounds(goal).padEnd(23)} ${verdicts[met]}`;
}

const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;

export function memoryLine({ measure, process, bytes }, goal) {
  const where = `largest process of ours: ${process}, ${measure}`;
  return `${'memory'.padEnd(11)} ${where}: ${megabytes(bytes)}; ${bounds(goal, megabytes)}: ${verdicts[goal.met]}`;
}

/** The points of a plot. */
export function pointLines(measure, contestants) {
  return contestants
    .filter(({ at, wallSeconds }) => at !== undefined && wallSeconds !== null)
    .map(
      ({ name, wallSeconds }) =>
        `${measure.padEnd(18)} ${name.padEnd(36)} ${wallSeconds.median.toFixed(2)} s`,
    );
}
