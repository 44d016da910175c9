/** The stream behind `ctx.random()`: sfc32 (Chris Doty-Humphrey, PractRand), seeded by hashes of a text. */
import { murmur3 } from './murmur3.js';

const ROUNDS_DISCARDED = 12;

/** Numbers in [0, 1) with 53 random bits; equal texts give equal streams. */
export function keyedRandom(text: string): () => number {
  let a = murmur3(`a ${text}`);
  let b = murmur3(`b ${text}`);
  let c = murmur3(`c ${text}`);
  let counter = 1;
  const next = (): number => {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  };
  for (let i = 0; i < ROUNDS_DISCARDED; i++) next();
  return () => ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000;
}
