/**
 * What a finished run tells: per phase tasks, attempts and times, skew, counters, efficiency, and where to look on.
 * Times come from the traces of the masters, which outlive every process.
 */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { attemptKey } from '../../core/ids.js';
import type { JobStatus, PhaseStatus } from '../../core/messages.js';
import type { TraceLine } from '../../core/trace.js';
import type { RunLayout } from '../../runtime/node/layout.js';
import type { WorkOrder } from '../../runtime/node/work-order.js';
import type { RunRequest } from '../../runtime/run/run-request.js';
import { sayBytes, sayCount, sayDuration, sayMany } from '../quantities.js';
import { linesOf } from '../traces.js';
import { sayPath } from './prepare.js';

/** A run that is over, and what was asked for. */
export interface FinishedRun {
  readonly request: RunRequest;
  readonly layout: RunLayout;
  readonly order: WorkOrder;
  readonly tookUs: number;
  /** Part of the work was done before: what `tookUs` says is not of all of it. */
  readonly resumed?: boolean;
}

export interface RunSummary {
  readonly run: string;
  readonly outcome: 'published';
  readonly job: string;
  readonly output: string;
  readonly tookUs: number;
  readonly inputs: { readonly files: number; readonly bytes: number };
  readonly maps: PhaseSummary;
  readonly reduces: PhaseSummary;
  readonly skew: {
    readonly largestPart: number;
    readonly bytesMax: number;
    readonly bytesMedian: number;
    /** The key with the most records, where a reduce had any. */
    readonly heaviest?: Heaviest;
  };
  readonly counters: Readonly<Record<string, number>>;
  /** Time in committed attempts over slots × time: 1 would be no time lost. Unknown of a run that was resumed. */
  readonly efficiency?: number;
  readonly trace: string;
}

interface Heaviest {
  readonly key: string;
  readonly records: number;
}

export type PhaseSummary = Pick<
  PhaseStatus,
  'attempts' | 'failed' | 'stale' | 'speculative' | 'invalidated'
> & {
  readonly tasks: number;
  readonly p50Us: number;
  readonly p95Us: number;
  readonly maxUs: number;
};

/** `partBytes` are the sizes of the parts of its output, in their order. */
export async function summarize(
  status: JobStatus,
  run: FinishedRun,
  partBytes: readonly number[],
): Promise<RunSummary> {
  const { request, layout, order, tookUs, resumed } = run;
  const { maps, reduces } = await timesOf(layout.trace, request.spec.maps);
  const heaviest = await heaviestKey(layout.trace);
  const sorted = [...partBytes].sort((a, b) => a - b);
  const busyUs = [...maps, ...reduces].reduce((sum, time) => sum + time, 0);
  const slots = request.workers * request.slots;
  return {
    run: request.runId,
    outcome: 'published',
    job: request.spec.name,
    output: request.spec.output,
    tookUs,
    inputs: {
      files: order.files.length,
      bytes: order.files.reduce((sum, file) => sum + file.sizeBytes, 0),
    },
    maps: phaseSummary(status.maps, maps),
    reduces: phaseSummary(status.reduces, reduces),
    skew: {
      largestPart: partBytes.indexOf(sorted.at(-1) ?? 0),
      bytesMax: sorted.at(-1) ?? 0,
      bytesMedian: quantile(sorted, 0.5),
      ...(heaviest ? { heaviest } : {}),
    },
    counters: Object.fromEntries(status.counters),
    ...(resumed ? {} : { efficiency: tookUs > 0 ? Math.min(1, busyUs / (slots * tookUs)) : 0 }),
    trace: layout.trace,
  };
}

function phaseSummary(phase: PhaseStatus, times: readonly number[]): PhaseSummary {
  const sorted = [...times].sort((a, b) => a - b);
  const { attempts, failed, stale, speculative, invalidated } = phase;
  return {
    tasks: phase.total,
    attempts: Math.max(attempts, times.length),
    failed,
    stale,
    speculative,
    invalidated,
    p50Us: quantile(sorted, 0.5),
    p95Us: quantile(sorted, 0.95),
    maxUs: sorted.at(-1) ?? 0,
  };
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
}

