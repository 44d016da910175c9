import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { murmur3, partitionOf } from '../../jobs/murmur3.js';
import { wellFormed } from '../../jobs/utf8.js';

/** The algorithm as published, over an array of bytes and with BigInt arithmetic, block by block. */
function murmur3OfBytes(bytes: Uint8Array): number {
  const mask = 0xffffffffn;
  const rotate = (word: bigint, bits: bigint): bigint => ((word << bits) | (word >> (32n - bits))) & mask;
  const scramble = (word: bigint): bigint => (rotate((word * 0xcc9e2d51n) & mask, 15n) * 0x1b873593n) & mask;
  let hash = 0n;
  const whole = bytes.length - (bytes.length % 4);
  const block = (from: number, to: number): bigint =>
    [...bytes.subarray(from, to)].reduceRight((word, byte) => (word << 8n) | BigInt(byte), 0n);
  for (let i = 0; i < whole; i += 4) {
    hash = (rotate(hash ^ scramble(block(i, i + 4)), 13n) * 5n + 0xe6546b64n) & mask;
  }
  if (whole < bytes.length) hash ^= scramble(block(whole, bytes.length));
  hash ^= BigInt(bytes.length);
  hash = ((hash ^ (hash >> 16n)) * 0x85ebca6bn) & mask;
  hash = ((hash ^ (hash >> 13n)) * 0xc2b2ae35n) & mask;
  return Number(hash ^ (hash >> 16n));
}

describe('murmur3', () => {
  test('gives the known hashes of seed 0', () => {
    expect(murmur3('')).toBe(0);
    expect(murmur3('test')).toBe(0xba6bd213);
    expect(murmur3('Hello, world!')).toBe(0xc0363e43);
    expect(murmur3('The quick brown fox jumps over the lazy dog')).toBe(0x2e4ff723);
  });

  test('of a string is that of its UTF-8 bytes', () => {
    const unit = fc.oneof(
      fc.constantFrom('a', 'é', 'ß', '中', '😀'),
      fc.integer({ min: 0, max: 0x10ffff }).map((point) => wellFormed(String.fromCodePoint(point))),
    );
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        expect(murmur3(text)).toBe(murmur3OfBytes(Buffer.from(text)));
      }),
      { numRuns: 1000 },
    );
  });

  test('decides the partition by its unsigned remainder', () => {
    expect(partitionOf('test', 7)).toBe(0xba6bd213 % 7);
    expect(partitionOf('test', 1)).toBe(0);
  });
});
