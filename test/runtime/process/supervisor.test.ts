import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, vi } from 'vitest';
import { defaultClusterConfig } from '../../../core/config.js';
import { runLayout } from '../../../runtime/node/layout.js';
import type { Said } from '../../../runtime/process/child-setup.js';
import {
  Supervisor,
  type SupervisorOptions,
  type UnbegunError,
} from '../../../runtime/process/supervisor.js';
import { temporaryDirectory } from '../data/temporary.js';

const BUILT = fileURLToPath(new URL('../../../dist/runtime/process/supervisor.js', import.meta.url));

function onlyOne(role: 'master' | 'worker', dataDirectory: string): Omit<SupervisorOptions, 'observer'> {
  const node = `${role}-1`;
  return {
    config: { ...defaultClusterConfig, masters: ['master-1'] },
    layout: runLayout(dataDirectory, 'run'),
    dataDirectory,
    addresses: [['master-1', join(dataDirectory, 'master-1.sock')]],
    incarnationBase: 0,
    workers: role === 'worker' ? [node] : [],
    masters: role === 'master' ? [node] : [],
    slots: 1,
    heapMiB: 128,
    masterLeads: new Promise(() => {}),
    failed: (error) => {
      throw error;
    },
  };
}

it('A process that cannot be written down when it is started again ends the run with the reason', async () => {
  const dataDirectory = temporaryDirectory();
  const layout = runLayout(dataDirectory, 'run');
  const register = layout.processes;
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  const supervisor = new Supervisor({
    ...onlyOne('worker', dataDirectory),
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

it('Processes that all end before they have begun end the run; one that was killed is not counted', async () => {
  const dataDirectory = temporaryDirectory();
  const hows: string[] = [];
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  // Beside the sources there is no program of a child.
  const supervisor = new Supervisor({
    ...onlyOne('worker', dataDirectory),
    observer: {
      started: (node, incarnation) => void (incarnation === 1 && supervisor.signal(node, 'SIGKILL')),
      ended: (_node, _incarnation, how) => void hows.push(how),
    },
    failed: fail,
  });
  onTestFinished(() => supervisor.killAll());
  supervisor.start();
  const error = await failed;
  expect(hows).toEqual(['SIGKILL', '1', '1', '1', '1', '1', '1']);
  expect(error).toMatchObject({ name: 'UnbegunError', node: 'worker-1', how: '1' });
  expect(readFileSync((error as UnbegunError).log, 'utf8')).toContain('Cannot find module');
});

it('A process that does not begin, as one that hangs in its start, is killed and started again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  let tell: (how: string) => void = () => {};
  const ended = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const supervisor = new Supervisor({
    ...onlyOne('worker', temporaryDirectory()),
    observer: {
      started: (node) => void supervisor.signal(node, 'SIGSTOP'),
      ended: (_node, _incarnation, how) => tell(how),
    },
  });
  onTestFinished(() => supervisor.killAll());
  supervisor.start();
  vi.advanceTimersByTime(30_000);
  expect(await ended).toBe('it hung');
});

it.skipIf(!existsSync(BUILT))(
  'A node hears what it is told right behind its setup (needs the build)',
  async () => {
    const built = (await import(BUILT)) as typeof import('../../../runtime/process/supervisor.js');
    const dataDirectory = temporaryDirectory();
    const options = onlyOne('master', dataDirectory);
    mkdirSync(options.layout.trace, { recursive: true });
    const points = [{ name: 'master.before_append', action: 'kill', fault: 7 }] as const;
    let tell = (_: Said): void => {};
    const first = new Promise<Said>((resolve) => {
      tell = resolve;
    });
    const supervisor = new built.Supervisor({
      ...options,
      observer: {
        started: (node) => void supervisor.tell(node, { type: 'points', points }),
        said: (_, message) => {
          // Either it is hit before it appends anything, or it has appended.
          if (
            message.type === 'point' ||
            (message.type === 'step' && message.event.type === 'journal.appended')
          )
            tell(message);
        },
      },
      rehearsed: { points: () => [] },
    });
    onTestFinished(() => supervisor.killAll());
    supervisor.start();
    expect(await first).toMatchObject({ type: 'point', point: { fault: 7 } });
  },
);
