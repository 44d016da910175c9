import { beforeEach, expect, it, vi } from 'vitest';
import { LeaseModel } from '../../sim/lease-model.js';
import type { Life } from '../../sim/nodes.js';
import { StoreHealth } from '../../sim/store-health.js';
import { SmallHost } from './small-host.js';

const ttlUs = 3_000_000;
let host: SmallHost;
let lease: LeaseModel;
let one: Life;
let two: Life;

beforeEach(() => {
  host = new SmallHost();
  lease = new LeaseModel(host);
  one = host.life('master-1', 'master');
  two = host.life('master-2', 'master');
});

function ask(life: Life, request: number): void {
  lease.campaign(life, { type: 'lease.campaign', request, ttlUs });
}

/** `master-1 lease.granted 1`, in order. */
function answers(): string[] {
  return host.heard.map(
    ({ node, event }) => `${node} ${event.type}${'request' in event ? ` ${event.request}` : ''}`,
  );
}

const noHit = (): void => {};

it('grants to one at a time; who waits gets it when it is over, and the former holder is told', () => {
  ask(one, 1);
  host.later(500_000, () => ask(two, 1));
  host.run();
  expect(answers().toSorted()).toEqual([
    'master-1 lease.granted 1',
    'master-1 lease.lost',
    'master-2 lease.granted 1',
  ]);
  const { atUs } = host.heard.find(({ node }) => node === 'master-2')!;
  expect(atUs).toBeGreaterThanOrEqual(ttlUs);
});

it('of several requests of a process that waits, the last one is granted, in whatever order they arrive', () => {
  ask(one, 1);
  host.later(500_000, () => {
    for (let request = 1; request <= 20; request++) ask(two, request);
  });
  host.run();
  expect(answers().filter((answer) => answer.startsWith('master-2'))).toEqual(['master-2 lease.granted 20']);
});

it('a holder that dies or resigns makes room at once', () => {
  ask(one, 1);
  host.later(500_000, () => ask(two, 1));
  host.later(600_000, () => {
    one.ended = true;
    lease.ended(one);
  });
  host.run();
  expect(answers()).toEqual(['master-1 lease.granted 1', 'master-2 lease.granted 1']);
  expect(host.heard[1]!.atUs).toBeLessThan(700_000);
});

it('a lease that expires unknown to its holder goes to whoever waits, and nobody tells the holder', () => {
  ask(one, 1);
  host.later(500_000, () => ask(two, 1));
  host.later(600_000, () => expect(lease.expire(noHit)).toBe('master-1'));
  host.run();
  expect(answers()).toEqual(['master-1 lease.granted 1', 'master-2 lease.granted 1']);
});

it.each<[when: string, hits: number, before: () => void, after: () => void]>([
  ['somebody waits for it', 1, () => ask(two, 1), () => {}],
  ['somebody asks for it while it would have been held', 1, () => {}, () => ask(two, 1)],
  ['nobody asks for it', 0, () => {}, () => {}],
  ['its holder asks for more of it before anybody else does', 0, () => {}, askOneAfterTheOther],
  ['its holder has died', 0, () => {}, dieAndMakeRoom],
  ['it would have run out by then', 0, () => {}, () => host.later(2 * ttlUs, () => ask(two, 1))],
])(
  'a lease that expires changes something only for who could not have had it: %s',
  (_, hits, before, after) => {
    const hit = vi.fn();
    ask(one, 1);
    host.later(500_000, before);
    host.later(600_000, () => expect(lease.expire(hit)).toBe('master-1'));
    host.later(700_000, after);
    host.run();
    expect(hit).toHaveBeenCalledTimes(hits);
  },
);

function askOneAfterTheOther(): void {
  ask(one, 2);
  host.later(10_000, () => ask(two, 1));
}

function dieAndMakeRoom(): void {
  one.ended = true;
  lease.ended(one);
  ask(two, 1);
}

it('a lease that ends while the service is down goes to whoever waits once it is up again', () => {
  const health = new StoreHealth(host);
  lease = new LeaseModel(host, health);
  ask(one, 1);
  host.later(500_000, () => ask(two, 1));
  host.later(600_000, () => health.halt(1, noHit));
  host.later(2 * ttlUs, () => health.restart(1, noHit));
  host.run();
  const granted = host.heard.find(({ node }) => node === 'master-2')!;
  expect(granted.event.type).toBe('lease.granted');
  expect(granted.atUs).toBeGreaterThanOrEqual(2 * ttlUs);
});
