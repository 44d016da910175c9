import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { AttemptId } from '../../../core/ids.js';
import type { ThreadResult } from '../../../runtime/executor/messages.js';
import { storeWorkOrder, type WorkOrder } from '../../../runtime/node/work-order.js';
import { sha256 } from '../../../runtime/sha256.js';
import { FileFiles } from '../../../runtime/store/file-files.js';
import { temporaryDirectory } from '../data/temporary.js';

const BUILT = fileURLToPath(new URL('../../../dist/runtime/executor/executor-pool.js', import.meta.url));

type Pools = typeof import('../../../runtime/executor/executor-pool.js');
type Result = ThreadResult | { readonly type: 'aborted' };

const code = `export default { name: 'nothing', map() {}, reduce: () => 0 };\n`;
const order: WorkOrder = {
  runId: 'run',
  code: { kind: 'bundle', name: 'job.ts', hash: sha256(code) },
  params: {},
  seed: '0',
  budgetBytes: 1 << 20,
  overwrite: false,
  files: [],
  splits: [[]],
};

interface OneThread {
  (): Promise<Result>;
  /** Ends the attempt that runs. */
  abort(): void;
}

/** Runs a map that reads nothing, each time in the same thread. */
async function oneThread(folder: string, filesDirectory: string, work: string): Promise<OneThread> {
  const { ExecutorPool } = (await import(BUILT)) as Pools;
  let tell: (result: Result) => void = () => {};
  const pool = new ExecutorPool({
    slots: 1,
    filesDirectory,
    workDirectory: folder,
    bundleDirectory: join(folder, 'bundle'),
    logsDirectory: folder,
    heapMiB: 128,
    ended: (_, result) => tell(result),
  });
  onTestFinished(() => pool.close());
  let n = 0;
  const attempt = (): AttemptId => ({ job: 1, task: 0, epoch: 1, n });
  const run = (): Promise<Result> =>
    new Promise((resolve) => {
      tell = resolve;
      n++;
      const task = { attempt: attempt(), work, maps: 1, reduces: 1, begunAtMs: 0, attemptsDirectory: folder };
      pool.run({ type: 'task', ...task });
    });
  return Object.assign(run, { abort: () => pool.abort(attempt()) });
}

describe.skipIf(!existsSync(BUILT))('a thread of executors (needs the build in dist/)', () => {
  it('that finds no store, no order or no code finds it later, once it is there', async () => {
    const folder = temporaryDirectory();
    const disk = join(folder, 'disk');
    const work = await storeWorkOrder(await FileFiles.open(join(folder, 'elsewhere')), order);
    const run = await oneThread(folder, join(disk, 'files'), work);
    writeFileSync(disk, 'a file in the place of a folder');
    expect(await run()).toMatchObject({
      type: 'broke',
      failure: { message: expect.stringMatching(/ENOTDIR/) },
    });
    rmSync(disk);
    expect(await run()).toMatchObject({
      type: 'store-damaged',
      message: expect.stringMatching(/the work order .* is not/),
    });
    const files = await FileFiles.open(join(disk, 'files'));
    await storeWorkOrder(files, order);
    expect(await run()).toMatchObject({
      type: 'store-damaged',
      message: expect.stringMatching(/the code of job .* is not/),
    });
    await files.putIfAbsent(sha256(code), Buffer.from(code));
    expect(await run()).toMatchObject({ type: 'finished', records: 0 });
  });

  it('lets code that waits hear that it is no longer wanted, and ends it all the same', async () => {
    const folder = temporaryDirectory();
    const files = await FileFiles.open(join(folder, 'files'));
    const waiting = `
      import { writeFileSync } from 'node:fs';
      const setup = (ctx) => new Promise(() => {
        ctx.signal.addEventListener('abort', () => writeFileSync(ctx.params.heard, String(ctx.signal.aborted)));
        writeFileSync(ctx.params.begun, '');
      });
      export default { name: 'waits', setup, map() {}, reduce: () => 0 };`;
    await files.putIfAbsent(sha256(waiting), Buffer.from(waiting));
    const params = { begun: join(folder, 'begun'), heard: join(folder, 'heard') };
    const waits = {
      ...order,
      params,
      code: { kind: 'bundle', name: 'job.ts', hash: sha256(waiting) },
    } as const;
    const run = await oneThread(folder, join(folder, 'files'), await storeWorkOrder(files, waits));
    const ended = run();
    await vi.waitUntil(() => existsSync(params.begun), { timeout: 30_000 });
    run.abort();
    expect(await ended).toEqual({ type: 'aborted' });
    expect(readFileSync(params.heard, 'utf8')).toBe('true');
  });

  it('goes on while nobody can ask how much memory the process has', async () => {
    const folder = temporaryDirectory();
    const files = await FileFiles.open(join(folder, 'files'));
    const slow = `await new Promise((resolve) => setTimeout(resolve, 1000));\n${code}`;
    await files.putIfAbsent(sha256(slow), Buffer.from(slow));
    const ofSlow = { ...order, code: { kind: 'bundle', name: 'job.ts', hash: sha256(slow) } } as const;
    const run = await oneThread(folder, join(folder, 'files'), await storeWorkOrder(files, ofSlow));
    const asked = vi.spyOn(process.memoryUsage, 'rss').mockImplementation(() => {
      throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
    });
    onTestFinished(() => asked.mockRestore());
    expect(await run()).toMatchObject({ type: 'finished', records: 0 });
    expect(asked).toHaveBeenCalled();
  });
});
