/** What a cell holds, whether its key is a short or a long one: short-keys.ts, long-keys.ts. */
import { CELLS, INLINE_BYTES } from './memory';
import { partitionOf, partitionOfShort } from './partition';
import { recordsAt } from './short-keys';

@inline
function isShortCell(cell: i32): bool {
  return cell < CELLS;
}

@inline
export function keyLength(cell: i32): i32 {
  return isShortCell(cell) ? <i32>load<u8>(cell, 7) - 1 : <i32>load<u32>(cell, 24);
}

@inline
export function valueOf(cell: i32): f64 {
  return isShortCell(cell) ? load<f64>(cell, 8) : load<f64>(cell, 16);
}

/** How many records the value is made of, unless that number was overwritten while sorting. */
@inline
export function recordsOf(cell: i32): i32 {
  return load<u32>(isShortCell(cell) ? recordsAt(cell) : cell + 28);
}

@inline
export function keyAddress(cell: i32): i32 {
  return keyLength(cell) <= INLINE_BYTES ? cell : <i32>load<u64>(cell, 8);
}

/** Copies the key of a cell to `target`, and up to 15 bytes more. Returns its end. */
@inline
export function copyKey(cell: i32, target: i32): i32 {
  const length = keyLength(cell);
  // All that a cell can hold, whatever the length: what comes next is written over the rest.
  if (length <= INLINE_BYTES) v128.store(target, v128.load(cell));
  else memory.copy(target, keyAddress(cell), length);
  return target + length;
}

/** The partition of the key. */
@inline
export function partitionOfCell(cell: i32, partitions: i32): i32 {
  if (partitions === 1) return 0;
  const length = keyLength(cell);
  if (isShortCell(cell)) return partitionOfShort(load<u64>(cell) & ~((<u64>0xff) << 56), length, partitions);
  return partitionOf(keyAddress(cell), length, partitions);
}

/** The eight bytes of the key from `depth` on as a number that compares as they do, padded with zeros. */
@inline
export function bytesAt(cell: i32, depth: i32): u64 {
  if (isShortCell(cell)) return depth === 0 ? bswap(load<u64>(cell)) & ~(<u64>0xff) : 0;
  const length = keyLength(cell);
  if (length <= INLINE_BYTES) return depth < INLINE_BYTES ? bswap(load<u64>(cell + depth)) : 0;
  const left = length - depth;
  if (left <= 0) return 0;
  const bytes = bswap(load<u64>(keyAddress(cell) + depth));
  if (left >= 8) return bytes;
  const unused = <u64>(64 - 8 * left);
  return (bytes >> unused) << unused;
}
