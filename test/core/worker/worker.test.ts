import { describe, expect, test } from 'vitest';
import { defaultClusterConfig as config } from '../../../core/config.js';
import { armedAt } from '../../../core/deadlines.js';
import type { WorkerEffect } from '../../../core/effects.js';
import type { WorkerEvent } from '../../../core/events.js';
import type { AttemptId } from '../../../core/ids.js';
import { checkWorker } from '../../../core/invariants.js';
import type { MasterToWorker, Verdict, WorkerMessage } from '../../../core/messages.js';
import type { WorkerState } from '../../../core/worker/state.js';
import { initWorker, stepWorker } from '../../../core/worker/step.js';

const attempt = (task: number, n = 1): AttemptId => ({ job: 1, task, epoch: 1, n });
const output = { digest: 'd', bytes: 1, records: 1, inputs: '' };

/** A worker machine that is driven by hand. */
class Hand {
  readonly state: WorkerState;
  now = 0;

  constructor(slots = 2, masters = ['master-1', 'master-2']) {
    this.state = initWorker({ ...config, masters }, { life: { node: 'worker-1', incarnation: 3 }, slots });
  }

  step(event: WorkerEvent): WorkerEffect[] {
    const effects = stepWorker(this.state, event, this.now);
    checkWorker(this.state);
    return effects;
  }

  /** Started, connected, and welcomed by the leader of epoch 1. */
  welcomed(): this {
    this.step({ type: 'node.started' });
    this.connect();
    return this;
  }

  connect(): WorkerEffect[] {
    const { session } = this.state.link;
    const effects = this.step({ type: 'peer.connected', peer: 'master-1', session });
    this.hear({ type: 'master.welcome', epoch: 1, slot: 1, incarnation: 3 });
    return effects;
  }

  hear(message: MasterToWorker, session = this.state.link.session): WorkerEffect[] {
    return this.step({ type: 'message.received', from: 'master-1', session, message });
  }

  assign(id: AttemptId, change: { epoch?: number; incarnation?: number } = {}): WorkerEffect[] {
    return this.hear({
      type: 'attempt.assign',
      epoch: 1,
      incarnation: 3,
      attempt: id,
      work: 'work',
      maps: 9,
      reduces: 1,
      output: '/out',
      outputsVersion: 0,
      ...change,
    });
  }

  revoke(id: AttemptId): WorkerEffect[] {
    return this.hear({
      type: 'attempt.revoke',
      epoch: 1,
      incarnation: 3,
      attempt: id,
      reason: 'superseded',
    });
  }

  answer(id: AttemptId, verdict: Verdict): WorkerEffect[] {
    return this.hear({ type: 'attempt.answer', epoch: 1, incarnation: 3, attempt: id, verdict });
  }

  finish(id: AttemptId): WorkerEffect[] {
    return this.step({ type: 'attempt.finished', attempt: id, output, counters: [] });
  }

  clock(kind: string): WorkerEffect[] {
    this.now = armedAt(this.state.deadlines, kind, '')!;
    return this.step({ type: 'clock.reached', deadline: { kind, id: '' } });
  }
}

function said(effects: readonly WorkerEffect[]): WorkerMessage[] {
  return effects.flatMap((effect) => (effect.type === 'message.send' ? [effect.message] : []));
}

function types(effects: readonly WorkerEffect[]): string[] {
  return effects.map((effect) => (effect.type === 'decide' ? effect.decision : effect.type));
}

