/**
 * Keyed randomness: a draw is a hash of (seed, purpose, stable ids), never the next number of a shared stream. So taking
 * one fault out of a scenario changes no other draw. Ids count per task and per link, never globally.
 *
 * `seedrandom` (the alea generator) only expands what the user typed into the integers of the seed.
 */
import seedrandom from 'seedrandom';
import { mixText, newHash } from '../core/hash.js';

export interface Seed {
  readonly text: string;
  readonly a: number;
  readonly b: number;
}

export function expandSeed(text: string): Seed {
  const stream = seedrandom.alea(text);
  return { text, a: stream.int32(), b: stream.int32() };
}

/** A purpose or a name as an integer, to be computed once and kept. */
export function drawKey(name: string): number {
  const hash = newHash();
  mixText(hash, name);
  return hash.a | 0;
}

/** One integer out of two, both of which it depends on: ids that belong together as one id of a draw. */
export function joinKeys(first: number, second: number): number {
  return absorb(absorb(0x2545f491, first), second);
}

/** 32 random bits, as an integer from 0. Ids are 32-bit integers. */
export function draw(seed: Seed, purpose: number, first = 0, second = 0, third = 0, fourth = 0): number {
  let bits = absorb(absorb(seed.a, seed.b), purpose);
  bits = absorb(absorb(bits, first), second);
  return finish(absorb(absorb(bits, third), fourth));
}

/** Both ends included, in the unit of the ends. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Spreads 32 bits evenly over a range of integers. */
export function within(range: Range, bits: number): number {
  return range.min + Math.floor((bits / 4294967296) * (range.max - range.min + 1));
}

/** One block of MurmurHash3, 32 bits wide (Appleby). */
function absorb(state: number, value: number): number {
  let block = Math.imul(value, 0xcc9e2d51);
  block = Math.imul((block << 15) | (block >>> 17), 0x1b873593);
  const mixed = state ^ block;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** The finalizer of MurmurHash3 (Appleby): every bit of the input reaches every bit of the result. */
function finish(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
