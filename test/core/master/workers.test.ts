import { describe, expect, test } from 'vitest';
import { armedAt } from '../../../core/deadlines.js';
import { attemptKey } from '../../../core/ids.js';
import { Bench, benchWith, second, specOf } from '../bench.js';

describe('a hello', () => {
  test('is welcomed with the epoch and the slot, and gives work', () => {
    const { bench, workers } = benchWith(1);
    expect(workers[0]!.heard[0]).toEqual({
      type: 'master.welcome',
      epoch: 1,
      slot: bench.store.length,
      incarnation: 1,
    });
    expect(bench.runs(workers[0]!)).toEqual(['map-0@1']);
  });

  test('of a former life is refused', () => {
    const { bench } = benchWith(0);
    bench.join('worker-1', { incarnation: 2 });
    bench.mark();
    const old = bench.join('worker-1', { incarnation: 1 });
    expect(old.session).toBe(0);
    expect(old.heard).toEqual([]);
    expect(bench.master.leading!.workers.get('worker-1')!.life.incarnation).toBe(2);
  });

  test('of a new life gives back what the old one ran', () => {
    const { bench } = benchWith(1, specOf({ maps: 1 }));
    const again = bench.join('worker-1', { incarnation: 2 });
    expect(bench.decided('worker-lost')).toHaveLength(1);
    expect(bench.runs(again)).toEqual(['map-0@2']);
    expect(bench.job().troubles.get(0)).toMatchObject({ failed: 0, deaths: 1 });
  });

  test('after a crash counts the only attempt that ran as failed, and none of several', () => {
    const previous = { incarnation: 1, end: 'crashed' } as const;
    const alone = benchWith(1, specOf({ maps: 1 })).bench;
    alone.join('worker-1', { incarnation: 2, previous });
    expect(alone.job().troubles.get(0)).toMatchObject({ failed: 1, deaths: 1 });
    const several = benchWith(1, specOf({ maps: 2 }), { slots: 2 }).bench;
    several.join('worker-1', { incarnation: 2, previous });
    for (const task of [0, 1]) {
      expect(several.job().troubles.get(task)).toMatchObject({ failed: 0, deaths: 1 });
    }
  });

  test('after a long pause still tells how the life before ended', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }));
    bench.hangUp(workers[0]!);
    bench.pass(3 * bench.config.workerLeaseUs, workers);
    expect(bench.decided('worker-lost')).toHaveLength(1);
    expect(bench.job().troubles.size).toBe(0);
    bench.join('worker-1', { incarnation: 2, previous: { incarnation: 1, end: 'crashed' } });
    expect(bench.job().troubles.get(0)).toMatchObject({ failed: 1, deaths: 1 });
  });

  test('of the same life after a long silence counts no death', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }));
    bench.hangUp(workers[0]!);
    bench.pass(3 * bench.config.workerLeaseUs, workers);
    bench.join('worker-1');
    bench.join('worker-1', { incarnation: 2 });
    expect(bench.job().troubles.get(0)!.deaths).toBe(1);
    expect(bench.job().troubles.get(0)!.dead).toHaveLength(1);
  });

  test('a task that kills every process fails its job, however long each restart takes', () => {
    const { bench } = benchWith(1, specOf({ maps: 2, reduces: 1 }), { slots: 2 });
    for (let life = 2; life < 20 && bench.job().phase === 'open'; life++) {
      bench.hangUp(bench.workers.get('worker-1')!);
      bench.pass(5 * second, [...bench.workers.values()]);
      bench.join('worker-1', { incarnation: life, previous: { incarnation: life - 1, end: 'crashed' } });
    }
    expect(bench.job()).toMatchObject({ phase: 'failed', failure: { reason: 'workers-died' } });
    expect(bench.job().troubles.get(0)!.deaths).toBe(bench.config.workerDeathsMax);
  });

  test('said twice in one session counts once', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 3 }), { slots: 2 });
    const worker = workers[0]!;
    const hello = { ...bench.helloOf(worker), credit: 2, running: [] };
    bench.say(worker, hello);
    expect(bench.runs(worker)).toEqual(['map-0@1', 'map-1@1']);
  });

  test('is told which jobs have ended meanwhile, and of those that nobody knows', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 1, reduces: 1 }));
    const away = workers[0]!;
    bench.completeAll();
    bench.submit(specOf({ maps: 1, reduces: 1, output: 'other' }), 'request-2');
    bench.hangUp(away);
    bench.step({ type: 'output.published', job: 1 });
    away.heard.length = 0;
    away.jobs = new Set([1, 2, 3]);
    bench.join('worker-1');
    const ended = away.heard.flatMap((order) => (order.type === 'job.ended' ? [order.job] : []));
    expect(bench.job(1).phase).toBe('published');
    expect(ended).toEqual([1, 3]);
    expect([...away.jobs]).toEqual([2]);
  });

  test('hears of jobs that have ended under a former leader', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1, reduces: 1 }));
    bench.hangUp(workers[0]!);
    bench.foreign({ type: 'job.failed', job: 1, failure: { reason: 'disk', message: 'full' } });
    const next = new Bench({ node: 'master-2', store: bench.store });
    const back = next.join('worker-1');
    back.jobs.add(1);
    next.hangUp(back);
    expect(next.join('worker-1').heard.at(-1)).toMatchObject({ type: 'job.ended', job: 1, epoch: 2 });
  });

  test('that shows a higher epoch sends the leader to the journal, where it finds out', () => {
    const { bench } = benchWith(0);
    bench.granting = false;
    bench.foreign({ type: 'leader.began', epoch: 2, leader: { node: 'master-2', incarnation: 1 } });
    bench.join('worker-1');
    expect(bench.master.role).toBe('leader');
    bench.join('worker-2', { epochSeen: 2 });
    expect(bench.master.role).toBe('standby');
  });
});