describe('a worker that says hello', () => {
  test('tells what it has and how much it may be given', () => {
    const hand = new Hand(3).welcomed();
    hand.assign(attempt(0));
    hand.assign(attempt(1));
    hand.finish(attempt(1));
    hand.step({ type: 'peer.lost', peer: 'master-1', session: hand.state.link.session });
    hand.clock('redial');
    expect(said(hand.connect())).toEqual([
      {
        type: 'worker.hello',
        incarnation: 3,
        credit: 2,
        slots: 3,
        epochSeen: 1,
        slotSeen: 1,
        running: [attempt(0)],
        finished: [{ attempt: attempt(1), output, counters: [] }],
        starved: [],
        broken: [],
        jobs: [1],
      },
    ]);
  });

  test('repeats which reduces it gave back, until that is answered', () => {
    const hand = new Hand(2).welcomed();
    const again = (): WorkerEffect[] => {
      hand.step({ type: 'peer.lost', peer: 'master-1', session: hand.state.link.session });
      hand.clock('redial');
      return hand.connect();
    };
    const starved = { attempt: attempt(9), source: attempt(2), reason: 'unreachable' } as const;
    hand.assign(attempt(9));
    hand.step({ type: 'attempt.starved', ...starved });
    expect(said(again())).toMatchObject([{ type: 'worker.hello', running: [], starved: [starved] }]);
    hand.answer(attempt(9), 'given-back');
    expect(said(again())).toMatchObject([{ type: 'worker.hello', starved: [] }]);
  });

  test('repeats what failed, until that is answered', () => {
    const hand = new Hand(2).welcomed();
    const again = (): WorkerEffect[] => {
      hand.step({ type: 'peer.lost', peer: 'master-1', session: hand.state.link.session });
      hand.clock('redial');
      return hand.connect();
    };
    const failure = { kind: 'user', message: 'boom' } as const;
    hand.assign(attempt(0));
    hand.step({ type: 'peer.lost', peer: 'master-1', session: hand.state.link.session });
    hand.step({ type: 'attempt.broke', attempt: attempt(0), failure });
    hand.clock('redial');
    const broken = [{ attempt: attempt(0), failure }];
    for (const saying of [hand.connect(), again()])
      expect(said(saying)).toMatchObject([{ type: 'worker.hello', running: [], broken }]);
    hand.answer(attempt(0), 'dead');
    expect(said(again())).toMatchObject([{ type: 'worker.hello', broken: [] }]);
  });

  test('forgets what it gave back and what failed with their job', () => {
    const hand = new Hand(2).welcomed();
    hand.assign(attempt(0));
    hand.assign(attempt(9));
    hand.step({ type: 'attempt.broke', attempt: attempt(0), failure: { kind: 'user', message: 'boom' } });
    hand.step({ type: 'attempt.starved', attempt: attempt(9), source: attempt(2), reason: 'missing' });
    hand.hear({ type: 'job.ended', epoch: 1, incarnation: 3, job: 1 });
    expect([hand.state.starved.size, hand.state.broken.size]).toEqual([0, 0]);
  });

  test('says with a finished attempt what that was told to leave out', () => {
    const hand = new Hand(2).welcomed();
    const skip = ['3', '7'];
    const order = {
      attempt: attempt(0),
      work: 'work',
      maps: 9,
      reduces: 1,
      output: '/out',
      outputsVersion: 0,
    };
    const told = hand.hear({ type: 'attempt.assign', epoch: 1, incarnation: 3, ...order, skip });
    expect(told).toMatchObject([{ type: 'attempt.run', skip }]);
    expect(said(hand.finish(attempt(0)))).toMatchObject([{ type: 'attempt.completed', skipped: skip }]);
    hand.step({ type: 'peer.lost', peer: 'master-1', session: hand.state.link.session });
    hand.clock('redial');
    expect(said(hand.connect())).toMatchObject([{ finished: [{ attempt: attempt(0), skipped: skip }] }]);
  });

  test('does not declare what it was told to stop, though that still takes a slot', () => {
    const hand = new Hand(2).welcomed();
    hand.assign(attempt(0));
    hand.revoke(attempt(0));
    hand.step({ type: 'peer.lost', peer: 'master-1', session: hand.state.link.session });
    hand.clock('redial');
    expect(said(hand.connect())).toMatchObject([{ running: [], credit: 1 }]);
  });
});

