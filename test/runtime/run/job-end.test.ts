/** How a job has ended, as its journal tells: also when the record that says so was trimmed away behind a snapshot. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { applyEntry } from '../../../core/durable/apply.js';
import { cutText, packState } from '../../../core/durable/snapshot.js';
import { emptyDurable } from '../../../core/durable/state.js';
import type { JobFailure, JournalRecord } from '../../../core/records.js';
import { runLayout } from '../../../runtime/node/layout.js';
import { readJobEnd } from '../../../runtime/run/job-end.js';
import { FileJournal } from '../../../runtime/store/file-journal.js';
import { specOf } from '../../core/bench.js';

let data: string;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'rehearse-end-'));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

/** The journal of a job that came to this end, if to any; with a snapshot in several parts, and all before it trimmed. */
async function journalWith(ends: readonly JournalRecord[], snapshot: boolean): Promise<void> {
  const journal = await FileJournal.open<JournalRecord>(runLayout(data, 'run').journal);
  const state = emptyDurable();
  const append = async (record: JournalRecord): Promise<string> => {
    const batch = { nonce: `n${state.slot + 1}`, after: state.nonce, records: [record] };
    const answer = await journal.append(state.slot + 1, batch, 10_000);
    expect(answer.outcome).toBe('ok');
    applyEntry(state, { slot: state.slot + 1, ...batch });
    return batch.nonce;
  };
  await append({ type: 'leader.began', epoch: 1, leader: { node: 'master-1', incarnation: 1 } });
  const spec = specOf({ maps: 1, reduces: 0 });
  await append({ type: 'job.accepted', job: 1, requestId: 'run', spec });
  for (const end of ends) await append(end);
  if (snapshot) {
    const texts = cutText(packState(state), 500);
    const parts = texts.length;
    expect(parts).toBeGreaterThan(1);
    const slot = state.slot + 1;
    const nonces: string[] = [];
    for (const [index, text] of texts.entries())
      nonces.push(await append({ type: 'snapshot', part: index + 1, parts, text }));
    await journal.trim(slot, nonces[0]!);
    expect((await journal.read(1, 10)).first).toBe(slot);
  }
  await journal.close();
}

const failure: JobFailure = { reason: 'disk', message: 'full' };
const committed: JournalRecord = {
  type: 'task.committed',
  attempt: { job: 1, task: 0, epoch: 1, n: 1 },
  holder: { node: 'worker-1', incarnation: 1 },
  output: { digest: 'd', bytes: 1, records: 1, inputs: '' },
  counters: [],
};
const publishing: JournalRecord = { type: 'job.publishing', job: 1 };

const endings: [string, JournalRecord[], object | undefined][] = [
  ['published', [committed, publishing, { type: 'job.published', job: 1 }], { type: 'published' }],
  ['failed', [{ type: 'job.failed', job: 1, failure }], { type: 'failed', failure }],
  ['no end', [committed, publishing], undefined],
];

it.each(endings)('a journal tells of %s', async (_title, ends, expected) => {
  await journalWith(ends, false);
  expect(await readJobEnd(runLayout(data, 'run'))).toEqual(expected);
});

it.each(endings)('what is left of a trimmed journal tells of %s', async (_title, ends, expected) => {
  await journalWith(ends, true);
  expect(await readJobEnd(runLayout(data, 'run'))).toEqual(expected);
});
