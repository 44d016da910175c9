import type { SimulationResult } from '../../sim/simulate.js';

/** What went wrong, as one text with the command that repeats it; empty when nothing did. */
export function complaint(result: SimulationResult): string {
  if (result.verdict === 'passed') return '';
  const reasons = [result.violation?.message ?? '', ...result.unmet.map(({ message }) => message)];
  const { file } = result.scenario;
  return `${result.verdict}: ${reasons.join('; ')}\nrehearse sim ${file} --seed ${result.seed}`;
}
