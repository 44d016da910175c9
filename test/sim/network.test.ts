import { beforeEach, expect, it } from 'vitest';
import type { MachineEvent } from '../../core/events.js';
import type { JobSubmit } from '../../core/messages.js';
import { Network } from '../../sim/network.js';
import type { Life } from '../../sim/nodes.js';
import { SmallHost } from './small-host.js';

let host: SmallHost;
let network: Network;
let worker: Life;
let master: Life;

const connectUs = 3_000_000;

beforeEach(() => {
  host = new SmallHost();
  worker = host.life('worker-1', 'worker');
  master = host.life('master-1', 'master');
  const nodes = new Map([worker.node, master.node].map((node) => [node.name, node]));
  network = new Network(host, nodes, { min: 200, max: 2_000 }, connectUs);
  host.network = network;
});

function word(requestId: string): JobSubmit {
  return { type: 'job.submit', requestId, spec: {} as JobSubmit['spec'], acceptedSlot: 0 };
}

function types(life: Life): string[] {
  return host.eventsOf(life).map(({ type }) => type);
}

function words(life: Life): string[] {
  const texts: string[] = [];
  for (const event of host.eventsOf(life) as MachineEvent[]) {
    if (event.type === 'message.received') texts.push((event.message as JobSubmit).requestId);
  }
  return texts;
}

it('a session opens on both sides, each with its own number', () => {
  network.connect(worker, 'master-1', 7);
  host.run();
  expect(host.eventsOf(worker)).toEqual([{ type: 'peer.connected', peer: 'master-1', session: 7 }]);
  expect(host.eventsOf(master)).toEqual([{ type: 'peer.connected', peer: 'worker-1', session: 1 }]);
});

it('what one side says arrives in order', () => {
  network.connect(worker, 'master-1', 1);
  host.run();
  const said = Array.from({ length: 50 }, (_, index) => `word ${index}`);
  for (const text of said) network.send(worker, 1, word(text));
  host.run();
  expect(words(master)).toEqual(said);
});

it('a crash takes what is under way along, and the peer hears of it', () => {
  network.connect(worker, 'master-1', 1);
  host.run();
  network.send(worker, 1, word('lost'));
  worker.ended = true;
  worker.node.status = 'down';
  network.ended(worker);
  host.run();
  expect(types(master)).toEqual(['peer.connected', 'peer.lost']);
});

it('an orderly end lets what was said before it arrive', () => {
  network.connect(worker, 'master-1', 1);
  host.run();
  network.send(worker, 1, word('last'));
  network.disconnect(worker, 1);
  network.send(worker, 1, word('too late'));
  host.run();
  expect(types(master)).toEqual(['peer.connected', 'message.received', 'peer.lost']);
  expect(types(worker)).toEqual(['peer.connected']);
});

it('a stopped node hears everything when it goes on, in order', () => {
  network.connect(worker, 'master-1', 1);
  host.run();
  master.node.status = 'paused';
  for (const text of ['a', 'b', 'c']) network.send(worker, 1, word(text));
  host.run();
  expect(words(master)).toEqual([]);
  host.resume(master);
  expect(words(master)).toEqual(['a', 'b', 'c']);
});

it('nobody there: the dialer hears it at once; nobody answers: it hears it after a while', () => {
  master.node.status = 'down';
  network.connect(worker, 'master-1', 1);
  host.run();
  expect(types(worker)).toEqual(['peer.lost']);
  expect(host.heard[0]!.atUs).toBeLessThan(connectUs);
  master.node.status = 'paused';
  const sinceUs = host.nowUs;
  network.connect(worker, 'master-1', 2);
  host.run();
  expect(types(worker)).toEqual(['peer.lost', 'peer.lost']);
  expect(host.heard[1]!.atUs).toBeGreaterThanOrEqual(sinceUs + connectUs);
});

it('a blocked link holds frames up one way, and they arrive when it heals', () => {
  network.connect(worker, 'master-1', 1);
  host.run();
  let hits = 0;
  const hit = (): void => void hits++;
  network.block(worker.node, master.node, hit);
  network.send(master, 1, word('through'));
  host.run();
  expect(hits).toBe(0);
  network.send(worker, 1, word('held up'));
  host.run();
  expect(hits).toBe(1);
  expect([words(master), words(worker)]).toEqual([[], ['through']]);
  network.heal(worker.node, master.node, hit);
  host.run();
  expect(words(master)).toEqual(['held up']);
});

it('another message on a link does not change the latency of one', () => {
  const arrival = (extra: boolean): number => {
    const own = new SmallHost();
    const from = own.life('worker-1', 'worker');
    const to = own.life('master-1', 'master');
    const net = new Network(
      own,
      new Map([from, to].map(({ node }) => [node.name, node])),
      { min: 200, max: 2_000 },
      connectUs,
    );
    own.network = net;
    net.connect(from, 'master-1', 1);
    own.run();
    const sinceUs = own.nowUs;
    const attempt = { job: 1, task: 3, epoch: 1, n: 1 };
    const ended = { type: 'attempt.ended', incarnation: 1, credit: 1, attempt } as const;
    net.send(from, 1, ended);
    if (extra) net.send(from, 1, { ...ended, attempt: { ...attempt, task: 4 } });
    own.run();
    return own.heard.find(({ event }) => event.type === 'message.received')!.atUs - sinceUs;
  };
  expect(arrival(true)).toBe(arrival(false));
});
