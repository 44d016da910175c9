import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type FinishedRun, summarize } from '../../cli/run/summary.js';
import type { JobStatus } from '../../core/messages.js';
import { runLayout, tracePath } from '../../runtime/node/layout.js';
import { newFolder } from './command.js';

describe('the times of attempts', () => {
  it('are taken by one clock each: what one master gave and another committed has none', async () => {
    const folder = newFolder();
    const layout = runLayout(folder, 'run');
    mkdirSync(layout.trace, { recursive: true });
    const decided = (at: number, decision: string, n: number): string =>
      `${JSON.stringify({ at, effects: [{ type: 'decide', decision, attempt: { job: 1, task: 0, epoch: 1, n } }] })}\n`;
    const first = decided(10, 'attempt-assigned', 1) + decided(11, 'attempt-assigned', 2);
    writeFileSync(tracePath(layout, 'master-1', 1), first + decided(18, 'task-committed', 2));
    writeFileSync(tracePath(layout, 'master-2', 1), decided(500, 'task-committed', 1));

    const phase = { total: 1, attempts: 2, failed: 0, stale: 0, speculative: 0, invalidated: 0 };
    const status = { maps: phase, reduces: phase, counters: [] } as unknown as JobStatus;
    const spec = { name: 'job', maps: 1, output: layout.output };
    const run = { request: { spec }, layout, order: { files: [] }, tookUs: 1 } as unknown as FinishedRun;
    expect((await summarize(status, run, [])).maps).toMatchObject({ p50Us: 7, maxUs: 7 });
  });
});
