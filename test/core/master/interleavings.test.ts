import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isTerminal, sumCounters } from '../../../core/durable/state.js';
import { type AttemptId, attemptKey } from '../../../core/ids.js';
import { Bench, type FakeWorker, second, specOf } from '../bench.js';

const slots = 2;
const nodes = ['worker-1', 'worker-2', 'worker-3'];

/** How often each thing happens, relative to the others. */
const weights = {
  deliver: 6,
  finish: 8,
  confirm: 8,
  beat: 2,
  stop: 3,
  fail: 1,
  repeat: 2,
  starve: 1,
  differ: 1,
  outdated: 1,
  hangUp: 2,
  return: 3,
  crash: 1,
  unclearDone: 1,
  unclearLost: 1,
  retry: 2,
  loseLease: 1,
  rival: 1,
  moment: 3,
  longSilence: 1,
  published: 1,
  submit: 1,
} as const;

type Action = keyof typeof weights;

/** One master and three workers, to which anything may happen in any order. */
class Cluster {
  readonly bench: Bench;
  readonly reports: { node: string; report: FakeWorker['finished'][number] }[] = [];
  readonly assigned = new Set<string>();
  readonly #lateReports: 'first-commit' | 'owner-only';
  #submits = 0;

  constructor(mapOutputs: 'shared' | 'worker', lateReports: 'first-commit' | 'owner-only') {
    this.#lateReports = lateReports;
    this.bench = new Bench({ config: { mapOutputs } });
    this.bench.confirming = false;
    this.bench.delivering = false;
    this.submit();
    for (const node of nodes) this.bench.join(node, { slots });
  }

  /** Two jobs, and then the first one again. */
  submit(): void {
    const id = ++this.#submits <= 2 ? this.#submits : 1;
    const lateReports = this.#lateReports;
    const policy = { lateReports, speculation: true, maxAttempts: 6, taskTimeoutUs: 20 * second };
    this.bench.submit(specOf({ maps: 3, reduces: 2, output: `/out-${id}` }, policy), `request-${id}`);
  }

  perform(action: Action, a: number, b: number): void {
    const { bench } = this;
    const worker = bench.workers.get(nodes[a % nodes.length]!)!;
    const attempt = worker.running[b % Math.max(1, worker.running.length)];
    switch (action) {
      case 'deliver':
        return this.deliver(worker);
      case 'finish':
        return this.finish(worker, attempt, {});
      case 'differ':
        return this.finish(worker, attempt, { digest: `different-${b}` });
      case 'outdated':
        return this.finish(worker, attempt, { inputs: 'outdated' });
      case 'fail':
        if (attempt) bench.fail(worker, attempt);
        return;
      case 'starve':
        return this.starve(worker, b);
      case 'stop':
        if (worker.stopping[0]) bench.stopped(worker, worker.stopping[0]);
        return;
      case 'repeat': {
        const { node, report } = this.reports[b % Math.max(1, this.reports.length)] ?? {};
        if (node && report) bench.report(bench.workers.get(node)!, report);
        return;
      }
      case 'beat':
        return bench.beat(worker);
      case 'hangUp':
        return bench.hangUp(worker);
      case 'return':
        return void bench.join(worker.node);
      case 'crash': {
        bench.hangUp(worker);
        const { incarnation } = worker;
        if (b % 2 === 0) bench.pass(2 * second, [worker]);
        const previous = { incarnation, end: b % 3 === 0 ? 'killed' : 'crashed' } as const;
        return void bench.join(worker.node, { incarnation: incarnation + 1, previous });
      }
      case 'confirm':
        if (bench.appending) bench.confirm();
        return;
      case 'unclearDone':
      case 'unclearLost':
        if (bench.appending) bench.unclear(action === 'unclearDone');
        return;
      case 'retry':
        return bench.pass(bench.config.appendRetryUs);
      case 'loseLease':
        return void bench.step({ type: 'lease.lost' });
      case 'rival': {
        const began = bench.records().filter((record) => record.type === 'leader.began');
        const leader = { node: 'master-2', incarnation: 1 };
        return void bench.foreign({ type: 'leader.began', epoch: began.length + 1, leader });
      }
      case 'moment':
        return bench.pass((b % 20) * 100_000);
      case 'longSilence':
        return bench.pass(12 * second, [worker]);
      case 'published':
        return this.publish();
      case 'submit':
        return this.submit();
    }
  }

