/**
 * How the job of a run has ended: what its journal says, which nobody else can change. The output's place may be another
 * run's by now.
 */
import { unpackState } from '../../core/durable/snapshot.js';
import type { JobFailure, JournalEntry, JournalRecord } from '../../core/records.js';
import type { RunLayout } from '../node/layout.js';
import { FileJournal } from '../store/file-journal.js';
import type { Journal } from '../store/ports.js';

export type JobEnd =
  | { readonly type: 'published' }
  | { readonly type: 'failed'; readonly failure: JobFailure };

/** Undefined when it has not ended. No process of the run may be alive. Throws what the store says. */
export async function readJobEnd(layout: RunLayout): Promise<JobEnd | undefined> {
  const journal = await FileJournal.open<JournalRecord>(layout.journal);
  try {
    let end: JobEnd | undefined;
    let snapshot = '';
    for await (const { records } of entriesOf(journal)) {
      for (const record of records) {
        if (record.type === 'job.published') end = { type: 'published' };
        if (record.type === 'job.failed') end = { type: 'failed', failure: record.failure };
        if (record.type !== 'snapshot') continue;
        snapshot = record.part === 1 ? record.text : snapshot + record.text;
        if (record.part === record.parts) end = endIn(snapshot);
      }
    }
    return end;
  } finally {
    await journal.close();
  }
}

const entriesAtOnce = 1000;

async function* entriesOf(journal: Journal<JournalRecord>): AsyncGenerator<JournalEntry> {
  for (let from = 1; ; ) {
    const { entries, end, first } = await journal.read(from, entriesAtOnce);
    yield* entries;
    if (end) return;
    from = Math.max(first, from + entries.length);
  }
}

/** What was said below a snapshot may be trimmed. */
function endIn(snapshot: string): JobEnd | undefined {
  const job = unpackState(snapshot).jobs[0];
  if (job?.phase === 'published') return { type: 'published' };
  return job?.phase === 'failed' ? { type: 'failed', failure: job.failure! } : undefined;
}
