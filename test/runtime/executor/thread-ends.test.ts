import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ExecutorPool } from '../../../runtime/executor/executor-pool.js';
import type { ThreadResult, ThreadTask } from '../../../runtime/executor/messages.js';
import { temporaryDirectory } from '../data/temporary.js';

/** A thread that does nothing by itself: the test says when its result comes, and when it ends. */
class StillThread extends EventEmitter {
  readonly stdout = new EventEmitter();
  readonly stderr = new EventEmitter();
  readonly tasks: ThreadTask[] = [];

  postMessage(message: ThreadTask): void {
    if (message.type === 'task') this.tasks.push(message);
  }

  async terminate(): Promise<number> {
    return 1; // its `exit` comes later, as a real one's does
  }
}

const threads: StillThread[] = [];
vi.mock('../../../runtime/executor/start-thread.js', () => ({
  takeThread: () => {
    const thread = new StillThread();
    threads.push(thread);
    return { thread, gauge: new Float64Array(4) };
  },
}));

beforeEach(() => {
  threads.length = 0;
});

const result: ThreadResult = {
  type: 'finished',
  digest: '',
  bytes: 0,
  records: 0,
  inputs: '',
  counters: [],
};

const attempt = (n: number) => ({ job: 1, task: 0, epoch: 1, n });

/** A pool of one slot that begins the next attempt as soon as one has ended, as a worker does, and says how each ended. */
function onePool(attempts: number) {
  const folder = temporaryDirectory();
  const ends: unknown[] = [];
  const run = (n: number): void =>
    pool.run({
      type: 'task',
      attempt: attempt(n),
      work: '',
      maps: 1,
      reduces: 1,
      begunAtMs: 0,
      attemptsDirectory: folder,
    });
  const pool = new ExecutorPool({
    slots: 1,
    filesDirectory: folder,
    workDirectory: folder,
    bundleDirectory: folder,
    logsDirectory: folder,
    heapMiB: 128,
    ended: ({ n }, { type, ...rest }) => {
      ends.push([n, 'failure' in rest ? rest.failure.kind : type]);
      if (n < attempts) run(n + 1);
    },
  });
  onTestFinished(() => pool.close());
  run(1);
  return { pool, run, ends };
}

describe('the end of an executor thread', () => {
  it('that is ended for its memory is never blamed on the attempt after, though a result was on its way', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const size = vi.spyOn(process.memoryUsage, 'rss').mockReturnValue(2 ** 40);
    onTestFinished(() => size.mockRestore());
    const { ends } = onePool(2);
    vi.advanceTimersByTime(100);
    size.mockReturnValue(0);
    threads[0]!.emit('message', result);
    threads[0]!.emit('exit', 1);
    expect(ends).toEqual([[1, 'memory']]);
    threads[1]!.emit('message', result);
    expect(ends).toEqual([
      [1, 'memory'],
      [2, 'finished'],
    ]);
  });

  it('that throws after its result gets no other attempt', () => {
    const { run, ends } = onePool(1);
    threads[0]!.emit('message', result);
    threads[0]!.emit('error', new Error('thrown later'));
    run(2);
    threads[0]!.emit('exit', 1);
    threads[1]!.emit('message', result);
    expect(ends).toEqual([
      [1, 'finished'],
      [2, 'finished'],
    ]);
  });

  it('leaves no more threads than there are slots, though the next attempt begins at once', () => {
    const { pool } = onePool(2);
    pool.abort(attempt(1));
    threads[0]!.emit('exit', 1);
    expect(threads.map(({ tasks }) => tasks.length)).toEqual([1, 1]);
  });
});
