import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type FinishedRun, summarize } from '../../cli/run/summary.js';
import type { JobStatus } from '../../core/messages.js';
import { runLayout, tracePath } from '../../runtime/node/layout.js';
import { newFolder } from './command.js';

describe('the attempts of a summary', () => {
  it('are those that began on any worker, and took the time that they ran there, by its own clock', async () => {
    const folder = newFolder();
    const layout = runLayout(folder, 'run');
    mkdirSync(layout.trace, { recursive: true });
    const line = (at: number, event: object, effects: object[] = []): string =>
      `${JSON.stringify({ at, event, effects })}\n`;
    const attempt = (task: number, n: number) => ({ job: 1, task, epoch: 1, n });
    const run = (task: number, n: number) => ({ type: 'attempt.run', attempt: attempt(task, n) });
    const finished = (task: number, n: number, more = {}) => ({
      type: 'attempt.finished',
      attempt: attempt(task, n),
      ...more,
    });
    writeFileSync(
      tracePath(layout, 'worker-1', 1),
      line(10, { type: 'message.received' }, [run(0, 1)]) + line(17, finished(0, 1), [run(1, 1)]),
    );
    // What began in a former life cannot have ended in a later one.
    writeFileSync(
      tracePath(layout, 'worker-1', 2),
      line(500, finished(1, 1), [run(1, 2)]) +
        line(900, finished(1, 2, { heaviest: { key: 'k', records: 3 } })),
    );

    const phase = { total: 1, attempts: 1, failed: 0, stale: 0, speculative: 0, invalidated: 0 };
    const status = { maps: phase, reduces: phase, counters: [] } as unknown as JobStatus;
    const spec = { name: 'job', maps: 1, output: layout.output };
    const request = { spec, workers: 1, slots: 1 };
    const over = { request, layout, order: { files: [] }, tookUs: 1000 } as unknown as FinishedRun;
    expect(await summarize(status, over, [])).toMatchObject({
      maps: { attempts: 1, p50Us: 7, maxUs: 7 },
      reduces: { attempts: 2, p50Us: 400, maxUs: 400 },
      skew: { heaviest: { key: 'k', records: 3 } },
      efficiency: 0.407,
    });
  });
});