/** From assignment to commit of every committed attempt, where one life of a master saw both: each has its own clock. */
async function timesOf(directory: string, maps: number): Promise<{ maps: number[]; reduces: number[] }> {
  const times = { maps: [] as number[], reduces: [] as number[] };
  const assigned = new Map<string, number>();
  for await (const [file, { at, effects }] of traceLines(directory, 'master-', [
    '"attempt-assigned"',
    '"task-committed"',
  ])) {
    for (const effect of effects) {
      if (effect.type !== 'decide' || !effect.attempt) continue;
      const key = `${file} ${attemptKey(effect.attempt)}`;
      if (effect.decision === 'attempt-assigned') assigned.set(key, at);
      const since = assigned.get(key);
      if (effect.decision !== 'task-committed' || since === undefined) continue;
      (effect.attempt.task < maps ? times.maps : times.reduces).push(at - since);
    }
  }
  return times;
}

async function heaviestKey(directory: string): Promise<Heaviest | undefined> {
  let heaviest: Heaviest | undefined;
  for await (const [, { event }] of traceLines(directory, 'worker-', ['"heaviest"'])) {
    if (event.type !== 'attempt.finished' || !event.heaviest) continue;
    if (!heaviest || event.heaviest.records > heaviest.records) heaviest = event.heaviest;
  }
  return heaviest;
}

/** The lines of all traces of one role that hold one of the texts; others are not even parsed. */
async function* traceLines(
  directory: string,
  role: string,
  texts: readonly string[],
): AsyncGenerator<readonly [file: string, line: TraceLine]> {
  for (const name of (await readdir(directory)).filter((one) => one.startsWith(role)).sort()) {
    for await (const { text, torn } of linesOf(join(directory, name))) {
      if (!torn && texts.some((one) => text.includes(one))) yield [name, JSON.parse(text) as TraceLine];
    }
  }
}

/** `run` is how the run is called from here. */
export function summaryText(summary: RunSummary, run: string): string {
  const { inputs, skew, tookUs, counters, efficiency } = summary;
  const time =
    efficiency === undefined
      ? `${sayDuration(tookUs)} since it was resumed`
      : `${sayDuration(tookUs)}, ${tookUs > 0 ? `${sayBytes((inputs.bytes * 1e6) / tookUs)}/s` : ''}`;
  const rows = [
    `${summary.job}: ${sayMany(inputs.files, 'file')}, ${sayBytes(inputs.bytes)} in ${time}`,
    ...(summary.maps.tasks === 0
      ? [`  map     ${phaseText(summary.reduces)}`]
      : [`  map     ${phaseText(summary.maps)}`, `  reduce  ${phaseText(summary.reduces)}`]),
    `  skew    ${skewText(skew)}`,
    ...(efficiency === undefined ? [] : [`  slots   busy ${Math.round(efficiency * 100)} % of the time`]),
  ];
  const skipped = (counters['map.records.skipped'] ?? 0) + (counters['reduce.groups.skipped'] ?? 0);
  if (skipped > 0) rows.push(`  skipped ${sayMany(skipped, 'bad record')}: the output is without them`);
  for (const [name, value] of Object.entries(counters)) rows.push(`  ${name.padEnd(22)} ${sayCount(value)}`);
  rows.push(
    `output  ${sayPath(summary.output)}`,
    `trace   ${sayPath(summary.trace)} (rehearse replay ${run})`,
  );
  return rows.join('\n');
}

function skewText({ largestPart, bytesMax, bytesMedian, heaviest }: RunSummary['skew']): string {
  const parts = `largest part ${largestPart} with ${sayBytes(bytesMax)}, median ${sayBytes(bytesMedian)}`;
  if (!heaviest) return parts;
  return `${parts}; heaviest key ${JSON.stringify(heaviest.key)} with ${sayMany(heaviest.records, 'record')}`;
}

function phaseText(phase: PhaseSummary): string {
  const extras = [
    [phase.failed, 'failed'],
    [phase.stale, 'stale'],
    [phase.speculative, 'speculative'],
    [phase.invalidated, 'lost and made again'],
  ] as const;
  const told = extras.filter(([count]) => count > 0).map(([count, name]) => `, ${count} ${name}`);
  const times = `p50 ${sayDuration(phase.p50Us)}, p95 ${sayDuration(phase.p95Us)}, max ${sayDuration(phase.maxUs)}`;
  return `${sayMany(phase.tasks, 'task')}, ${sayMany(phase.attempts, 'attempt')}${told.join('')}; ${times}`;
}
