/**
 * What a finished run tells: per phase tasks, attempts and times, skew, counters, efficiency, and where to look on.
 * Times come from the traces of the workers, which outlive every process.
 */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type AttemptId, attemptKey } from '../../core/ids.js';
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
  /** Time in finished attempts over slots × time: 1 would be no time lost. Unknown of a run that was resumed. */
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
  const { maps, reduces, heaviest } = await workOf(layout.trace, request.spec.maps);
  const sorted = [...partBytes].sort((a, b) => a - b);
  const busyUs = [...maps.times, ...reduces.times].reduce((sum, time) => sum + time, 0);
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
    ...(resumed ? {} : { efficiency: tookUs > 0 ? busyUs / (slots * tookUs) : 0 }),
    trace: layout.trace,
  };
}

function phaseSummary(phase: PhaseStatus, { begun, times }: PhaseWork): PhaseSummary {
  const sorted = [...times].sort((a, b) => a - b);
  const { attempts, failed, stale, speculative, invalidated } = phase;
  return {
    tasks: phase.total,
    // A leader knows of those since it leads, the traces of those whose workers had room to write them.
    attempts: Math.max(attempts, begun),
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

/** What the workers of a run did in one phase. */
interface PhaseWork {
  /** Attempts that began. */
  begun: number;
  /** How long each attempt ran that came to its end, by the clock of its worker. */
  readonly times: number[];
}

interface Work {
  readonly maps: PhaseWork;
  readonly reduces: PhaseWork;
  heaviest: Heaviest | undefined;
}

async function workOf(directory: string, maps: number): Promise<Work> {
  const work: Work = {
    maps: { begun: 0, times: [] },
    reduces: { begun: 0, times: [] },
    heaviest: undefined,
  };
  const phaseOf = ({ task }: AttemptId): PhaseWork => (task < maps ? work.maps : work.reduces);
  const began = new Map<string, number>();
  for await (const [file, line] of traceLines(directory, 'worker-', [
    '"attempt.run"',
    '"attempt.finished"',
  ])) {
    const { at, event, effects } = line;
    if (event.type === 'attempt.finished') {
      const since = began.get(`${file} ${attemptKey(event.attempt)}`);
      if (since !== undefined) phaseOf(event.attempt).times.push(at - since);
      if (event.heaviest && event.heaviest.records > (work.heaviest?.records ?? 0))
        work.heaviest = event.heaviest;
    }
    for (const effect of effects) {
      if (effect.type !== 'attempt.run') continue;
      phaseOf(effect.attempt).begun++;
      began.set(`${file} ${attemptKey(effect.attempt)}`, at);
    }
  }
  return work;
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