describe('an order', () => {
  test('of a lower epoch is refused, and the sender left', () => {
    const hand = new Hand().welcomed();
    hand.hear({ type: 'master.beat', epoch: 5, slot: 9, incarnation: 3 });
    expect(types(hand.assign(attempt(0), { epoch: 4 }))).toEqual(['order-refused', 'peer.disconnect']);
    expect(hand.state.running.size).toBe(0);
    expect(hand.state).toMatchObject({ epochSeen: 5, slotSeen: 9 });
  });

  test('of a higher epoch makes the slot heard of that of this epoch, be it a lower one', () => {
    const hand = new Hand().welcomed();
    hand.hear({ type: 'master.beat', epoch: 5, slot: 9, incarnation: 3 });
    hand.hear({ type: 'master.beat', epoch: 6, slot: 4, incarnation: 3 });
    expect(hand.state).toMatchObject({ epochSeen: 6, slotSeen: 4 });
    hand.hear({ type: 'master.beat', epoch: 6, slot: 3, incarnation: 3 });
    expect(hand.state).toMatchObject({ epochSeen: 6, slotSeen: 4 });
  });

  test('of a higher epoch is obeyed, and ends the obedience to lower ones', () => {
    const hand = new Hand().welcomed();
    expect(types(hand.assign(attempt(0), { epoch: 2 }))).toEqual(['attempt.run']);
    expect(types(hand.assign(attempt(1), { epoch: 1 }))).toContain('order-refused');
  });

  test('for another life is refused', () => {
    const hand = new Hand().welcomed();
    for (const incarnation of [2, 4]) {
      expect(types(hand.assign(attempt(0), { incarnation }))).toEqual(['order-refused']);
    }
    expect(hand.state.running.size).toBe(0);
  });

  test('that comes through an old session is not heard', () => {
    const hand = new Hand().welcomed();
    hand.assign(attempt(0));
    const old = hand.state.link.session;
    hand.step({ type: 'peer.lost', peer: 'master-1', session: old });
    hand.clock('redial');
    const order = { epoch: 1, incarnation: 3, attempt: attempt(0) };
    expect(hand.hear({ type: 'attempt.revoke', ...order, reason: 'timeout' }, old)).toEqual([]);
    expect(hand.state.running.get('1.0.1.1')!.state).toBe('running');
  });

  test('to run, said twice, starts once: while it runs, and after it has finished', () => {
    const hand = new Hand().welcomed();
    expect(types(hand.assign(attempt(0)))).toEqual(['attempt.run']);
    expect(hand.assign(attempt(0))).toEqual([]);
    hand.finish(attempt(0));
    expect(hand.assign(attempt(0))).toEqual([]);
  });

  test('to stop, said twice, aborts once', () => {
    const hand = new Hand().welcomed();
    hand.assign(attempt(0));
    expect(types(hand.revoke(attempt(0)))).toEqual(['attempt.abort']);
    expect(hand.revoke(attempt(0))).toEqual([]);
    expect(hand.revoke(attempt(7))).toEqual([]);
  });

  test('to stop a finished attempt does nothing: its files and its report stay', () => {
    const hand = new Hand().welcomed();
    hand.assign(attempt(0));
    hand.finish(attempt(0));
    expect(hand.revoke(attempt(0))).toEqual([]);
    expect(hand.state.finished.size).toBe(1);
  });
});

describe('an attempt that ends', () => {
  test('is reported with one more credit', () => {
    const hand = new Hand(2).welcomed();
    hand.assign(attempt(0));
    expect(said(hand.finish(attempt(0)))).toEqual([
      { type: 'attempt.completed', incarnation: 3, credit: 3, attempt: attempt(0), output, counters: [] },
    ]);
  });

  test('twice, or without having been begun, is not reported', () => {
    const hand = new Hand(2).welcomed();
    hand.assign(attempt(0));
    hand.finish(attempt(0));
    expect(hand.finish(attempt(0))).toEqual([]);
    expect(hand.finish(attempt(1))).toEqual([]);
    expect(hand.step({ type: 'attempt.aborted', attempt: attempt(0) })).toEqual([]);
    expect(hand.state.credit).toBe(3);
  });

  test('by finishing just before it was stopped is a completion', () => {
    const hand = new Hand().welcomed();
    hand.assign(attempt(0));
    hand.revoke(attempt(0));
    expect(said(hand.finish(attempt(0)))).toMatchObject([{ type: 'attempt.completed' }]);
    expect(hand.step({ type: 'attempt.aborted', attempt: attempt(0) })).toEqual([]);
  });

  test('badly is reported with its failure, unless it was being stopped', () => {
    const failure = { kind: 'user', message: 'boom' } as const;
    for (const stopped of [false, true]) {
      const hand = new Hand().welcomed();
      hand.assign(attempt(0));
      if (stopped) hand.revoke(attempt(0));
      const [message] = said(hand.step({ type: 'attempt.broke', attempt: attempt(0), failure }));
      expect(message).toMatchObject({ type: 'attempt.ended', attempt: attempt(0) });
      expect('failure' in message!).toBe(!stopped);
    }
  });

  test('for want of an input names the source', () => {
    const hand = new Hand().welcomed();
    hand.assign(attempt(9));
    const starved = { attempt: attempt(9), source: attempt(2), reason: 'corrupt' } as const;
    expect(said(hand.step({ type: 'attempt.starved', ...starved }))).toMatchObject([
      { type: 'input.unreadable', ...starved },
    ]);
  });

  test('while there is no session is told in the next hello', () => {
    const hand = new Hand().welcomed();
    hand.assign(attempt(0));
    hand.step({ type: 'peer.lost', peer: 'master-1', session: hand.state.link.session });
    expect(hand.finish(attempt(0))).toEqual([]);
    hand.clock('redial');
    expect(said(hand.connect())).toMatchObject([{ finished: [{ attempt: attempt(0) }] }]);
  });
});

