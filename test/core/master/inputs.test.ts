import { describe, expect, test } from 'vitest';
import type { Trouble } from '../../../core/durable/state.js';
import type { AttemptId } from '../../../core/ids.js';
import { mayRun } from '../../../core/master/placement.js';
import { type Bench, benchWith, type FakeWorker, second, specOf } from '../bench.js';

const local = { config: { mapOutputs: 'worker' } } as const;

/** One map, committed by worker-1, and reduces that read it; a slot for each. */
function reducing(workers: number, reduces = 1): { bench: Bench; workers: FakeWorker[]; map: AttemptId } {
  const made = benchWith(workers, specOf({ maps: 1, reduces }), local);
  const map = made.workers[0]!.running[0]!;
  made.bench.complete(made.workers[0]!, map);
  return { ...made, map };
}

function readerOf(workers: readonly FakeWorker[], task: number): [FakeWorker, AttemptId] {
  for (const worker of workers) {
    const attempt = worker.running.find((one) => one.task === task);
    if (attempt) return [worker, attempt];
  }
  throw new Error(`nobody runs task ${task}`);
}

function invalidated(bench: Bench): number {
  return bench.records().filter((record) => record.type === 'task.invalidated').length;
}

describe('a holder that does not answer a reader', () => {
  test('is not at fault alone: the reader is moved, and the output stays', () => {
    const { bench, workers, map } = reducing(3);
    const [reader, reduce] = readerOf(workers, 1);
    expect(reader.node).not.toBe('worker-1');
    bench.starve(reader, reduce, map, 'unreachable');
    expect(invalidated(bench)).toBe(0);
    const [next] = readerOf(workers, 1);
    expect(next.node).not.toBe(reader.node);
    expect(bench.job().troubles.get(1)).toBeUndefined();
  });

  test('is at fault when a second reader says the same', () => {
    const { bench, workers, map } = reducing(4, 2);
    const readers = [readerOf(workers, 1), readerOf(workers, 2)];
    for (const [reader, reduce] of readers) bench.starve(reader, reduce, map, 'unreachable');
    expect(bench.records()).toContainEqual({ type: 'task.invalidated', attempt: map, reason: 'unreachable' });
    bench.completeAll();
    expect(bench.job().phase).toBe('publishing');
  });

  test('said twice by one reader is said once', () => {
    const { bench, workers, map } = reducing(3);
    const [reader, reduce] = readerOf(workers, 1);
    for (let time = 0; time < 2; time++) bench.starve(reader, { ...reduce }, map, 'unreachable');
    expect(invalidated(bench)).toBe(0);
  });

  test('keeps the job’s reduces from that reader while another can read', () => {
    const { bench, workers, map } = reducing(3, 3);
    const [reader, reduce] = readerOf(workers.slice(1), 2);
    bench.starve(reader, reduce, map, 'unreachable');
    expect(bench.runs(reader)).toEqual([]);
    bench.pass(5 * second);
    expect(bench.runs(reader)).toEqual([]);
    bench.submit(specOf({ maps: 1, output: '/other' }), 'request-2');
    expect(reader.running).toMatchObject([{ job: 2, task: 0 }]);
  });

  test('does not keep a reader away for whom there is no other', () => {
    const { bench, workers, map } = reducing(2);
    bench.hangUp(workers[0]!);
    const [reader, reduce] = readerOf(workers, 1);
    if (reader.node === 'worker-1') return expect.unreachable();
    bench.starve(reader, reduce, map, 'unreachable');
    expect(bench.runs(reader)).toEqual(['reduce-0@2']);
  });

  test('is asked again after either of the two has a new session', () => {
    for (const who of [0, 1]) {
      const { bench, workers, map } = reducing(3, 3);
      const [reader, reduce] = readerOf(workers.slice(1), 2);
      bench.starve(reader, reduce, map, 'unreachable');
      const node = who === 0 ? workers[0]! : reader;
      bench.hangUp(node);
      bench.join(node.node);
      expect(bench.master.leading!.jobs.get(1)!.unreadable.size).toBe(0);
    }
  });
});

describe('two workers that cannot read from each other', () => {
  test('do not give a reduce to and fro for ever: what one of them cannot read is made again where it can', () => {
    const made = benchWith(2, specOf({ maps: 2, reduces: 1 }), local);
    const { bench, workers } = made;
    const maps = workers.map((worker) => worker.running[0]!);
    for (const [index, worker] of workers.entries()) bench.complete(worker, maps[index]!);
    const other = (worker: FakeWorker): FakeWorker => workers.find((one) => one !== worker)!;
    const unreadable = (reader: FakeWorker): AttemptId => maps[workers.indexOf(other(reader))]!;
    const [first, before] = readerOf(workers, 2);
    bench.starve(first, before, unreadable(first), 'unreachable');
    expect(invalidated(bench)).toBe(0);
    const [second, again] = readerOf(workers, 2);
    expect(second).toBe(other(first));
    bench.starve(second, again, unreadable(second), 'unreachable');
    expect(invalidated(bench)).toBe(1);
    expect(second.running.map(({ task }) => task)).toEqual([unreadable(second).task]);
    bench.completeAll();
    expect(bench.job().phase).toBe('publishing');
  });
});

test('a reduce goes where it failed before rather than where it cannot read', () => {
  const { bench } = reducing(3);
  const job = bench.job();
  const { leading } = bench.master;
  const view = leading!.jobs.get(1)!;
  view.unreadable.set('worker-1', ['worker-2', 'worker-3']);
  const trouble = { failed: 1, timedOut: 0, deaths: 0, dead: [], invalidated: 0 };
  job.troubles.set(1, { ...trouble, nodes: ['worker-1'] } as unknown as Trouble);
  const may = (node: string): boolean => mayRun(leading!, view, job, 1, node);
  expect(['worker-1', 'worker-2', 'worker-3'].map(may)).toEqual([true, false, false]);
});

describe('a holder that answers', () => {
  test.each(['missing', 'corrupt'] as const)('%s: the map is made again at once', (reason) => {
    const { bench, workers, map } = reducing(3);
    bench.starve(...readerOf(workers, 1), map, reason);
    expect(bench.records()).toContainEqual({ type: 'task.invalidated', attempt: map, reason });
  });
});

describe('a reduce that was given back', () => {
  test('is answered, so that the worker need not say it again', () => {
    const { bench, workers, map } = reducing(3);
    const [reader, reduce] = readerOf(workers, 1);
    bench.starve(reader, reduce, map, 'missing');
    expect(bench.verdicts(reader)).toContain('reduce-0@1 given-back');
    expect(reader.starved).toEqual([]);
  });

  test('and whose word was lost with its session, is said in the next hello', () => {
    const { bench, workers, map } = reducing(3);
    const [reader, reduce] = readerOf(workers, 1);
    bench.hangUp(reader);
    bench.starve(reader, reduce, map, 'missing');
    expect(invalidated(bench)).toBe(0);
    bench.join(reader.node);
    expect(bench.decided('input-reported-unreadable')).toHaveLength(1);
    expect(invalidated(bench)).toBe(1);
    expect(bench.decided('attempt-revoked')).toMatchObject([{ facts: { why: 'input-unreadable' } }]);
  });
});
