import { describe, expect, it } from 'vitest';
import { JournalModel } from '../../sim/journal-model.js';
import { LeaseModel } from '../../sim/lease-model.js';
import { StoreHealth } from '../../sim/store-health.js';
import { SmallHost } from './small-host.js';

function setUp(nodes = 1) {
  const host = new SmallHost();
  const health = new StoreHealth(host, nodes);
  const journal = new JournalModel(host, health);
  const lease = new LeaseModel(host, health);
  return {
    host,
    health,
    journal,
    lease,
    one: host.life('master-1', 'master'),
    two: host.life('master-2', 'master'),
  };
}

const noHit = (): void => {};

const append = (slot: number, nonce: string, after = '') =>
  ({ type: 'journal.append', slot, nonce, after, records: [] }) as const;

describe('a store of several nodes', () => {
  it('is there as long as a majority of them is', () => {
    const { health, one } = setUp(3);
    health.halt(2, noHit);
    expect(health.reaches(one.node)).toBe(true);
    health.halt(3, noHit);
    health.halt(3, noHit);
    expect(health.reaches(one.node)).toBe(false);
    health.restart(3, noHit);
    expect(health.reaches(one.node)).toBe(false);
    health.restart(3, noHit);
    expect(health.reaches(one.node)).toBe(true);
  });
});

describe('a store out of reach', () => {
  it('takes no append of this master, and takes those of others', () => {
    const { host, health, journal, one, two } = setUp();
    health.sever(one.node, noHit);
    journal.append(one, append(1, 'a'));
    journal.append(two, append(1, 'b'));
    host.run();
    expect(host.eventsOf(one)).toMatchObject([{ type: 'journal.unknown', slot: 1 }]);
    expect(journal.durableEntries(1).map(({ nonce }) => nonce)).toEqual(['b']);
  });

  it('in the middle of an append has it, and cannot say so', () => {
    const { host, health, journal, one } = setUp();
    host.atPoint = (point) => {
      if (point === 'journal.after_sync') health.sever(one.node, noHit);
    };
    journal.append(one, append(1, 'a'));
    host.run();
    expect(host.eventsOf(one)).toMatchObject([{ type: 'journal.unknown' }]);
    expect(journal.durableEntries(1)).toHaveLength(1);
  });

  it('lets reads and campaigns wait, and answers them when it is back', () => {
    const { host, health, journal, lease, one } = setUp();
    health.sever(one.node, noHit);
    journal.read(one, 1);
    lease.campaign(one, { type: 'lease.campaign', request: 1, ttlUs: 3_000_000 });
    host.later(2_000_000, () => health.rejoin(one.node, noHit));
    host.run();
    expect(host.heard.map(({ event }) => event.type)).toEqual(['journal.entries', 'lease.granted']);
    for (const { atUs } of host.heard) expect(atUs).toBeGreaterThanOrEqual(2_000_000);
  });
});

it('a blurred append has happened or never will, by draw, and is never answered clearly', () => {
  const { host, health, journal, one } = setUp();
  const blur = { blur: { percent: 100, happen: 50 }, hit: noHit };
  health.blur(one.node, blur);
  let slots = 0;
  for (let n = 0; n < 40; n++) {
    const after = journal.durableEntries(1).at(-1)?.nonce ?? '';
    journal.append(one, append(slots + 1, `n${n}`, after));
    host.run();
    slots = journal.durableEntries(1).length;
  }
  expect(host.eventsOf(one).every(({ type }) => type === 'journal.unknown')).toBe(true);
  expect(slots).toBeGreaterThan(8);
  expect(slots).toBeLessThan(32);
  health.clear(one.node, blur);
  journal.append(one, append(slots + 1, 'clear', journal.durableEntries(1).at(-1)!.nonce));
  host.run();
  expect(host.eventsOf(one).at(-1)).toMatchObject({ type: 'journal.appended' });
});