describe('credit', () => {
  test('is a total: repeated and late beats never give a slot twice', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 9 }), { slots: 2 });
    const worker = workers[0]!;
    expect(bench.runs(worker)).toHaveLength(2);
    for (let i = 0; i < 3; i++) bench.beat(worker);
    expect(bench.runs(worker)).toHaveLength(2);
    bench.complete(worker, worker.running[0]!);
    expect(bench.runs(worker)).toEqual(['map-1@1', 'map-2@1']);
    const { incarnation } = worker;
    bench.say(worker, { type: 'worker.beat', incarnation, credit: 1, progress: [] });
    bench.beat(worker);
    expect(bench.runs(worker)).toHaveLength(2);
  });

  test('counts anew with each session, and what runs still takes its slot', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 9 }), { slots: 2 });
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    bench.hangUp(workers[0]!);
    const again = bench.join('worker-1');
    expect(again.credit).toBe(0);
    expect(bench.runs(again)).toHaveLength(2);
    bench.complete(again, again.running[0]!);
    expect(bench.runs(again)).toHaveLength(2);
  });

  test('of a message that comes from another life or an old session is not believed', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 9 }));
    const worker = workers[0]!;
    bench.say(worker, { type: 'worker.beat', incarnation: 7, credit: 5, progress: [] });
    expect(bench.runs(worker)).toHaveLength(1);
    const old = worker.session;
    bench.hangUp(worker);
    const again = bench.join('worker-1');
    const message = { type: 'worker.beat', incarnation: 1, credit: 5, progress: [] } as const;
    bench.step({ type: 'message.received', from: 'worker-1', session: old, message });
    expect(bench.runs(again)).toHaveLength(1);
  });
});

describe('silence', () => {
  test('of a whole lease loses the worker’s attempts, uncounted', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 1 }));
    const [one, two] = workers;
    bench.pass(bench.config.workerLeaseUs - 1, [one!]);
    expect(bench.decided('worker-lease-expired')).toEqual([]);
    bench.pass(1, [one!]);
    expect(bench.decided('worker-lease-expired')).toMatchObject([{ node: 'worker-1' }]);
    expect(bench.runs(two!)).toEqual(['map-0@2']);
    expect(one!.session).toBe(0);
    expect(bench.job().troubles.size).toBe(0);
  });

  test('is ended by any word, not only by beats', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 2 }), { slots: 2 });
    bench.pass(bench.config.workerLeaseUs - 1, workers);
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    bench.pass(bench.config.workerLeaseUs - 1, workers);
    expect(bench.decided('worker-lost')).toEqual([]);
  });
});

describe('a broken session', () => {
  test('is forgiven when the worker is back in time, with what it still runs', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 1 }));
    bench.hangUp(workers[0]!);
    bench.pass(bench.config.reconnectUs - 1);
    const again = bench.join('worker-1');
    expect(bench.decided('worker-rejoined')).toHaveLength(1);
    bench.pass(2 * bench.config.reconnectUs);
    expect(bench.runs(again)).toEqual(['map-0@1']);
    expect(bench.runs(workers[1]!)).toEqual([]);
    expect(bench.decided('worker-lost')).toEqual([]);
  });

  test('loses the worker after the grace, long before its lease', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 1 }));
    bench.hangUp(workers[0]!);
    bench.pass(bench.config.reconnectUs, [workers[0]!]);
    expect(bench.runs(workers[1]!)).toEqual(['map-0@2']);
  });

  test('gives an order that never arrived to somebody else', () => {
    const { bench, workers } = benchWith(0);
    bench.delivering = false;
    const worker = bench.join('worker-1');
    bench.delivering = true;
    bench.hangUp(worker);
    const again = bench.join('worker-1');
    expect(bench.decided('attempt-revoked')).toMatchObject([{ facts: { why: 'order-lost' } }]);
    expect(bench.runs(again)).toEqual(['map-0@2']);
    expect(workers).toEqual([]);
  });

  test('is replaced by a newer one, and the old one is closed', () => {
    const { bench, workers } = benchWith(1);
    const old = workers[0]!.session;
    const effects = bench.effects.length;
    bench.join('worker-1');
    expect(bench.effects.slice(effects)).toContainEqual({
      type: 'peer.disconnect',
      peer: 'worker-1',
      session: old,
    });
    bench.step({ type: 'peer.lost', peer: 'worker-1', session: old });
    bench.pass(2 * bench.config.reconnectUs);
    expect(bench.decided('worker-lost')).toEqual([]);
  });
});

