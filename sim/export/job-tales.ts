/** What a run's traces tell of its jobs: names, outcomes, counters. */
import type { JobId } from '../../core/ids.js';
import type { Message } from '../../core/messages.js';
import type { Counters, JournalRecord } from '../../core/records.js';
import type { MergedStep } from '../explain/merge.js';
import { entriesOf } from '../journal-entries.js';

export interface JobTale {
  readonly job: JobId;
  /** Absent when no trace tells of its acceptance. */
  name?: string;
  maps?: number;
  reduces?: number;
  beganUs?: number;
  endedUs?: number;
  /** `published`, `failed: …`, or `no end is recorded`. */
  outcome: string;
  /** Sums over committed tasks, as the last status said. */
  counters: Counters;
}

/** By number. */
export function jobTales(steps: readonly MergedStep[]): JobTale[] {
  const tales = new Map<JobId, JobTale>();
  const taleOf = (job: JobId): JobTale => {
    const tale = tales.get(job) ?? { job, outcome: 'no end is recorded', counters: [] };
    tales.set(job, tale);
    return tale;
  };
  for (const { atUs, line } of steps) {
    for (const { records } of entriesOf(line.event)) for (const record of records) hear(record, atUs, taleOf);
    if (line.event.type === 'message.received') hearStatus(line.event.message, taleOf);
    for (const effect of line.effects) if (effect.type === 'message.send') hearStatus(effect.message, taleOf);
  }
  return [...tales.values()].sort((a, b) => a.job - b.job);
}

function hear(record: JournalRecord, atUs: number, taleOf: (job: JobId) => JobTale): void {
  switch (record.type) {
    case 'job.accepted': {
      const tale = taleOf(record.job);
      const { name, maps, reduces } = record.spec;
      Object.assign(tale, { name, maps, reduces });
      tale.beganUs ??= atUs;
      return;
    }
    case 'job.published':
      return conclude(taleOf(record.job), 'published', atUs);
    case 'job.failed':
      return conclude(taleOf(record.job), `failed: ${record.failure.message}`, atUs);
  }
}

function conclude(tale: JobTale, outcome: string, atUs: number): void {
  tale.outcome = outcome;
  tale.endedUs ??= atUs;
}

function hearStatus(message: Message, taleOf: (job: JobId) => JobTale): void {
  if (message.type === 'job.status' && message.counters.length > 0)
    taleOf(message.job).counters = message.counters;
}
