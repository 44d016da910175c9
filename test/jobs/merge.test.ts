import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { combineRuns, groups, mergeRecords } from '../../jobs/merge.js';
import type { KeyValue } from '../../jobs/types.js';

const key = fc.constantFrom('', 'a', 'b', 'ab', '\uffff', '😀', '__proto__');
const sources = fc
  .array(fc.array(key), { maxLength: 9 })
  .map((lists) =>
    lists.map((keys, source) => sorted(keys).map((name, at): KeyValue => [name, `${source}.${at}`])),
  );

function sorted(keys: readonly string[]): string[] {
  return [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function iterators(lists: readonly (readonly KeyValue[])[]): Iterator<KeyValue>[] {
  return lists.map((list) => list[Symbol.iterator]());
}

describe('a merge', () => {
  test('has the order (key, source, position), as a stable sort of everything has', () => {
    fc.assert(
      fc.property(sources, (lists) => {
        const all = lists.flat();
        all.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect([...mergeRecords(iterators(lists))]).toEqual(all);
      }),
      { numRuns: 500 },
    );
  });

  test('reads no more than one record of a source ahead', () => {
    let read = 0;
    const endless: Iterator<KeyValue> = { next: () => ({ done: false, value: [`k${read++}`, 0] }) };
    const merged = mergeRecords([endless]);
    merged.next();
    merged.next();
    expect(read).toBeLessThanOrEqual(3);
  });
});

describe('groups', () => {
  test('hold each key once, with all its values in order', () => {
    fc.assert(
      fc.property(sources, (lists) => {
        const expected = new Map<string, unknown[]>();
        for (const [name, value] of mergeRecords(iterators(lists))) {
          expected.set(name, [...(expected.get(name) ?? []), value]);
        }
        const found = [...groups(mergeRecords(iterators(lists)))].length;
        const read: [string, unknown[]][] = [];
        for (const group of groups(mergeRecords(iterators(lists)))) read.push([group.key, [...group.values]]);
        expect(read).toEqual([...expected]);
        expect(found).toBe(expected.size);
      }),
    );
  });

  test('skip what was not read, and give nothing once the next is reached', () => {
    const records: KeyValue[] = [
      ['a', 1],
      ['a', 2],
      ['b', 3],
      ['b', 4],
    ];
    const iterator = groups(records.values());
    const first = iterator.next().value!;
    expect(first.values[Symbol.iterator]().next().value).toBe(1);
    const second = iterator.next().value!;
    expect([...first.values]).toEqual([]);
    expect(second.key).toBe('b');
    expect([...second.values]).toEqual([3, 4]);
  });

  test('stream: a value is read when it is asked for', () => {
    let read = 0;
    const endless: Iterator<KeyValue> = { next: () => ({ done: false, value: ['k', read++] }) };
    const values = groups(endless).next().value!.values[Symbol.iterator]();
    values.next();
    values.next();
    expect(read).toBeLessThanOrEqual(3);
  });
});

describe('the runs of a map task', () => {
  const runs: KeyValue[][] = [
    [
      ['a', 1],
      ['b', 2],
    ],
    [['b', 3]],
    [
      ['b', 4],
      ['c', 5],
    ],
  ];

  test('are combined once more, per key with more than one value', () => {
    const combined: string[] = [];
    const combine = (name: string, values: Iterable<number>): number => {
      const all = [...values];
      combined.push(`${name}:${all}`);
      return all.reduce((a, b) => a + b);
    };
    expect([...combineRuns(iterators(runs), combine)]).toEqual([
      ['a', 1],
      ['b', 9],
      ['c', 5],
    ]);
    expect(combined).toEqual(['b:2,3,4']);
  });

  test('are only merged without a combiner', () => {
    expect([...combineRuns(iterators(runs), undefined)]).toEqual([
      ['a', 1],
      ['b', 2],
      ['b', 3],
      ['b', 4],
      ['c', 5],
    ]);
  });

  test('refuse what the combiner makes of them if it is no value', () => {
    expect(() => [...combineRuns(iterators(runs), () => Number.NaN)]).toThrow('the value of key "b" is NaN');
  });
});
