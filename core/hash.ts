/**
 * A 64-bit hash in two 32-bit lanes, for chains, digests of states and keyed draws. Not cryptographic: it tells equal
 * from different, it does not resist an attacker. Multiply-xorshift mixing after MurmurHash3's finalizer (Appleby).
 */

export interface Hash {
  a: number;
  b: number;
}

export function newHash(): Hash {
  return { a: 0x9e3779b9 | 0, b: 0x85ebca6b | 0 };
}

export function mixInt(hash: Hash, value: number): void {
  let a = Math.imul(hash.a ^ value, 0xcc9e2d51);
  a ^= a >>> 15;
  let b = Math.imul(hash.b ^ (value + 0x27d4eb2f), 0x1b873593);
  b ^= b >>> 13;
  // An integer that stays within 32 bits is kept as such: a sum that leaves them would make every hash a box of doubles.
  hash.a = (Math.imul(a, 0x85ebca6b) + b) | 0;
  hash.b = Math.imul(b, 0xc2b2ae35) ^ a;
}

/** Any double: integers by their halves, so that -0 and 0 are one; fractions by their decimal text. */
export function mixNumber(hash: Hash, value: number): void {
  if (Number.isInteger(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER) {
    const magnitude = Math.abs(value);
    mixInt(hash, magnitude | 0);
    const high = Math.floor(magnitude / 4294967296);
    if (high !== 0 || value < 0) mixInt(hash, (high << 1) | (value < 0 ? 1 : 0));
  } else {
    mixText(hash, String(value));
  }
}

export function mixText(hash: Hash, text: string): void {
  mixInt(hash, text.length);
  for (let i = 0; i < text.length; i++) mixInt(hash, text.charCodeAt(i));
}

/** 16 lowercase hex digits. */
export function hashText(hash: Hash): string {
  return hex(hash.a ^ (hash.a >>> 16)) + hex(hash.b ^ (hash.b >>> 16));
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