describe('a finished attempt', () => {
  test('is kept and declared until it is answered', () => {
    const hand = new Hand().welcomed();
    hand.assign(attempt(0));
    hand.finish(attempt(0));
    hand.answer(attempt(7), 'committed');
    expect(hand.state.finished.size).toBe(1);
    hand.answer(attempt(0), 'committed');
    expect(hand.state.finished.size).toBe(0);
    expect(hand.answer(attempt(0), 'superseded')).toEqual([]);
  });

  test.each([
    ['committed', false],
    ['not-owner', false],
    ['job-ended', false],
    ['superseded', true],
    ['dead', true],
    ['inputs-changed', true],
  ] as const)('that is %s has its files deleted: %s', (verdict, deleted) => {
    const hand = new Hand().welcomed();
    hand.assign(attempt(0));
    hand.finish(attempt(0));
    const effects = hand.answer(attempt(0), verdict);
    expect(effects).toEqual(deleted ? [{ type: 'output.discard', attempt: attempt(0), maps: 9 }] : []);
  });
});

describe('the list of map outputs', () => {
  const changes = [{ attempt: attempt(0), digest: 'd', holder: 'worker-1' }];
  const learn = (hand: Hand, from: number) =>
    types(hand.hear({ type: 'outputs.changed', epoch: 1, incarnation: 3, job: 1, from, changes }));

  test('grows at its end, and repetitions change nothing', () => {
    const hand = new Hand().welcomed();
    expect(learn(hand, 0)).toEqual(['outputs.learn']);
    expect(learn(hand, 0)).toEqual([]);
    expect(learn(hand, 2)).toEqual([]);
    expect(learn(hand, 1)).toEqual(['outputs.learn']);
  });

  test('begins anew with each session', () => {
    const hand = new Hand().welcomed();
    learn(hand, 0);
    hand.step({ type: 'peer.lost', peer: 'master-1', session: hand.state.link.session });
    hand.clock('redial');
    hand.connect();
    expect(learn(hand, 0)).toEqual(['outputs.learn']);
  });
});

describe('the end of a job', () => {
  test('stops what runs for it, and forgets everything else of it', () => {
    const hand = new Hand(3).welcomed();
    const other = { job: 2, task: 0, epoch: 1, n: 1 };
    for (const id of [attempt(0), attempt(1), other]) hand.assign(id);
    hand.finish(attempt(1));
    const effects = hand.hear({ type: 'job.ended', epoch: 1, incarnation: 3, job: 1 });
    expect(effects).toEqual([
      { type: 'attempt.abort', attempt: attempt(0) },
      { type: 'job.discard', job: 1 },
    ]);
    expect(hand.state.finished.size).toBe(0);
    expect(hand.state.running.get('2.0.1.1')!.state).toBe('running');
  });

  test('that is not heard of is asked for with every hello', () => {
    const hand = new Hand().welcomed();
    const jobsSaid = (): unknown => {
      hand.step({ type: 'peer.lost', peer: 'master-1', session: hand.state.link.session });
      hand.clock('redial');
      const jobs = said(hand.connect()).map((hello) => 'jobs' in hello && hello.jobs);
      hand.hear({ type: 'master.welcome', epoch: 1, incarnation: 3, slot: 1 });
      return jobs;
    };
    hand.assign(attempt(0));
    hand.finish(attempt(0));
    hand.answer(attempt(0), 'committed');
    const changes = [{ attempt: attempt(0), digest: 'd', holder: 'worker-1' }];
    hand.hear({ type: 'outputs.changed', epoch: 1, incarnation: 3, job: 2, from: 0, changes });
    expect([jobsSaid(), jobsSaid()]).toEqual([[[1, 2]], [[1, 2]]]);
    for (const job of [1, 1, 2]) hand.hear({ type: 'job.ended', epoch: 1, incarnation: 3, job });
    expect(jobsSaid()).toEqual([[]]);
  });

  test('takes along what was complete only after it', () => {
    const hand = new Hand().welcomed();
    hand.assign(attempt(0));
    hand.hear({ type: 'job.ended', epoch: 1, incarnation: 3, job: 1 });
    expect(types(hand.finish(attempt(0)))).toEqual(['message.send']);
    expect(types(hand.answer(attempt(0), 'job-ended'))).toEqual(['output.discard']);
  });
});

