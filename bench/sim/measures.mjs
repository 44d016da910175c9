/** Timing for benchmarks: medians of several rounds, with their spread; interleaved, because machines drift. */

/** Rounds of one figure. */
export const rounds = 5;

/** Operations of `run`, which does so many of them, per second of processor time: others may use the machine as well. */
export function rateOf(operations, run) {
  const begin = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(begin);
  return (operations / (user + system)) * 1e6;
}

/** Takes turns: each of the measures once a round, so that what slows one down slows the others as well. */
export function interleave(measures) {
  const rates = Object.fromEntries(Object.keys(measures).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, measure] of Object.entries(measures)) rates[name].push(measure());
  }
  return rates;
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** `123,000 (110,000 to 130,000)`. */
export function spreadText(values) {
  const text = (value) => Math.round(value).toLocaleString('en-US');
  return `${text(median(values))} (${text(Math.min(...values))} to ${text(Math.max(...values))})`;
}

export function line(what, figure) {
  process.stdout.write(`${what.padEnd(58)} ${figure}\n`);
}