  deliver(worker: FakeWorker): void {
    this.bench.deliver(worker);
  }

  finish(worker: FakeWorker, attempt: AttemptId | undefined, output: { digest?: string; inputs?: string }) {
    if (!attempt) return;
    const { inputs, ...rest } = output;
    const reduce = attempt.task >= this.bench.job(attempt.job).spec.maps;
    this.bench.complete(worker, attempt, reduce && inputs !== undefined ? { inputs } : rest);
    const report = worker.finished.find((one) => one.attempt === attempt);
    if (report) this.reports.push({ node: worker.node, report });
  }

  starve(worker: FakeWorker, b: number): void {
    const reader = worker.running.find(({ job, task }) => task >= this.bench.job(job).spec.maps);
    if (!reader) return;
    const source = this.bench.job(reader.job).commits[b % 3]?.attempt;
    if (source) this.bench.starve(worker, reader, source);
  }

  publish(): void {
    for (const job of this.bench.master.durable.jobs) {
      if (job.phase === 'publishing') this.bench.step({ type: 'output.published', job: job.job });
    }
  }

  /** What must hold after everything that happens; the master's own invariants are the bench's. */
  check(): void {
    this.bench.expectFolded();
    for (const effect of this.bench.effects) {
      if (effect.type !== 'message.send' || effect.message.type !== 'attempt.assign') continue;
      const key = attemptKey(effect.message.attempt);
      expect(this.assigned.has(key), `attempt ${key} was begun twice`).toBe(false);
      this.assigned.add(key);
    }
    this.bench.effects = [];
  }

  /** Nothing bad happens any more: every job must come to its end. */
  heal(): void {
    const { bench } = this;
    for (const node of nodes) bench.join(node);
    for (let round = 0; round < 400; round++) {
      if (bench.master.durable.jobs.length > 0 && bench.master.durable.jobs.every(isTerminal)) return;
      for (let i = 0; i < 20 && bench.appending; i++) bench.confirm();
      for (const node of nodes) {
        const worker = bench.workers.get(node)!;
        if (worker.session === 0) bench.join(node);
        bench.deliver(bench.workers.get(node)!);
      }
      for (const worker of bench.workers.values()) {
        for (const attempt of [...worker.stopping]) bench.stopped(worker, attempt);
        for (const attempt of [...worker.running]) this.finish(worker, attempt, {});
      }
      this.publish();
      if (bench.master.durable.jobs.length === 0 && round % 10 === 0) this.submit();
      bench.pass(200_000);
      this.check();
    }
    expect.fail(`a job did not end: ${bench.master.durable.jobs.map((job) => job.phase).join(', ')}`);
  }
}

const action = fc.oneof(
  ...(Object.entries(weights) as [Action, number][]).map(([name, weight]) => ({
    arbitrary: fc.constant(name),
    weight,
  })),
);

test('whatever happens in whatever order, no rule is broken, the journal is the state, and every job ends', () => {
  const step = fc.tuple(action, fc.nat(1000), fc.nat(1000));
  const ends = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 120, size: 'max' }),
      fc.constantFrom('shared' as const, 'worker' as const),
      fc.constantFrom('first-commit' as const, 'owner-only' as const),
      (steps, mapOutputs, lateReports) => {
        const cluster = new Cluster(mapOutputs, lateReports);
        for (const [name, a, b] of steps) {
          cluster.perform(name, a, b);
          cluster.check();
        }
        cluster.heal();
        for (const job of cluster.bench.master.durable.jobs) {
          const end = job.failure?.reason ?? job.phase;
          ends.set(end, (ends.get(end) ?? 0) + 1);
          const tasks = job.spec.maps + job.spec.reduces;
          if (job.phase === 'published') expect(sumCounters(job)).toEqual([['records', tasks]]);
        }
      },
    ),
    { numRuns: 400 },
  );
  // A run that never got anywhere proves nothing.
  expect(ends.get('published') ?? 0).toBeGreaterThan(100);
});
