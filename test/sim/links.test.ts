/** What faults do to the frames of a link, and what they never do: change the order within a session. */
import fc from 'fast-check';
import { beforeEach, expect, it } from 'vitest';
import type { JobSubmit } from '../../core/messages.js';
import type { Trouble, TroubleKind } from '../../sim/links.js';
import { Network } from '../../sim/network.js';
import type { Life } from '../../sim/nodes.js';
import { SmallHost } from './small-host.js';

let host: SmallHost;
let network: Network;
let worker: Life;
let master: Life;
let hits: string[];

beforeEach(() => {
  host = new SmallHost();
  worker = host.life('worker-1', 'worker');
  master = host.life('master-1', 'master');
  const nodes = new Map([worker.node, master.node].map((node) => [node.name, node]));
  network = new Network(host, nodes, { min: 200, max: 2_000 }, 3_000_000);
  host.network = network;
  hits = [];
  network.connect(worker, 'master-1', 1);
  host.run();
});

function word(requestId: string): JobSubmit {
  return { type: 'job.submit', requestId, spec: {} as JobSubmit['spec'], acceptedSlot: 0 };
}

function trouble(what: TroubleKind, key = 1): Trouble {
  const one: Trouble = { key, what, hit: ({ kind }) => hits.push(kind) };
  network.trouble(worker.node, master.node, one);
  return one;
}

function heard(life: Life): string[] {
  return host
    .eventsOf(life)
    .map((event) =>
      event.type === 'message.received' ? (event.message as JobSubmit).requestId : event.type,
    );
}

it('a held message waits, what is behind it waits as well, and both come in order when it is let go', () => {
  const hold = trouble({ kind: 'hold', message: 'worker.beat', held: undefined });
  network.send(worker, 1, word('before'));
  network.send(worker, 1, { type: 'worker.beat', incarnation: 1, credit: 0, progress: [] });
  network.send(worker, 1, word('behind'));
  host.run();
  expect(heard(master)).toEqual(['peer.connected', 'before']);
  expect(hits).toEqual(['worker.beat']);
  network.relieve(worker.node, master.node, hold);
  host.run();
  expect(host.eventsOf(master)).toHaveLength(4);
  expect(heard(master).at(-1)).toBe('behind');
});

it('a held message comes even when its session is gone; what was behind it does not', () => {
  const hold = trouble({ kind: 'hold', message: undefined, held: undefined });
  network.send(worker, 1, word('held'));
  network.send(worker, 1, word('behind'));
  network.drop(worker.node);
  host.run();
  network.relieve(worker.node, master.node, hold);
  host.run();
  expect(heard(master)).toEqual(['peer.connected', 'held', 'peer.lost']);
});

it('a lost message takes its session along, and both sides hear of it', () => {
  trouble({ kind: 'loss', percent: 100 });
  network.send(worker, 1, word('lost'));
  host.run();
  expect(heard(master)).toEqual(['peer.connected', 'peer.lost']);
  expect(heard(worker)).toEqual(['peer.connected', 'peer.lost']);
});

it('a session that cannot be opened for loss is given up after a while', () => {
  trouble({ kind: 'loss', percent: 100 });
  network.connect(worker, 'master-1', 2);
  host.run();
  expect(host.heard.at(-1)).toMatchObject({ node: 'worker-1', event: { type: 'peer.lost', session: 2 } });
});

it('what a broken session had under way comes later', () => {
  trouble({ kind: 'reorder', extraUs: { min: 1_000_000, max: 2_000_000 } });
  network.send(worker, 1, word('straggler'));
  network.drop(worker.node);
  host.run();
  expect(heard(master)).toEqual(['peer.connected', 'peer.lost', 'straggler']);
});

it('a clogged link lets one message through per gap', () => {
  trouble({ kind: 'clog', gapUs: 500_000, lastUs: Number.NEGATIVE_INFINITY });
  for (const text of ['a', 'b', 'c']) network.send(worker, 1, word(text));
  host.run();
  const times = host.heard.filter(({ event }) => event.type === 'message.received').map(({ atUs }) => atUs);
  expect(times[1]! - times[0]!).toBe(500_000);
  expect(times[2]! - times[1]!).toBe(500_000);
});

it('half of the messages are hit by fifty percent, whichever faults there are beside', () => {
  const other = trouble({ kind: 'delay', extraUs: { min: 0, max: 10 } }, 7);
  trouble({ kind: 'duplicate', percent: 50 });
  network.relieve(worker.node, master.node, other);
  for (let number = 0; number < 1_000; number++) network.send(worker, 1, word(`${number}`));
  host.run();
  expect(hits.length).toBeGreaterThan(400);
  expect(hits.length).toBeLessThan(600);
});

it('within a session the order is kept, whatever lies on the link', () => {
  const what: fc.Arbitrary<TroubleKind> = fc.oneof(
    fc.record({ kind: fc.constant('delay' as const), extraUs: fc.constant({ min: 0, max: 50_000 }) }),
    fc.record({ kind: fc.constant('duplicate' as const), percent: fc.integer({ min: 1, max: 100 }) }),
    fc.constant('clog').map((kind) => ({ kind, gapUs: 700, lastUs: 0 }) as TroubleKind),
    fc.constant('hold').map((kind) => ({ kind, message: undefined, held: undefined }) as TroubleKind),
  );
  const command = fc.oneof(
    fc.record({ do: fc.constant('send' as const) }),
    fc.record({ do: fc.constant('trouble' as const), what }),
    fc.record({ do: fc.constantFrom('relieve' as const, 'block' as const, 'heal' as const) }),
    fc.record({ do: fc.constant('wait' as const), us: fc.nat(5_000) }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const own = new SmallHost();
      const from = own.life('worker-1', 'worker');
      const to = own.life('master-1', 'master');
      const nodes = new Map([from.node, to.node].map((node) => [node.name, node]));
      const net = new Network(own, nodes, { min: 200, max: 2_000 }, 3_000_000);
      own.network = net;
      net.connect(from, 'master-1', 1);
      own.run();
      const noHit = (): void => {};
      const troubles: Trouble[] = [];
      const relieve = (): void => {
        const one = troubles.shift();
        if (one) net.relieve(from.node, to.node, one);
      };
      let sent = 0;
      let blocked = 0;
      for (const one of commands) {
        if (one.do === 'send') net.send(from, 1, word(String(sent++)));
        else if (one.do === 'wait') own.runUntil(own.nowUs + one.us);
        else if (one.do === 'relieve') relieve();
        else if (one.do === 'block') {
          net.block(from.node, to.node, noHit);
          blocked++;
        } else if (one.do === 'heal' && blocked > 0) {
          net.heal(from.node, to.node, noHit);
          blocked--;
        } else if (one.do === 'trouble') {
          troubles.push({ key: 1, what: { ...one.what }, hit: noHit });
          net.trouble(from.node, to.node, troubles.at(-1)!);
        }
      }
      while (troubles.length > 0) relieve();
      while (blocked-- > 0) net.heal(from.node, to.node, noHit);
      own.run();
      const numbers = own
        .eventsOf(to)
        .flatMap((event) =>
          event.type === 'message.received' ? [Number((event.message as JobSubmit).requestId)] : [],
        );
      expect([...new Set(numbers)]).toEqual(Array.from({ length: sent }, (_, index) => index));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }),
  );
});
