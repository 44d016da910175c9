import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MapRun } from '../../jobs/collector.js';
import { defineJob, type Emit, sum } from '../../jobs/index.js';
import { MapTask } from '../../jobs/map-task.js';
import { murmur3 } from '../../jobs/murmur3.js';
import type { Job } from '../../jobs/types.js';

const context = { task: 'map-0', params: { unit: 'word' }, seed: '7' };
const words = defineJob({
  name: 'words',
  map(line, emit) {
    for (const word of line.split(' ')) emit(word, 1);
  },
  combine: sum,
  reduce: sum,
});

function task(job: Job, settings: { reduces?: number; budgetBytes?: number } = {}) {
  const runs: MapRun[] = [];
  const map = new MapTask({
    job,
    reduces: 1,
    budgetBytes: 1e9,
    context,
    onRun: (run) => runs.push(run),
    ...settings,
  });
  return { map, runs };
}

function mapAll(
  job: Job,
  lines: readonly string[],
  settings: { reduces?: number; budgetBytes?: number } = {},
): MapRun[] {
  const { map, runs } = task(job, settings);
  map.start();
  for (const line of lines) map.offer(line);
  map.finish();
  return runs;
}

const pairs = (run: MapRun | undefined) =>
  run?.partitions.map((groups) => groups.map(({ key, values }) => [key, ...values]));

