import { describe, expect, it } from 'vitest';
import { JournalModel } from '../../sim/journal-model.js';
import type { Life } from '../../sim/nodes.js';
import { SmallHost } from './small-host.js';

function setUp() {
  const host = new SmallHost();
  const journal = new JournalModel(host);
  return { host, journal, one: host.life('master-1', 'master'), two: host.life('master-2', 'master') };
}

let nonces = 0;
const append = (slot: number, nonce = `n${++nonces}`) =>
  ({ type: 'journal.append', slot, nonce, records: [] }) as const;

/** Ends the life as the world does. */
function crash(journal: JournalModel, life: Life): void {
  life.ended = true;
  life.node.status = 'down';
  journal.ended(life);
}

it('slots are created one after another, and read back in order', () => {
  const { host, journal, one } = setUp();
  journal.append(one, append(1, 'a'));
  host.run();
  journal.append(one, append(2, 'b'));
  host.run();
  expect(journal.durableEntries(1).map(({ slot, nonce }) => [slot, nonce])).toEqual([
    [1, 'a'],
    [2, 'b'],
  ]);
  journal.read(one, 2);
  host.run();
  expect(host.eventsOf(one).at(-1)).toMatchObject({
    type: 'journal.entries',
    from: 2,
    end: true,
    entries: [{ slot: 2 }],
  });
});

it('a taken slot answers with what it holds, and a slot beyond the end is not created', () => {
  const { host, journal, one, two } = setUp();
  journal.append(one, append(1, 'a'));
  host.run();
  journal.append(two, append(1, 'b'));
  journal.append(two, append(3, 'c'));
  host.run();
  expect(host.eventsOf(two)).toEqual([
    { type: 'journal.taken', slot: 1, entry: { slot: 1, nonce: 'a', records: [] } },
    { type: 'journal.taken', slot: 3 },
  ]);
});

it('of two masters that race for a slot, one gets it', () => {
  const { host, journal, one, two } = setUp();
  journal.append(one, append(1, 'a'));
  journal.append(two, append(1, 'b'));
  host.run();
  const won = host.heard.filter(({ event }) => event.type === 'journal.appended');
  expect(won).toHaveLength(1);
  expect(journal.durableEntries(1)).toHaveLength(1);
});

describe('an owner that dies', () => {
  it.each([
    ['master.before_append', 0],
    ['journal.after_write', 0],
    ['journal.after_sync', 1],
    ['master.after_append_before_ack', 1],
  ])('at %s leaves %i entries, and never an acknowledged one less', (point, entries) => {
    const { host, journal, one, two } = setUp();
    host.atPoint = (reached) => {
      if (reached === point) crash(journal, one);
    };
    journal.append(one, append(1, 'a'));
    host.run();
    expect(host.eventsOf(one)).toEqual([]);
    host.atPoint = () => {};
    journal.append(two, append(entries + 1, 'b'));
    host.run();
    expect(journal.durableEntries(1).map(({ nonce }) => nonce)).toEqual(entries === 1 ? ['a', 'b'] : ['b']);
  });
});

describe('an owner that is stopped while another takes over', () => {
  it.each(['journal.after_write', 'journal.after_sync'])('at %s is not acknowledged', (point) => {
    const { host, journal, one, two } = setUp();
    host.atPoint = (reached, life) => {
      if (reached === point && life === one) one.node.status = 'paused';
    };
    journal.append(one, append(1, 'a'));
    host.run();
    journal.append(two, append(1, 'b'));
    host.run();
    // The successor has read and synced what was written: its own append finds the slot taken.
    expect(host.eventsOf(two)).toMatchObject([{ type: 'journal.taken', entry: { nonce: 'a' } }]);
    journal.append(two, append(2, 'b'));
    host.run();
    host.resume(one);
    host.run();
    expect(host.eventsOf(one)).toEqual([
      { type: 'journal.unknown', slot: 1, reason: 'the journal was taken over' },
    ]);
    expect(journal.durableEntries(1).map(({ nonce }) => nonce)).toEqual(['a', 'b']);
  });
});

it('an obscured answer leaves the entry in place and its writer in doubt', () => {
  const { host, journal, one } = setUp();
  journal.obscure(one.node);
  journal.append(one, append(1, 'a'));
  host.run();
  expect(host.eventsOf(one)).toMatchObject([{ type: 'journal.unknown', slot: 1 }]);
  journal.append(one, append(1, 'a'));
  host.run();
  expect(host.eventsOf(one).at(-1)).toMatchObject({ type: 'journal.taken', entry: { nonce: 'a' } });
});