it.each([
  [0, 0],
  [100, 1],
])('of blurred appends so many percent happen: %i', (happen, slots) => {
  const { host, health, journal, one } = setUp();
  health.blur(one.node, { blur: { percent: 100, happen }, hit: noHit });
  for (let n = 0; n < 5; n++) {
    journal.append(one, append(1, 'a'));
    host.run();
  }
  expect(host.eventsOf(one).map(({ type }) => type)).toEqual(Array(5).fill('journal.unknown'));
  expect(journal.durableEntries(1)).toHaveLength(slots);
});

it('a slow store takes as many times as long', () => {
  const timeOf = (by: number): number => {
    const { host, health, journal, one } = setUp();
    health.slow(one.node, { by, hit: noHit });
    journal.append(one, append(1, 'a'));
    host.run();
    return host.heard[0]!.atUs;
  };
  expect(timeOf(20)).toBe(20 * timeOf(1));
});

it('slowed by several faults at once, it is as slow as the worst of them that still lasts', () => {
  const { health, one, two } = setUp();
  const [slow, alike, faster] = [200, 200, 20].map((by) => ({ by, hit: noHit }));
  for (const slowness of [slow!, alike!, faster!]) health.slow(one.node, slowness);
  expect(health.slowedUs(one.node, 7)).toBe(1400);
  expect(health.slowedUs(two.node, 7)).toBe(7);
  health.hasten(one.node, slow!);
  expect(health.slowedUs(one.node, 7)).toBe(1400);
  health.hasten(one.node, alike!);
  expect(health.slowedUs(one.node, 7)).toBe(140);
  health.hasten(one.node, faster!);
  expect(health.slowedUs(one.node, 7)).toBe(7);
});

describe('a fault of the store is told of a call', () => {
  const fault = () => {
    const told = { hits: 0, hit: () => void told.hits++ };
    return told;
  };

  it('that it refuses', () => {
    const { host, health, journal, one, two } = setUp();
    const [severed, halted] = [fault(), fault()];
    health.sever(one.node, severed.hit);
    health.halt(1, halted.hit);
    expect(health.reaches(one.node)).toBe(false);
    expect([severed.hits, halted.hits]).toEqual([0, 0]);
    journal.read(two, 1);
    host.run();
    expect([severed.hits, halted.hits]).toEqual([0, 1]);
    journal.read(one, 1);
    expect(severed.hits).toBe(1);
  });

  it('that does without a node of several', () => {
    const { health, one } = setUp(3);
    const halted = fault();
    health.halt(2, halted.hit);
    expect(halted.hits).toBe(0);
    expect(health.takes(one.node)).toBe(true);
    expect(halted.hits).toBe(1);
  });

  it('that it slows, if no other fault slows it more', () => {
    const { health, one } = setUp();
    const [slow, slower] = [fault(), fault()];
    health.slow(one.node, { by: 3, hit: slow.hit });
    health.slow(one.node, { by: 20, hit: slower.hit });
    health.slowedUs(one.node, 100);
    expect([slow.hits, slower.hits]).toEqual([0, 1]);
  });

  it('that it leaves in doubt', () => {
    const { host, health, journal, one } = setUp();
    const [never, obscured, blurred] = [fault(), fault(), fault()];
    health.blur(one.node, { blur: { percent: 0, happen: 0 }, hit: never.hit });
    journal.obscure(one.node, () => {
      obscured.hit();
      return true;
    });
    expect(obscured.hits).toBe(0);
    for (const nonce of ['a', 'b']) {
      journal.append(one, append(nonce === 'a' ? 1 : 2, nonce, nonce === 'a' ? '' : 'a'));
      host.run();
    }
    expect([obscured.hits, never.hits]).toEqual([1, 0]);
    health.blur(one.node, { blur: { percent: 100, happen: 100 }, hit: blurred.hit });
    journal.append(one, append(3, 'c', 'b'));
    expect(blurred.hits).toBe(0);
    host.run();
    expect(blurred.hits).toBe(1);
  });
});
