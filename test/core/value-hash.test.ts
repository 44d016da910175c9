import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stateDigest } from '../../core/canonical.js';
import { chainText, extendChain, newChain } from '../../core/chain.js';
import { hashText, newHash } from '../../core/hash.js';
import { addValue, newReader } from '../../core/value-hash.js';

/** Fields as our messages have them, so that remembered ones occur at every depth. */
const name = fc.constantFrom(
  'type',
  'message',
  'records',
  'changes',
  'attempt',
  'task',
  'node',
  'facts',
  'a',
  'b',
);
const leaf = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
  fc.string({ maxLength: 80 }),
  fc.boolean(),
  fc.constant(null),
);
const { value: data } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 5 }),
  ),
}));
const steps = fc.array(
  fc.record({ at: fc.maxSafeInteger(), event: data, effects: fc.array(data, { maxLength: 3 }) }),
  { minLength: 1, maxLength: 4 },
);

type Steps = readonly {
  readonly at: number;
  readonly event: unknown;
  readonly effects: readonly unknown[];
}[];

function chainOf(of: Steps): string {
  const chain = newChain();
  for (const { at, event, effects } of of) extendChain(chain, at, event, effects);
  return chainText(chain);
}

function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, turned(item)]),
  );
}

const copied = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('the chain over live data', () => {
  test('is that over its copy from JSON, with what is remembered and without', () => {
    fc.assert(
      fc.property(steps, (live) => {
        const first = chainOf(live);
        expect(chainOf(live)).toBe(first);
        expect(chainOf(copied(live))).toBe(first);
      }),
      { numRuns: 300 },
    );
  });

  test('does not depend on the order of fields, at any depth', () => {
    fc.assert(
      fc.property(steps, (live) => {
        expect(chainOf(turned(live) as Steps)).toBe(chainOf(live));
      }),
    );
  });

  test('changes with every single leaf and every name', () => {
    const message = {
      type: 'worker.beat',
      incarnation: 1,
      credit: 2,
      progress: [{ attempt: { n: 1 }, done: 3 }],
    };
    const event = { type: 'message.received', from: 'worker-1', session: 1, message };
    const variants = [
      event,
      { ...event, from: 'worker-2' },
      { ...event, session: 2 },
      { ...event, extra: 1 },
      { ...event, message: { ...message, credit: 1 } },
      { ...event, message: { ...message, credit: 1, incarnation: 2 } },
      { ...event, message: { ...message, progress: [] } },
      { ...event, message: { ...message, progress: [{ attempt: { n: 3 }, done: 1 }] } },
      { ...event, message: { ...message, progress: {} } },
      { ...event, message: [message] },
      { ...event, message: { ...message, type: 'master.beat' } },
      { ...event, message: { ...message, n: 1 } },
    ];
    expect(new Set(variants.map((one) => chainOf([{ at: 1, event: one, effects: [] }]))).size).toBe(
      variants.length,
    );
  });

  test('has no equal halves for different data', () => {
    const hashes = Array.from({ length: 20_000 }, (_, index) => {
      const hash = newHash();
      addValue(newReader(), hash, { at: index % 100, of: { value: Math.floor(index / 100) } });
      return hashText(hash);
    });
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(new Set(hashes.map((hash) => hash.slice(0, 8))).size).toBeGreaterThan(hashes.length - 5);
    expect(new Set(hashes.map((hash) => hash.slice(8))).size).toBeGreaterThan(hashes.length - 5);
  });
});

describe('what is kept', () => {
  const value = {
    type: 'x',
    list: [
      { job: 1, name: 'some text' },
      { name: 'other', extra: 1 },
    ],
  };

  test('of texts and names changes nothing, however many others there are', () => {
    const before = stateDigest(value);
    for (let index = 0; index < 20_000; index++) stateDigest({ [`field ${index}`]: `text ${index}` });
    expect(stateDigest(value)).toBe(before);
  });

  test('of values changes nothing, however many others there are', () => {
    const reader = newReader(['list']);
    const digest = (): string => {
      const hash = newHash();
      addValue(reader, hash, value);
      return hashText(hash);
    };
    const before = digest();
    for (let index = 0; index < 10_000; index++) addValue(reader, newHash(), { list: [index] });
    expect(digest()).toBe(before);
  });
});
