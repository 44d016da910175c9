import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { defaultClusterConfig } from '../../../core/config.js';
import { runLayout } from '../../../runtime/node/layout.js';
import { Supervisor } from '../../../runtime/process/supervisor.js';
import { temporaryDirectory } from '../data/temporary.js';

it('A process that cannot be written down when it is started again ends the run with the reason', async () => {
  const dataDirectory = temporaryDirectory();
  const layout = runLayout(dataDirectory, 'run');
  const register = join(layout.root, 'processes');
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  const supervisor = new Supervisor({
    config: defaultClusterConfig,
    layout,
    dataDirectory,
    addresses: [],
    incarnationBase: 0,
    workers: ['worker-1'],
    masters: [],
    slots: 1,
    heapMiB: 128,
    masterLeads: new Promise(() => {}),
    observer: {
      ended: () => {
        rmSync(register, { recursive: true, force: true });
        mkdirSync(register); // a folder in the place of the file
      },
    },
    failed: fail,
  });
  onTestFinished(() => supervisor.killAll());
  supervisor.start();
  supervisor.signal('worker-1', 'SIGKILL');
  expect((await failed).message).toMatch(/EISDIR/);
});
