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
const append = (slot: number, nonce = `n${++nonces}`, after = '') =>
  ({ type: 'journal.append', slot, nonce, after, records: [] }) as const;

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
  journal.append(one, append(2, 'b', 'a'));
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
    { type: 'journal.taken', slot: 1, entry: { slot: 1, nonce: 'a', after: '', records: [] } },
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
    journal.append(two, append(entries + 1, 'b', entries === 1 ? 'a' : ''));
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
    journal.append(two, append(2, 'b', 'a'));
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
  journal.obscure(one.node, () => true);
  journal.append(one, append(1, 'a'));
  host.run();
  expect(host.eventsOf(one)).toMatchObject([{ type: 'journal.unknown', slot: 1 }]);
  journal.append(one, append(1, 'a'));
  host.run();
  expect(host.eventsOf(one).at(-1)).toMatchObject({ type: 'journal.taken', entry: { nonce: 'a' } });
});

/** Fills these slots, one after another. */
function fill(host: SmallHost, journal: JournalModel, life: Life, from: number, to: number): void {
  for (let slot = from; slot <= to; slot++) {
    journal.append(life, append(slot, `s${slot}`, slot === 1 ? '' : `s${slot - 1}`));
    host.run();
  }
}

it('a batch that names another predecessor than there is, is not appended', () => {
  const { host, journal, one } = setUp();
  fill(host, journal, one, 1, 2);
  journal.append(one, append(3, 'x', 'another'));
  host.run();
  expect(host.eventsOf(one).at(-1)).toEqual({ type: 'journal.taken', slot: 3 });
});

describe('a trimmed journal', () => {
  function trimmed() {
    const all = setUp();
    const { host, journal, one } = all;
    fill(host, journal, one, 1, 6);
    journal.trim(one, { type: 'journal.trim', first: 4, nonce: 's4' });
    host.run();
    return all;
  }

  it('says where it begins to whoever reads below', () => {
    const { host, journal, two } = trimmed();
    for (const from of [3, 4]) {
      journal.read(two, from);
      host.run();
    }
    expect(host.eventsOf(two)).toMatchObject([
      { type: 'journal.trimmed', from: 3, first: 4 },
      { type: 'journal.entries', from: 4, entries: [{ slot: 4 }, { slot: 5 }, { slot: 6 }], end: true },
    ]);
  });

  it('has taken slots of which nobody can say what they held', () => {
    const { host, journal, two } = trimmed();
    journal.append(two, append(2, 'late', 's1'));
    host.run();
    expect(host.eventsOf(two)).toEqual([{ type: 'journal.taken', slot: 2 }]);
  });

  it('begins only with what was named, and only its owner trims it', () => {
    const { host, journal, one, two } = trimmed();
    journal.trim(one, { type: 'journal.trim', first: 5, nonce: 'another' });
    journal.trim(two, { type: 'journal.trim', first: 6, nonce: 's6' });
    host.run();
    expect(journal.first).toBe(4);
  });

  it.each(['journal.before_trim', 'journal.after_create', 'journal.after_read', 'journal.after_header_sync'])(
    'whose owner dies at %s is as it was, and goes on',
    (point) => {
      const { host, journal, one, two } = setUp();
      fill(host, journal, one, 1, 6);
      host.atPoint = (reached) => {
        if (reached === point) crash(journal, one);
      };
      journal.trim(one, { type: 'journal.trim', first: 4, nonce: 's4' });
      host.run();
      host.atPoint = () => {};
      expect(journal.first).toBe(1);
      fill(host, journal, two, 7, 7);
      expect(host.eventsOf(two)).toMatchObject([{ type: 'journal.appended' }]);
    },
  );

  it('whose owner is stopped in the middle while another takes over, is not trimmed by it', () => {
    const { host, journal, one, two } = setUp();
    fill(host, journal, one, 1, 6);
    host.atPoint = (reached, life) => {
      if (reached === 'journal.after_read' && life === one) one.node.status = 'paused';
    };
    journal.trim(one, { type: 'journal.trim', first: 4, nonce: 's4' });
    host.run();
    fill(host, journal, two, 7, 7);
    host.resume(one);
    host.run();
    expect(journal.first).toBe(1);
    expect(journal.durableEntries(1).map(({ nonce }) => nonce)).toContain('s7');
  });

  it('that is restored from a copy of before the trim begins where it began then', () => {
    const { host, journal, two } = trimmed();
    journal.goBack(5);
    expect(journal.first).toBe(1);
    journal.read(two, 1);
    host.run();
    expect(host.eventsOf(two).at(-1)).toMatchObject({ type: 'journal.entries', end: true });
  });
});

describe('a store that goes back', () => {
  it('has lost what was above, for everybody, and says how much of it was confirmed', () => {
    const { host, journal, one, two } = setUp();
    fill(host, journal, one, 1, 5);
    expect(journal.goBack(2)).toBe(3);
    journal.append(one, append(6, 'x', 's5'));
    journal.append(two, append(3, 'y', 's2'));
    host.run();
    expect(host.eventsOf(one).at(-1)).toEqual({ type: 'journal.taken', slot: 6 });
    expect(journal.durableEntries(1).map(({ nonce }) => nonce)).toEqual(['s1', 's2', 'y']);
  });

  it('in the middle of an append acknowledges nothing of it', () => {
    for (const point of ['journal.after_write', 'journal.after_sync', 'master.after_append_before_ack']) {
      const { host, journal, one } = setUp();
      fill(host, journal, one, 1, 2);
      host.atPoint = (reached) => {
        if (reached === point) journal.goBack(1);
      };
      journal.append(one, append(3, 's3', 's2'));
      host.run();
      expect(host.eventsOf(one).at(-1)?.type, point).toBe('journal.unknown');
    }
  });
});

it('a sync that fails leaves the outcome open, and what it was for is not durable', () => {
  const { host, journal, one } = setUp();
  fill(host, journal, one, 1, 1);
  let told = 0;
  journal.failSync(one.node, () => {
    told++;
    crash(journal, one);
    return true;
  });
  journal.append(one, append(2, 'lost', 's1'));
  host.run();
  expect(told).toBe(1);
  expect(journal.durableEntries(1)).toHaveLength(1);
});