describe('a hello of a former session', () => {
  test('that comes after the worker has a new one is not believed: what it did not run then runs now', () => {
    const { bench } = benchWith(0, specOf({ maps: 2 }));
    const former = 1000;
    bench.step({ type: 'peer.connected', peer: 'worker-1', session: former });
    const worker = bench.join('worker-1');
    const held = { ...bench.helloOf(worker), running: [] };
    expect(bench.runs(worker)).toEqual(['map-0@1']);
    expect(bench.effects).toContainEqual({ type: 'peer.disconnect', peer: 'worker-1', session: former });
    bench.step({ type: 'message.received', from: 'worker-1', session: former, message: held });
    expect(bench.decided('attempt-revoked')).toEqual([]);
    expect(bench.runs(worker)).toEqual(['map-0@1']);
  });
});

describe('after a takeover', () => {
  /** A leader over the same journal, to which the workers say hello with what they still have. */
  function takeover(old: Bench): Bench {
    const next = new Bench({ store: old.store, node: 'master-2', config: old.config });
    for (const [node, worker] of old.workers) next.workers.set(node, { ...worker, heard: [] });
    return next;
  }

  test('an attempt that runs already is adopted and may commit', () => {
    const { bench } = benchWith(2, specOf({ maps: 2 }));
    const next = takeover(bench);
    const one = next.join('worker-1');
    expect(next.decided('attempt-adopted')).toMatchObject([{ node: 'worker-1' }]);
    expect(next.runs(one)).toEqual(['map-0@1']);
    next.complete(one, one.running[0]!);
    expect(next.commits()).toEqual(['map-0@1 by worker-1']);
    expect(next.records().at(-1)).toMatchObject({ attempt: { epoch: 1 } });
  });

  test('what was finished without an answer is judged from the hello', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }));
    bench.confirming = false;
    bench.complete(workers[0]!, workers[0]!.running[0]!);
    const next = takeover(bench);
    const one = next.join('worker-1');
    expect(next.verdicts(one)).toEqual(['map-0@1 committed']);
    expect(one.finished).toEqual([]);
    expect(next.runs(one)).toEqual(['reduce-0@1']);
  });

  test('what runs for nothing is stopped', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 1 }, { speculation: true }));
    bench.hangUp(workers[0]!);
    bench.pass(2 * second, [workers[0]!]);
    bench.complete(workers[1]!, workers[1]!.running[0]!);
    const one = bench.join('worker-1');
    expect(bench.revoked(one)).toEqual(['map-0@1 job-ended']);
    expect(bench.runs(one)).toEqual([]);
  });

  test('two workers that run the same task both go on; a third is stopped', () => {
    const bench = new Bench();
    bench.submit(specOf({ maps: 1 }));
    bench.drain();
    const runs = [11, 12, 13].map((n) => {
      const worker = bench.join(`worker-${n}`, { running: [{ job: 1, task: 0, epoch: 1, n }] });
      return bench.runs(worker);
    });
    expect(runs).toEqual([['map-0@11'], ['map-0@12'], []]);
  });

  test('a map that was lost before comes out different: said, and the reduces that read the old one are stopped', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 1, reduces: 2 }));
    const [one, two] = workers;
    const map = one!.running[0]!;
    bench.complete(one!, map, { digest: 'first' });
    expect([...bench.runs(one!), ...bench.runs(two!)].sort()).toEqual(['reduce-0@1', 'reduce-1@1']);
    bench.starve(one!, one!.running[0]!, map);
    const [reads] = bench.runs(two!);
    const next = takeover(bench);
    const again = next.join('worker-1');
    const reader = next.join('worker-2');
    expect([next.runs(again), next.runs(reader)]).toEqual([['map-0@2'], [reads]]);
    next.complete(again, again.running[0]!, { digest: 'second' });
    expect(next.decided('nondeterminism-seen')).toHaveLength(1);
    expect(next.revoked(reader)).toEqual([`${reads} inputs-changed`]);
  });

  test('one worker never goes on twice with the same task', () => {
    const bench = new Bench();
    bench.submit(specOf({ maps: 1 }));
    bench.drain();
    const running = [11, 12].map((n) => ({ job: 1, task: 0, epoch: 1, n }));
    const worker = bench.join('worker-1', { slots: 2, running });
    expect(bench.runs(worker)).toEqual(['map-0@11']);
    expect(bench.revoked(worker)).toEqual(['map-0@12 superseded']);
  });

  test('an adopted attempt keeps the longer limit that earlier time-outs gave its task', () => {
    const { bench, workers } = benchWith(1, specOf({ maps: 1 }));
    bench.pass(600 * second);
    expect(bench.runs(workers[0]!)).toEqual(['map-0@2']);
    const next = takeover(bench);
    const one = next.join('worker-1');
    const armedFor = armedAt(next.master.deadlines, 'attempt-timeout', attemptKey(one.running[0]!))!;
    expect(armedFor - next.now).toBe(1200 * second);
  });
});

