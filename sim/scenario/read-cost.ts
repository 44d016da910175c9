/** Reads what modelled work costs, and writes it. */
import { mapsOf, timesOf } from '../cost-model.js';
import { longest, longestUs, parseDurationRange } from './duration.js';
import type { Report } from './issue.js';
import type { RawCost, RawJob } from './schema.js';
import { parseFiles, parseSize, sizeSpelling } from './size.js';
import type { ScenarioCost, ScenarioJob } from './types.js';
import { rangeSpelling } from './write-fault.js';

type Path = readonly (string | number)[];

const defaults = { split: '64MB', startup: '1s', rate: '50MB/s' } as const;

/** What the cost decides of the job; nothing when the job says nothing of it. */
export function readCost(
  { cost: raw, ...job }: RawJob,
  path: Path,
  report: Report,
): Partial<Pick<ScenarioJob, 'cost' | 'input' | 'maps' | 'mapTimeUs' | 'reduceTimeUs'>> {
  if (!raw) return {};
  for (const key of ['maps', 'mapTime', 'reduceTime', 'times', 'input', 'run', 'poison'] as const) {
    if (job[key] === undefined) continue;
    const message = `"${key}" is decided by "cost", which has no real records`;
    report({ path: [...path, key], code: 'S012', message, atKey: true });
  }
  const complain = (key: string, text: string): void =>
    report({
      path: [...path, 'cost', key],
      code: 'S006',
      message: `the range "${text}" ends before it begins`,
    });
  const startup = raw.startup ?? defaults.startup;
  const startupUs = parseDurationRange(startup);
  if (!startupUs) complain('startup', startup);
  const [least, most] = (raw.stragglers?.by ?? '1').split('..').map(Number);
  const by = { min: Math.max(1, least!), max: Math.max(1, most ?? least!) };
  if (by.max < by.min) complain('stragglers', raw.stragglers!.by);
  const sizeOf = (key: 'split' | 'scan' | 'write' | 'network', otherwise: string): number => {
    const bytes = parseSize(raw[key] ?? otherwise);
    if (bytes > 0) return bytes;
    const message = `"${key}" must be at least ${key === 'split' ? '1B' : '1B/s'}`;
    report({ path: [...path, 'cost', key], code: 'S005', message });
    return parseSize(otherwise);
  };
  const cost: ScenarioCost = {
    inputs: raw.inputs.map(parseFiles),
    splitBytes: sizeOf('split', defaults.split),
    startupUs: startupUs ?? { min: 0, max: 0 },
    scanRate: sizeOf('scan', defaults.rate),
    writeRate: sizeOf('write', defaults.rate),
    networkRate: sizeOf('network', defaults.rate),
    intermediate: raw.intermediate ?? 1,
    output: raw.output ?? 1,
    stragglers: { percent: raw.stragglers?.percent ?? 0, by },
  };
  const times = timesOf(cost, job.reduces ?? 1);
  if (Math.max(times.mapTimeUs.max, times.reduceTimeUs.max) > longestUs) {
    const message = `an attempt that costs so much takes longer than ${longest}`;
    report({ path: [...path, 'cost'], code: 'S024', message, atKey: true });
  }
  return { cost, input: [], maps: mapsOf(cost), ...times };
}

/** Everything said, defaults too. */
export function rawCost(cost: ScenarioCost): RawCost {
  const rate = (bytes: number): string => `${sizeSpelling(bytes)}/s`;
  const { percent, by } = cost.stragglers;
  return {
    inputs: cost.inputs.map(({ count, bytes }) => `${count} x ${sizeSpelling(bytes)}`),
    split: sizeSpelling(cost.splitBytes),
    startup: rangeSpelling(cost.startupUs),
    scan: rate(cost.scanRate),
    write: rate(cost.writeRate),
    network: rate(cost.networkRate),
    intermediate: cost.intermediate,
    output: cost.output,
    ...(percent > 0 ? { stragglers: { percent, by: `${by.min}..${by.max}` } } : {}),
  };
}
