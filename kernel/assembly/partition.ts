/**
 * MurmurHash3_x86_32 (Austin Appleby, SMHasher, public domain), seed 0, over bytes; the same as jobs/murmur3.ts.
 */

export function partitionOf(address: i32, length: i32, partitions: i32): i32 {
  return <i32>(murmur3(address, length) % <u32>partitions);
}

function murmur3(address: i32, length: i32): u32 {
  let hash: u32 = 0;
  let at = address;
  for (const end = address + (length & ~3); at < end; at += 4) {
    hash = rotl(hash ^ scramble(load<u32>(at)), 13) * 5 + 0xe6546b64;
  }
  const rest = length & 3;
  if (rest !== 0) {
    let block = <u32>load<u8>(at);
    if (rest > 1) block |= <u32>load<u8>(at, 1) << 8;
    if (rest > 2) block |= <u32>load<u8>(at, 2) << 16;
    hash ^= scramble(block);
  }
  hash ^= length;
  hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
  return hash ^ (hash >> 16);
}

@inline
function scramble(block: u32): u32 {
  return rotl(block * 0xcc9e2d51, 15) * 0x1b873593;
}
