/**
 * MurmurHash3_x86_32 (Austin Appleby, SMHasher, public domain), seed 0, over the UTF-8 bytes of a string, which are
 * formed on the fly: this runs for every new key of a map task.
 */

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** The hash of a well-formed string's UTF-8 bytes, as an unsigned 32-bit integer. */
export function murmur3(text: string): number {
  let hash = 0;
  let block = 0;
  let blockBits = 0;
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    // One character as up to four bytes, the first byte lowest: the order in which a block is read.
    let bytes = text.charCodeAt(i);
    let count = 1;
    if (bytes >= 0x80) {
      const codePoint = text.codePointAt(i)!;
      if (codePoint > 0xffff) i++;
      count = codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
      bytes = encode(codePoint, count);
    }
    length += count;
    block |= bytes << blockBits;
    blockBits += count * 8;
    if (blockBits >= 32) {
      hash = (Math.imul(rotate(hash ^ scramble(block), 13), 5) + 0xe6546b64) | 0;
      blockBits -= 32;
      block = blockBits === 0 ? 0 : bytes >>> (count * 8 - blockBits);
    }
  }
  if (blockBits > 0) hash ^= scramble(block);
  return avalanche(hash ^ length);
}

/** Which of `reduces` partitions a key belongs to, unless the job has its own `partition`. */
export function partitionOf(key: string, reduces: number): number {
  return reduces === 1 ? 0 : murmur3(key) % reduces;
}

function encode(codePoint: number, count: number): number {
  const last = 0x80 | (codePoint & 0x3f);
  if (count === 2) return 0xc0 | (codePoint >> 6) | (last << 8);
  const middle = 0x80 | ((codePoint >> 6) & 0x3f);
  if (count === 3) return 0xe0 | (codePoint >> 12) | (middle << 8) | (last << 16);
  return (
    0xf0 | (codePoint >> 18) | ((0x80 | ((codePoint >> 12) & 0x3f)) << 8) | (middle << 16) | (last << 24)
  );
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function scramble(block: number): number {
  return Math.imul(rotate(Math.imul(block, C1), 15), C2);
}

function avalanche(word: number): number {
  let hash = word;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
