/**
 * MurmurHash3_x86_32 (Austin Appleby, SMHasher, public domain), seed 0, over bytes; the same as jobs/murmur3.ts.
 *
 * What is left after the last four bytes is scrambled even if it is nothing: that gives 0, and changes nothing. So of a
 * short key no length is asked that no processor would guess.
 */

/** Reads up to three bytes beyond the key. */
export function partitionOf(address: i32, length: i32, partitions: i32): i32 {
  let hash: u32 = 0;
  let at = address;
  for (const end = address + (length & ~3); at < end; at += 4) hash = mixed(hash, load<u32>(at));
  const rest = load<u32>(at) & ((1 << ((length & 3) * 8)) - 1);
  return inRange(finished(hash ^ scramble(rest), length), partitions);
}

/** The same for a key of up to seven bytes: these as a number. */
@inline
export function partitionOfShort(key: u64, length: i32, partitions: i32): i32 {
  const first = <u32>key;
  const holdsFour = length >= 4;
  const hash = select<u32>(mixed(0, first), 0, holdsFour);
  const rest = select<u32>(<u32>(key >> 32), first, holdsFour);
  return inRange(finished(hash ^ scramble(rest), length), partitions);
}

@inline
function inRange(hash: u32, partitions: i32): i32 {
  return <i32>(hash % <u32>partitions);
}

@inline
function mixed(hash: u32, block: u32): u32 {
  return rotl(hash ^ scramble(block), 13) * 5 + 0xe6546b64;
}

@inline
function scramble(block: u32): u32 {
  return rotl(block * 0xcc9e2d51, 15) * 0x1b873593;
}

@inline
function finished(mixed: u32, length: i32): u32 {
  let hash = mixed ^ length;
  hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
  return hash ^ (hash >> 16);
}