describe('map outputs that lie with their worker', () => {
  const config = { mapOutputs: 'worker' } as const;

  function mapped(workers: number) {
    const made = benchWith(workers, specOf({ maps: 2, reduces: 1 }), { config });
    for (const worker of made.workers) {
      for (const attempt of [...worker.running]) if (attempt.task < 2) made.bench.complete(worker, attempt);
    }
    expect(made.bench.job().mapsCommitted).toBe(2);
    return made;
  }

  test('are lost with it and made again', () => {
    const { bench, workers } = mapped(2);
    bench.hangUp(workers[0]!);
    bench.pass(bench.config.reconnectUs, [workers[0]!]);
    expect(bench.decided('task-invalidated')).toMatchObject([{ facts: { reason: 'holder-lost' } }]);
    expect(bench.job().mapsCommitted).toBe(1);
    bench.completeAll();
    bench.pass(2 * second, [workers[0]!]);
    bench.completeAll();
    expect(bench.job().reducesCommitted).toBe(1);
    bench.expectFolded();
  });

  test.each(['silent', 'in another life'])(
    'are lost when their holder is %s by the time they are committed',
    (how) => {
      const { bench, workers } = benchWith(2, specOf({ maps: 2, reduces: 1 }), { config });
      bench.confirming = false;
      bench.complete(workers[0]!, workers[0]!.running[0]!);
      bench.hangUp(workers[0]!);
      if (how === 'silent') bench.pass(bench.config.reconnectUs, [workers[0]!]);
      else bench.join('worker-1', { incarnation: 2 });
      expect(bench.appending?.records).toMatchObject([{ type: 'task.committed' }]);
      bench.confirm();
      expect(bench.appending?.records).toContainEqual(
        expect.objectContaining({ type: 'task.invalidated', reason: 'holder-lost' }),
      );
    },
  );

  test('are lost with a former life', () => {
    const { bench } = mapped(2);
    bench.join('worker-1', { incarnation: 2 });
    expect(bench.decided('task-invalidated')).toHaveLength(1);
  });

  test('survive a takeover when their holder is the same life, and are lost when it is another', () => {
    const { bench } = mapped(2);
    for (const incarnation of [1, 2]) {
      const next = new Bench({ store: [...bench.store], node: 'master-2', config });
      next.join('worker-2');
      next.join('worker-1', { incarnation });
      expect(next.job().mapsCommitted).toBe(incarnation === 1 ? 2 : 1);
    }
  });

  test('of a holder that never speaks after a takeover are lost', () => {
    const { bench } = mapped(2);
    const next = new Bench({ store: bench.store, node: 'master-2', config });
    next.join('worker-2');
    next.pass(next.config.workerLeaseUs);
    expect(next.job().mapsCommitted).toBe(1);
  });

  test('are no longer needed once every reduce is committed', () => {
    const { bench, workers } = mapped(2);
    bench.completeAll();
    const phase = bench.job().phase;
    bench.hangUp(workers[0]!);
    bench.pass(bench.config.reconnectUs, [workers[0]!]);
    expect(phase).toBe('publishing');
    expect(bench.decided('task-invalidated')).toEqual([]);
  });

  test('stay when files are shared', () => {
    const { bench, workers } = benchWith(2, specOf({ maps: 2, reduces: 1 }));
    for (const worker of workers) bench.complete(worker, worker.running[0]!);
    bench.hangUp(workers[0]!);
    bench.pass(bench.config.reconnectUs, [workers[0]!]);
    expect(bench.job().mapsCommitted).toBe(2);
  });
});
