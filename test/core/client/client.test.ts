import { describe, expect, test } from 'vitest';
import { type ClientState, initClient, stepClient } from '../../../core/client/step.js';
import { defaultClusterConfig } from '../../../core/config.js';
import { armed, armedAt } from '../../../core/deadlines.js';
import type { ClientEffect } from '../../../core/effects.js';
import type { ClientEvent } from '../../../core/events.js';
import type { JobPhase, JobStatus, MasterToClient } from '../../../core/messages.js';
import { specOf } from '../bench.js';

const config = { ...defaultClusterConfig, masters: ['master-1', 'master-2', 'master-3'] };
const phase = {
  total: 1,
  done: 0,
  running: 1,
  attempts: 1,
  failed: 0,
  stale: 0,
  speculative: 0,
  invalidated: 0,
};

function statusOf(name: JobPhase, change: Partial<JobStatus> = {}): JobStatus {
  return {
    type: 'job.status',
    epoch: 1,
    requestId: 'request-1',
    slot: 7,
    job: 1,
    phase: name,
    maps: phase,
    reduces: { ...phase, running: 0 },
    workers: 1,
    failures: [],
    draining: false,
    counters: [],
    ...change,
  };
}

/** A client machine that is driven by hand. */
class Hand {
  readonly state: ClientState = initClient(config, { node: 'client-1', incarnation: 1 });
  now = 0;

  step(event: ClientEvent): ClientEffect[] {
    return stepClient(this.state, event, this.now);
  }

  /** Started, asked for a job, and connected. */
  asking(): this {
    this.step({ type: 'node.started' });
    this.step({ type: 'job.requested', requestId: 'request-1', spec: specOf() });
    this.connect();
    return this;
  }

  connect(): ClientEffect[] {
    return this.step({ type: 'peer.connected', peer: 'any', session: this.state.link.session });
  }

  hear(message: MasterToClient): ClientEffect[] {
    const { session } = this.state.link;
    return this.step({ type: 'message.received', from: 'any', session, message });
  }

  clock(kind: string): ClientEffect[] {
    this.now = armedAt(this.state.deadlines, kind, '')!;
    return this.step({ type: 'clock.reached', deadline: { kind, id: '' } });
  }
}

const submit = {
  type: 'message.send',
  message: { type: 'job.submit', requestId: 'request-1', acceptedSlot: 0 },
};

describe('a client', () => {
  test('submits once it is connected, whichever came first', () => {
    const hand = new Hand();
    hand.step({ type: 'node.started' });
    expect(hand.step({ type: 'job.requested', requestId: 'request-1', spec: specOf() })).toEqual([]);
    expect(hand.connect()).toMatchObject([submit]);
    const other = new Hand();
    other.step({ type: 'node.started' });
    expect(other.connect()).toEqual([]);
    expect(other.step({ type: 'job.requested', requestId: 'request-1', spec: specOf() })).toMatchObject([
      submit,
    ]);
  });

  test('repeats itself with every beat until there is an answer, and then with the slot of it', () => {
    const hand = new Hand().asking();
    expect(hand.clock('beat')).toMatchObject([submit]);
    hand.hear(statusOf('map'));
    hand.hear(statusOf('map', { slot: 9 }));
    expect(hand.clock('beat')).toMatchObject([{ message: { type: 'job.submit', acceptedSlot: 7 } }]);
  });

  test('submits again to the next master after silence', () => {
    const hand = new Hand().asking();
    expect(hand.clock('silence')).toMatchObject([{ type: 'peer.disconnect', peer: 'master-1' }]);
    expect(hand.clock('redial')).toMatchObject([{ type: 'peer.connect', peer: 'master-2' }]);
    expect(hand.connect()).toMatchObject([submit]);
  });

  test('follows the hint of a master that does not lead', () => {
    const hand = new Hand().asking();
    hand.hear({ type: 'master.notLeading', epoch: 3, leader: 'master-3' });
    expect(hand.clock('redial')).toMatchObject([{ type: 'peer.connect', peer: 'master-3' }]);
  });

  test('goes elsewhere when its session breaks, and does not listen to the old one', () => {
    const hand = new Hand().asking();
    hand.step({ type: 'peer.lost', peer: 'master-1', session: 1 });
    expect(hand.clock('redial')).toMatchObject([{ type: 'peer.connect', peer: 'master-2', session: 2 }]);
    const message = statusOf('published');
    expect(hand.step({ type: 'message.received', from: 'master-1', session: 1, message })).toEqual([]);
    expect(hand.step({ type: 'peer.lost', peer: 'master-1', session: 1 })).toEqual([]);
    expect(hand.state.link.session).toBe(2);
  });

  test('reports how it goes and does not conclude from it', () => {
    const hand = new Hand().asking();
    const status = statusOf('reduce');
    expect(hand.hear(status)).toEqual([{ type: 'job.report', status }]);
    expect(hand.state.concluded).toBe(false);
  });

  test.each(['published', 'failed'] as const)(
    'concludes once when the job is %s, and is quiet then',
    (end) => {
      const hand = new Hand().asking();
      const status = statusOf(end);
      expect(hand.hear(status)).toMatchObject([
        { type: 'job.report' },
        { type: 'peer.disconnect' },
        { type: 'job.conclude', status },
      ]);
      expect(armed(hand.state.deadlines)).toEqual([]);
      expect(hand.hear(status)).toEqual([]);
      expect(hand.step({ type: 'drain.requested' })).toEqual([]);
    },
  );

  test.each(['gone', 'output-overlaps', 'limit'] as const)('takes “%s” for a final answer', (reason) => {
    const hand = new Hand().asking();
    const refused = {
      type: 'job.refused',
      epoch: 1,
      requestId: 'request-1',
      slot: 7,
      reason,
      message: 'no',
    } as const;
    expect(hand.hear(refused)).toContainEqual({ type: 'job.conclude', refused });
    expect(hand.state.concluded).toBe(true);
  });

  test('does not take an answer to another request for its own', () => {
    const hand = new Hand().asking();
    expect(hand.hear(statusOf('published', { requestId: 'request-9' }))).toEqual([]);
    expect(hand.state.concluded).toBe(false);
  });
});

describe('a client that drains', () => {
  const quiet = { ...phase, running: 0 };

  test('says so with every beat, until nothing runs any more', () => {
    const hand = new Hand().asking();
    expect(hand.step({ type: 'drain.requested' })).toMatchObject([
      submit,
      { message: { type: 'drain.request', requestId: 'request-1' } },
    ]);
    hand.hear(statusOf('map', { draining: true }));
    expect(hand.state.concluded).toBe(false);
    hand.hear(statusOf('map', { draining: false, maps: quiet }));
    expect(hand.state.concluded).toBe(false);
    expect(hand.hear(statusOf('map', { draining: true, maps: quiet }))).toContainEqual({
      type: 'drain.conclude',
    });
  });

  test('waits for the end of a job that is being published', () => {
    const hand = new Hand().asking();
    hand.step({ type: 'drain.requested' });
    hand.hear(statusOf('publishing', { draining: true, maps: quiet }));
    expect(hand.state.concluded).toBe(false);
    expect(hand.hear(statusOf('published', { draining: true, maps: quiet })).at(-1)).toMatchObject({
      type: 'job.conclude',
    });
  });
});