describe('keeping in touch', () => {
  test('looks for a master at growing pauses, up to a beat, and at once again after one has spoken', () => {
    const hand = new Hand().welcomed();
    const pauses = (tries: number): number[] =>
      Array.from({ length: tries }, () => {
        const before = hand.now;
        hand.step({ type: 'peer.lost', peer: 'master-1', session: hand.state.link.session });
        hand.clock('redial');
        return hand.now - before;
      });
    const { retryUs, beatUs } = hand.state.config;
    const search = pauses(20);
    expect(search.slice(0, 3)).toEqual([retryUs, retryUs, retryUs]);
    expect(search).toEqual(search.toSorted((a, b) => a - b));
    expect(search.at(-1)).toBe(beatUs);
    hand.connect();
    hand.hear({ type: 'master.welcome', epoch: 1, incarnation: 3, slot: 1 });
    expect(pauses(1)).toEqual([retryUs]);
  });

  test('beats with progress while the master is welcome', () => {
    const hand = new Hand().welcomed();
    hand.assign(attempt(0));
    hand.step({ type: 'attempt.progressed', waiting: false, attempt: attempt(0), done: 5, total: 9 });
    expect(said(hand.clock('beat'))).toEqual([
      {
        type: 'worker.beat',
        incarnation: 3,
        credit: 2,
        progress: [{ attempt: attempt(0), done: 5, total: 9, waiting: false }],
      },
    ]);
    expect(armedAt(hand.state.deadlines, 'beat', '')).toBe(hand.now + config.beatUs);
  });

  test('tries the next master after silence, and none twice at once', () => {
    const hand = new Hand().welcomed();
    expect(hand.clock('silence')).toEqual([{ type: 'peer.disconnect', peer: 'master-1', session: 1 }]);
    expect(hand.clock('redial')).toEqual([{ type: 'peer.connect', peer: 'master-2', session: 2 }]);
    expect(hand.clock('silence')).toEqual([{ type: 'peer.disconnect', peer: 'master-2', session: 2 }]);
    expect(hand.clock('redial')).toEqual([{ type: 'peer.connect', peer: 'master-1', session: 3 }]);
  });

  test('follows the hint of a master that does not lead', () => {
    const masters = ['master-1', 'master-2', 'master-3'];
    for (const [hint, next] of [
      ['master-3', 'master-3'],
      ['nobody-knows', 'master-2'],
    ] as const) {
      const hand = new Hand(2, masters);
      hand.step({ type: 'node.started' });
      hand.step({ type: 'peer.connected', peer: 'master-1', session: 1 });
      hand.hear({ type: 'master.notLeading', epoch: 0, leader: hint });
      expect(hand.clock('redial')).toMatchObject([{ type: 'peer.connect', peer: next }]);
    }
  });

  test('comes past every master, whatever two of them hint at each other or at themselves', () => {
    const hand = new Hand(2, ['master-1', 'master-2', 'master-3']);
    hand.step({ type: 'node.started' });
    const tried = ['master-1'];
    for (let session = 1; session <= 6; session++) {
      const peer = tried.at(-1)!;
      hand.step({ type: 'peer.connected', peer, session });
      const leader = peer === 'master-3' ? 'master-2' : peer;
      hand.step({
        type: 'message.received',
        from: peer,
        session,
        message: { type: 'master.notLeading', epoch: 0, leader },
      });
      const [dialed] = hand.clock('redial');
      if (dialed?.type === 'peer.connect') tried.push(dialed.peer);
    }
    expect(tried.slice(0, 5)).toEqual(['master-1', 'master-2', 'master-3', 'master-2', 'master-1']);
  });

  test('every word of the master ends its silence', () => {
    const hand = new Hand().welcomed();
    hand.now = 2_000_000;
    hand.hear({ type: 'master.beat', epoch: 1, slot: 1, incarnation: 3 });
    expect(armedAt(hand.state.deadlines, 'silence', '')).toBe(2_000_000 + config.suspectUs);
  });
});

