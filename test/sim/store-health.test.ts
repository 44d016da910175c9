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

const append = (slot: number, nonce: string, after = '') =>
  ({ type: 'journal.append', slot, nonce, after, records: [] }) as const;

describe('a store of several nodes', () => {
  it('is there as long as a majority of them is', () => {
    const { health, one } = setUp(3);
    health.halt(2);
    expect(health.reaches(one.node)).toBe(true);
    health.halt(3);
    health.halt(3);
    expect(health.reaches(one.node)).toBe(false);
    health.restart(3);
    expect(health.reaches(one.node)).toBe(false);
    health.restart(3);
    expect(health.reaches(one.node)).toBe(true);
  });
});

describe('a store out of reach', () => {
  it('takes no append of this master, and takes those of others', () => {
    const { host, health, journal, one, two } = setUp();
    health.sever(one.node);
    journal.append(one, append(1, 'a'));
    journal.append(two, append(1, 'b'));
    host.run();
    expect(host.eventsOf(one)).toMatchObject([{ type: 'journal.unknown', slot: 1 }]);
    expect(journal.durableEntries(1).map(({ nonce }) => nonce)).toEqual(['b']);
  });

  it('in the middle of an append has it, and cannot say so', () => {
    const { host, health, journal, one } = setUp();
    host.atPoint = (point) => {
      if (point === 'journal.after_sync') health.sever(one.node);
    };
    journal.append(one, append(1, 'a'));
    host.run();
    expect(host.eventsOf(one)).toMatchObject([{ type: 'journal.unknown' }]);
    expect(journal.durableEntries(1)).toHaveLength(1);
  });

  it('lets reads and campaigns wait, and answers them when it is back', () => {
    const { host, health, journal, lease, one } = setUp();
    health.sever(one.node);
    journal.read(one, 1);
    lease.campaign(one, { type: 'lease.campaign', request: 1, ttlUs: 3_000_000 });
    host.later(2_000_000, () => health.rejoin(one.node));
    host.run();
    expect(host.heard.map(({ event }) => event.type)).toEqual(['journal.entries', 'lease.granted']);
    for (const { atUs } of host.heard) expect(atUs).toBeGreaterThanOrEqual(2_000_000);
  });
});

it('a blurred append has happened or never will, by draw, and is never answered clearly', () => {
  const { host, health, journal, one } = setUp();
  const blur = { percent: 100, happen: 50 };
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
  health.blur(one.node, { percent: 100, happen });
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
    health.slow(one.node, by);
    journal.append(one, append(1, 'a'));
    host.run();
    return host.heard[0]!.atUs;
  };
  expect(timeOf(20)).toBe(20 * timeOf(1));
});

it('slowed by several faults at once, it is as slow as the worst of them that still lasts', () => {
  const { health, one, two } = setUp();
  health.slow(one.node, 200);
  health.slow(one.node, 200);
  health.slow(one.node, 20);
  expect(health.slowBy(one.node)).toBe(200);
  expect(health.slowBy(two.node)).toBe(1);
  health.hasten(one.node, 200);
  expect(health.slowBy(one.node)).toBe(200);
  health.hasten(one.node, 200);
  expect(health.slowBy(one.node)).toBe(20);
  health.hasten(one.node, 20);
  expect(health.slowBy(one.node)).toBe(1);
});
