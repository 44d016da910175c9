/** What the traces of a run tell of how far its journal had come. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runLayout } from '../../../runtime/node/layout.js';
import { formerPlace } from '../../../runtime/run/former-masters.js';

let data: string;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'rehearse-former-'));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const entry = (slot: number, epoch?: number) => {
  const leader = { node: 'master-1', incarnation: 1 };
  return {
    slot,
    records:
      epoch === undefined ? [{ type: 'job.published', job: 1 }] : [{ type: 'leader.began', epoch, leader }],
  };
};
const appended = (slot: number, epoch?: number) => ({
  event: { type: 'journal.appended', entry: entry(slot, epoch) },
});
const read = (...entries: object[]) => ({ event: { type: 'journal.entries', from: 1, entries, end: true } });

function placeIn(traces: Readonly<Record<string, readonly object[]>>) {
  const layout = runLayout(data, 'run');
  mkdirSync(layout.trace, { recursive: true });
  for (const [name, lines] of Object.entries(traces)) {
    const text = [{ trace: 'trace.v1' }, ...lines].map((line) => JSON.stringify(line)).join('\n');
    writeFileSync(join(layout.trace, `${name}.ndjson`), `${text}\n{"event":{"type":"journal.appended","entr`);
  }
  return formerPlace(layout, ['master-1', 'master-2']);
}

it('is the last slot of the last epoch that any life of a master has seen', async () => {
  const traces = {
    'master-1.1': [appended(1, 1), appended(2), appended(9)],
    'master-2.1': [read(entry(1, 1), entry(2)), read(entry(3, 2)), appended(4)],
    'master-1.1001': [],
    'worker-1.1': [appended(99, 99)],
  };
  expect(await placeIn(traces)).toEqual({ epoch: 2, slot: 4 });
});

it('is nothing where no trace tells in which epoch a slot was', async () => {
  expect(await formerPlace(runLayout(data, 'run'), ['master-1'])).toBeUndefined();
  expect(await placeIn({ 'master-1.1': [read(entry(7))] })).toBeUndefined();
});