describe('a worker whose tasks are short', () => {
  /** Has run one task of so many microseconds. */
  function workerAfter(tookUs: number): { hand: Hand; effects: WorkerEffect[] } {
    const hand = new Hand(1).welcomed();
    hand.assign(attempt(0));
    hand.now += tookUs;
    return { hand, effects: hand.finish(attempt(0)) };
  }

  test('asks for as many as it can do in the time for which it may hold work', () => {
    const asked = (tookUs: number) => said(workerAfter(tookUs).effects)[0];
    // One slot was given and is free again; the rest is ahead of time.
    expect(asked(config.aheadUs + 1)).toMatchObject({ credit: 2 });
    expect(asked(config.aheadUs / 4)).toMatchObject({ credit: 2 + 4 });
    expect(asked(1)).toMatchObject({ credit: 2 + 64 });
  });

  test('runs them in order, no more at once than it has slots', () => {
    const { hand } = workerAfter(1000);
    expect(types(hand.assign(attempt(1)))).toEqual(['attempt.run']);
    expect(hand.assign(attempt(2))).toEqual([]);
    expect(hand.assign(attempt(3))).toEqual([]);
    const effects = hand.finish(attempt(1));
    expect(types(effects)).toEqual(['attempt.run', 'message.send']);
    expect(effects[0]).toMatchObject({ attempt: attempt(2) });
  });

  test('asks for no more than it said, however often it hears of an assignment', () => {
    const { hand } = workerAfter(config.aheadUs / 2);
    const { credit } = hand.state;
    hand.assign(attempt(1));
    hand.assign(attempt(2));
    hand.assign(attempt(2));
    expect(hand.state.credit).toBe(credit);
  });

  test('gives back what waits behind a task that turns out to be long', () => {
    const { hand } = workerAfter(1000);
    hand.assign(attempt(1));
    hand.assign(attempt(2));
    hand.assign(attempt(3));
    const { credit } = hand.state;
    const words = said(hand.clock('queue'));
    expect(words).toMatchObject([
      { type: 'attempt.ended', attempt: attempt(2), credit },
      { type: 'attempt.ended', attempt: attempt(3), credit },
    ]);
    expect(words.every((word) => !('failure' in word))).toBe(true);
    expect([...hand.state.running.values()].map((one) => one.attempt)).toEqual([attempt(1)]);
  });

  test('gives back at once what it is told to stop before it began', () => {
    const { hand } = workerAfter(1000);
    hand.assign(attempt(1));
    hand.assign(attempt(2));
    const effects = hand.revoke(attempt(2));
    expect(types(effects)).toEqual(['message.send']);
    expect(said(effects)).toMatchObject([{ type: 'attempt.ended', attempt: attempt(2) }]);
  });

  test('forgets with its session what it has not begun, and declares only what it runs', () => {
    const { hand } = workerAfter(1000);
    hand.assign(attempt(1));
    hand.assign(attempt(2));
    hand.step({ type: 'peer.lost', peer: 'master-1', session: hand.state.link.session });
    hand.clock('redial');
    expect(said(hand.connect())[0]).toMatchObject({ running: [attempt(1)], credit: 0 });
    expect(types(hand.finish(attempt(1)))).toEqual(['message.send']);
  });

  test('learns nothing from one that was stopped: that it took little says little', () => {
    const hand = new Hand(1).welcomed();
    hand.assign(attempt(0));
    hand.now += 10;
    hand.revoke(attempt(0));
    expect(said(hand.step({ type: 'attempt.aborted', attempt: attempt(0) }))).toMatchObject([{ credit: 2 }]);
  });

  test('drops what waits of a job that has ended', () => {
    const { hand } = workerAfter(1000);
    hand.assign(attempt(1));
    hand.assign(attempt(2));
    const effects = hand.hear({ type: 'job.ended', epoch: 1, incarnation: 3, job: 1 });
    expect(types(effects)).toEqual(['message.send', 'attempt.abort', 'job.discard']);
    expect(types(hand.step({ type: 'attempt.aborted', attempt: attempt(1) }))).toEqual(['message.send']);
  });
});