describe('a map task', () => {
  test('cuts one sorted, combined run when the budget suffices', () => {
    const runs = mapAll(words, ['b a', 'a \uffff 😀 a']);
    expect(runs.map(pairs)).toEqual([
      [
        [
          ['a', 3],
          ['b', 1],
          ['\uffff', 1],
          ['😀', 1],
        ],
      ],
    ]);
  });

  test('cuts no run when nothing was emitted', () => {
    expect(mapAll(defineJob({ ...words, map: () => {} }), ['a'])).toEqual([]);
  });

  test('puts a key into the partition of its hash', () => {
    const [run] = mapAll(words, ['a b c d e f g'], { reduces: 3 });
    for (const [partition, groups] of run!.partitions.entries()) {
      for (const { key } of groups) expect(murmur3(key) % 3).toBe(partition);
    }
    expect(run!.partitions.flat()).toHaveLength(7);
  });

  test("asks the job's own partition, and refuses a wrong answer", () => {
    const byLength = { ...words, partition: (key: string) => key.length };
    expect(pairs(mapAll(byLength, ['x', '', 'y'], { reduces: 2 })[0])).toEqual([
      [['', 1]],
      [
        ['x', 1],
        ['y', 1],
      ],
    ]);
    expect(() => mapAll(byLength, ['abc'], { reduces: 2 })).toThrow(
      'partition("abc", 2) returned 3: it must be an integer from 0 to 1',
    );
  });

  test('cuts as soon as the counted bytes reach the budget', () => {
    // Key 'a' counts 160 + 2, its number 8: 170.
    expect(mapAll(words, ['a', 'b'], { budgetBytes: 170 })).toHaveLength(2);
    expect(mapAll(words, ['a', 'b'], { budgetBytes: 171 })).toHaveLength(1);
  });

  test('counts what the engine takes, up to a third of the budget, where no kernel counts', () => {
    const own = { ...words, combine: (_key: string, values: Iterable<number>) => [...values].length };
    // Key 'a' counts 240 + 2, its number 8: 250.
    expect(mapAll(own, ['a', 'b'], { budgetBytes: 750 })).toHaveLength(2);
    expect(mapAll(own, ['a', 'b'], { budgetBytes: 751 })).toHaveLength(1);
    // A kernel does not partition as the job does.
    const partitioned = { ...words, partition: () => 0 };
    expect(mapAll(partitioned, ['a', 'b'], { budgetBytes: 750 })).toHaveLength(2);
    // A string counts 16 + 2 × 2, an object 32 + 2 × the 7 of {"n":1}.
    const kinds = defineJob({
      ...words,
      combine: undefined,
      map(_line, emit: Emit<string, unknown>) {
        emit('a', 'xy');
        emit('a', { n: 1 });
        emit('a', null);
      },
      reduce: () => 1,
    });
    expect(mapAll(kinds, ['-'], { budgetBytes: 3 * (242 + 20 + 46 + 8) })).toHaveLength(1);
    expect(mapAll(kinds, ['-', '-'], { budgetBytes: 3 * (242 + 20 + 46 + 8) })).toHaveLength(2);
    expect(mapAll(kinds, ['-'], { budgetBytes: 3 * (242 + 20 + 46) })).toHaveLength(2);
  });

  test('combines the values of a key at 8, so that one key never fills the budget', () => {
    const sizes: number[] = [];
    const combine = (_key: string, values: Iterable<number>): number => {
      const all = [...values];
      sizes.push(all.length);
      return all.reduce((a, b) => a + b);
    };
    const runs = mapAll({ ...words, combine }, Array(100).fill('a'), { budgetBytes: 3 * (250 + 8 * 8) });
    expect(runs.map(pairs)).toEqual([[[['a', 100]]]]);
    expect(sizes).toEqual([...Array(14).fill(8), 2]);
  });

  test('keeps all values in order without a combiner', () => {
    const job = defineJob({ name: 'n', map: (line, emit) => emit('k', Number(line)), reduce: sum });
    const lines = Array.from({ length: 100 }, (_, i) => String(i));
    expect(mapAll(job, lines)[0]!.partitions[0]![0]!.values).toEqual(lines.map(Number));
  });

  test('takes any string as a key', () => {
    const keys = ['__proto__', 'constructor', '', 'a\tb\n', '😀'];
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.constantFrom(...keys),
            fc.string({ unit: fc.constantFrom('a', 'b', '\uffff', '𝒜'), maxLength: 3 }),
          ),
        ),
        (lines) => {
          const job = defineJob({ ...words, map: (line, emit) => emit(line, 1) });
          const expected = new Map<string, number>();
          for (const line of lines) expected.set(line, (expected.get(line) ?? 0) + 1);
          const found = mapAll(job, lines)[0]?.partitions[0] ?? [];
          expect(new Map(found.map(({ key, values }) => [key, values[0]]))).toEqual(expected);
        },
      ),
    );
  });

  test('takes keys of 1 MB, and keeps two apart that differ in their last character', () => {
    const long = 'x'.repeat(1_000_000);
    const job = defineJob({ ...words, map: (line, emit) => emit(line, 1) });
    expect(pairs(mapAll(job, [`${long}b`, `${long}a`, `${long}b`])[0])).toEqual([
      [
        [`${long}a`, 1],
        [`${long}b`, 2],
      ],
    ]);
  });

  test('treats keys that have the same UTF-8 form as one', () => {
    expect(pairs(mapAll(words, ['\ud800 \udbff \ufffd'])[0])).toEqual([[['\ufffd', 3]]]);
  });

  test('refuses a key that is not a string, and a value that is none', () => {
    const emitting = (key: unknown, value: unknown): Job => ({
      ...words,
      map: (_line: string, emit: (key: unknown, value: unknown) => void) => emit(key, value),
    });
    expect(() => mapAll(emitting(3, 1), [''])).toThrow(
      'a key must be a string, but 3 was emitted: use String(key)',
    );
    expect(() => mapAll(emitting(undefined, 1), [''])).toThrow('but undefined was emitted');
    expect(() => mapAll(emitting('k', Number.NaN), [''])).toThrow('the value of key "k" is NaN');
    expect(() => mapAll({ ...words, combine: () => undefined }, ['a a'])).toThrow(
      'the value of key "a" is undefined',
    );
    expect(() => mapAll({ ...words, combine: async () => 1 }, ['a a'])).toThrow(
      'the value of key "a" is a promise',
    );
  });

  test('takes pairs from generators, arrays, promises and async generators alike', async () => {
    const maps: Job['map'][] = [
      (line: string, emit: Emit) => emit(line, 1),
      function* (line: string) {
        yield [line, 1];
      },
      (line: string) => [[line, 1]],
      async (line: string, emit: Emit) => {
        await null;
        emit(line, 1);
      },
      async function* (line: string) {
        await null;
        yield [line, 1];
      },
      async (line: string) => [[line, 1]],
    ];
    for (const map of maps) {
      const { map: mapTask, runs } = task({ ...words, map });
      await mapTask.start();
      for (const line of ['b', 'a', 'b']) await mapTask.offer(line);
      await mapTask.finish();
      expect(pairs(runs[0])).toEqual([
        [
          ['a', 1],
          ['b', 2],
        ],
      ]);
    }
  });

  test('stays synchronous while map is', () => {
    const { map } = task(words);
    expect(map.start()).toBeUndefined();
    expect(map.offer('a')).toBeUndefined();
    expect(map.finish()).toBeUndefined();
  });

  test.each([
    ['something that is not a pair: 3', () => [3]],
    ['something that is not a pair: ["a"]', () => [['a']]],
    ['"text"', () => 'text'],
    ['7', () => 7],
  ])('refuses a map that gives %s', (what, map) => {
    expect(() => mapAll({ ...words, map } as Job, [''])).toThrow(
      `map gave ${what}: it must emit, or yield or return pairs`,
    );
  });

  test('refuses an emit outside of map', async () => {
    let kept: Emit | undefined;
    const job = defineJob({
      ...words,
      map(_line, emit) {
        kept = emit;
      },
    });
    const { map } = task(job);
    map.start();
    map.offer('a');
    expect(() => kept!('a', 1)).toThrow(
      'emit was called outside of map in task map-0: is a promise not awaited?',
    );
    map.finish();
    expect(() => kept!('a', 1)).toThrow('emit was called after the task map-0 had finished');
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
    ['gives no pairs', () => 7],
    ['promises no pairs', () => Promise.resolve(7)],
  ])('refuses what a map emits late that %s: its task is over', async (_how, end) => {
    let kept: Emit | undefined;
    const job = {
      ...words,
      map(_line: string, emit: Emit) {
        kept = emit;
        emit('in time', 1);
        return end();
      },
    };
    const { map } = task(job as unknown as Job);
    map.start();
    await expect((async () => map.offer('a'))()).rejects.toThrow();
    expect(() => kept!('late', 1)).toThrow('emit was called outside of map in task map-0');
    expect(Object.fromEntries(map.counters)['map.records.out']).toBe(1);
  });

  test('lets what user code throws through untouched', async () => {
    const mistake = { not: 'even an Error' };
    const thrown = (run: () => unknown): unknown => {
      try {
        run();
      } catch (error) {
        return error;
      }
      return undefined;
    };
    const fail = () => {
      throw mistake;
    };
    expect(thrown(() => mapAll({ ...words, map: fail }, ['a']))).toBe(mistake);
    expect(thrown(() => mapAll({ ...words, combine: fail }, ['a a']))).toBe(mistake);
    expect(thrown(() => mapAll({ ...words, partition: fail }, ['a']))).toBe(mistake);
    const { map } = task({ ...words, map: async () => fail() });
    map.start();
    await expect(map.offer('a')).rejects.toBe(mistake);
  });

  test('shows map where the line lies, its params and a random number of its task', () => {
    const seen: unknown[] = [];
    const job = defineJob({
      ...words,
      map(_line, emit, ctx) {
        expect(emit.input).toBe(ctx.input);
        const { aborted } = ctx.signal;
        seen.push([ctx.task, ctx.params.unit, ctx.input.name, ctx.input.offset, ctx.random(), aborted]);
      },
    });
    const once = () => {
      const { map } = task(job);
      map.start();
      map.openInput('a.txt');
      map.offer('x', 5);
      map.openInput('b.txt');
      map.offer('y', 0);
    };
    once();
    once();
    const number = expect.any(Number);
    expect(seen.slice(0, 2)).toEqual([
      ['map-0', 'word', 'a.txt', 5, number, false],
      ['map-0', 'word', 'b.txt', 0, number, false],
    ]);
    expect(seen.slice(2)).toEqual(seen.slice(0, 2));
  });

  test('counts its records and what the job counts', () => {
    const job = defineJob({
      ...words,
      map(line, emit, ctx) {
        ctx.count('letters', line.length);
        ctx.count('lines');
        emit(line, 1);
        emit(line, 1);
      },
    });
    const { map } = task(job);
    map.start();
    map.offer('abc');
    map.offer('de');
    expect(map.counters).toEqual([
      ['letters', 5],
      ['lines', 2],
      ['map.records.in', 2],
      ['map.records.out', 4],
    ]);
  });

  test('refuses counters under its own names or by fractions', () => {
    const counting = (name: string, by: number): Job => ({
      ...words,
      map: (_line, _emit, ctx) => ctx.count(name, by),
    });
    expect(() => mapAll(counting('map.mine', 1), [''])).toThrow('"map.mine" cannot name a counter');
    expect(() => mapAll(counting('mine', 0.5), [''])).toThrow('cannot grow by 0.5');
  });

  test('refuses counters whose names are long or hold a NUL, and more than 250 of them, and says which', () => {
    const counting = (names: readonly string[]): Job => ({
      ...words,
      map(_line, _emit, ctx) {
        for (const name of names) ctx.count(name);
      },
    });
    const names = Array.from({ length: 250 }, (_, index) => `key ${index}`);
    mapAll(counting([...names.slice(1), 'x'.repeat(200)]), ['', '']);
    expect(() => mapAll(counting([...names, 'last']), [''])).toThrow('counter "last" is one too many');
    expect(() => mapAll(counting(['x'.repeat(201)]), [''])).toThrow('"xxx');
    expect(() => mapAll(counting(['a\0b']), [''])).toThrow('"a\\u0000b" cannot name a counter');
  });

  test('calls setup before the first line and teardown after the last', () => {
    const calls: string[] = [];
    const job = defineJob({
      ...words,
      setup: (ctx) => void calls.push(`setup ${ctx.task}`),
      map: () => void calls.push('map'),
      teardown: () => void calls.push('teardown'),
    });
    mapAll(job, ['a', 'b']);
    expect(calls).toEqual(['setup map-0', 'map', 'map', 'teardown']);
    expect(() => task(job).map.offer('a')).toThrow('MapTask.offer: the task map-0 is new');
  });
});
