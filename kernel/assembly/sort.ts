/**
 * Sorting the table in place: by partition, and in each by the bytes of the keys. After it the table is a list and
 * must be cleared before it is used again.
 *
 * In-place radix sort from the first byte on ("American flag sort", McIlroy, Bostic and McIlroy 1993), small lots by
 * insertion. The first eight bytes of a key are turned to one big-endian number, which nearly always decides.
 */
import { HISTOGRAMS, INLINE_BYTES, PARTITIONS, SLOT_BYTES, SORT_BUCKETS, SORT_LEVELS, SPARE, TABLE } from './memory';
import { partitionOf } from './partition';
import { copySlot, moveUsed } from './table';

const INSERTION_MAX: i32 = 64;
const LEVEL_BYTES: i32 = SORT_BUCKETS * 8;

/** Sorts; then the slots of partition p lie from `partitionBegin(p)` to `partitionBegin(p + 1)`. */
export function sortTable(partitions: i32): void {
  const end = moveUsed(TABLE);
  memory.fill(PARTITIONS, 0, (partitions + 1) * 8);
  for (let slot = TABLE; slot < end; slot += SLOT_BYTES) {
    const partition = partitions === 1 ? 0 : partitionOf(keyAddress(slot), keyLength(slot), partitions);
    const counter = PARTITIONS + (partition + 1) * 8;
    store<u32>(counter, load<u32>(counter) + 1);
    store<u32>(slot, partition, 28);
    makeComparable(slot);
  }
  let begin = TABLE;
  for (let partition = 0; partition <= partitions; partition++) {
    const place = PARTITIONS + partition * 8;
    begin += load<u32>(place) * SLOT_BYTES;
    store<u32>(place, begin);
    store<u32>(place, begin, 4);
  }
  if (partitions > 1) groupByPartition(partitions);
  for (let partition = 0; partition < partitions; partition++) {
    sortByKey(partitionBegin(partition), partitionBegin(partition + 1), 0, 0);
  }
}

/** Sorts the table of a reduce, which is one partition, and leaves the last number of the slots as it is. */
export function sortKeys(): i32 {
  const end = moveUsed(TABLE);
  for (let slot = TABLE; slot < end; slot += SLOT_BYTES) makeComparable(slot);
  sortByKey(TABLE, end, 0, 0);
  return end;
}

export function partitionBegin(partition: i32): i32 {
  return load<u32>(PARTITIONS + partition * 8);
}

@inline
export function keyLength(slot: i32): i32 {
  return <i32>load<u32>(slot, 24) - 1;
}

/** Where the bytes of a key lie, as long as its slot has not been made comparable. */
@inline
function keyAddress(slot: i32): i32 {
  return keyLength(slot) <= INLINE_BYTES ? slot : <i32>load<u64>(slot, 8);
}

/** From now on the first eight bytes of the slot are those of the key as a number that compares as they do. */
@inline
function makeComparable(slot: i32): void {
  if (keyLength(slot) <= INLINE_BYTES) {
    store<u64>(slot, bswap(load<u64>(slot)));
    store<u64>(slot, bswap(load<u64>(slot, 8)), 8);
  } else {
    store<u64>(slot, bswap(load<u64>(<i32>load<u64>(slot, 8))));
  }
}

/** Moves every slot into its partition, by following the chains of slots that are in each other's way. */
function groupByPartition(partitions: i32): void {
  for (let partition = 0; partition < partitions; partition++) {
    const filled = PARTITIONS + partition * 8 + 4;
    const end = partitionBegin(partition + 1);
    for (let slot = <i32>load<u32>(filled); slot < end; slot = load<u32>(filled)) {
      const target = PARTITIONS + <i32>load<u32>(slot, 28) * 8 + 4;
      const place = <i32>load<u32>(target);
      if (place !== slot) swap(slot, place);
      store<u32>(target, place + SLOT_BYTES);
    }
  }
}

/** Sorts the slots in [from, to), whose keys are equal in their first `depth` bytes. */
function sortByKey(from: i32, to: i32, depth: i32, level: i32): void {
  if (to - from <= INSERTION_MAX * SLOT_BYTES) {
    insertionSort(from, to);
    return;
  }
  if (level === SORT_LEVELS) {
    heapSort(from, (to - from) / SLOT_BYTES);
    return;
  }
  const histogram = HISTOGRAMS + level * LEVEL_BYTES;
  memory.fill(histogram, 0, LEVEL_BYTES);
  for (let slot = from; slot < to; slot += SLOT_BYTES) {
    const counter = histogram + digit(slot, depth) * 8;
    store<u32>(counter, load<u32>(counter) + 1);
  }
  let begin = from;
  for (let bucket = 0; bucket < SORT_BUCKETS; bucket++) {
    const place = histogram + bucket * 8;
    const next = begin + <i32>load<u32>(place) * SLOT_BYTES;
    store<u32>(place, begin); // where the bucket is filled next
    store<u32>(place, next, 4); // where it ends
    begin = next;
  }
  for (let bucket = 0; bucket < SORT_BUCKETS; bucket++) {
    const filled = histogram + bucket * 8;
    const end = <i32>load<u32>(filled, 4);
    for (let slot = <i32>load<u32>(filled); slot < end; slot = load<u32>(filled)) {
      const target = histogram + digit(slot, depth) * 8;
      const place = <i32>load<u32>(target);
      if (place !== slot) swap(slot, place);
      store<u32>(target, place + SLOT_BYTES);
    }
  }
  // Bucket 0 holds the keys that have ended: equal in all bytes and in length, so there is at most one.
  begin = <i32>load<u32>(histogram, 4);
  for (let bucket = 1; bucket < SORT_BUCKETS; bucket++) {
    const end = <i32>load<u32>(histogram + bucket * 8, 4);
    if (end - begin > SLOT_BYTES) sortByKey(begin, end, depth + 1, level + 1);
    begin = end;
  }
}

/** The byte at `depth` plus one, or 0 if the key has ended. */
@inline
function digit(slot: i32, depth: i32): i32 {
  const length = keyLength(slot);
  if (depth >= length) return 0;
  if (depth < 8) return (<i32>(load<u64>(slot) >> (<u64>(56 - 8 * depth))) & 255) + 1;
  if (length <= INLINE_BYTES) return (<i32>(load<u64>(slot, 8) >> (<u64>(120 - 8 * depth))) & 255) + 1;
  return <i32>load<u8>(<i32>load<u64>(slot, 8) + depth) + 1;
}

function insertionSort(from: i32, to: i32): void {
  for (let slot = from + SLOT_BYTES; slot < to; slot += SLOT_BYTES) {
    if (!isLess(slot, slot - SLOT_BYTES)) continue;
    const a = v128.load(slot);
    const b = v128.load(slot, 16);
    // A slot beyond all others holds what is inserted while the others move up.
    v128.store(SPARE, a);
    v128.store(SPARE, b, 16);
    let hole = slot;
    do {
      copySlot(hole, hole - SLOT_BYTES);
      hole -= SLOT_BYTES;
    } while (hole > from && isLess(SPARE, hole - SLOT_BYTES));
    v128.store(hole, a);
    v128.store(hole, b, 16);
  }
}

/** For keys that agree in very many bytes. */
function heapSort(from: i32, count: i32): void {
  for (let root = count / 2 - 1; root >= 0; root--) sink(from, root, count);
  for (let last = count - 1; last > 0; last--) {
    swap(from, from + last * SLOT_BYTES);
    sink(from, 0, last);
  }
}

function sink(from: i32, root: i32, count: i32): void {
  let at = root;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= count) return;
    if (child + 1 < count && isLess(from + child * SLOT_BYTES, from + (child + 1) * SLOT_BYTES)) child++;
    if (!isLess(from + at * SLOT_BYTES, from + child * SLOT_BYTES)) return;
    swap(from + at * SLOT_BYTES, from + child * SLOT_BYTES);
    at = child;
  }
}

@inline
function isLess(a: i32, b: i32): bool {
  const firstA = load<u64>(a);
  const firstB = load<u64>(b);
  return firstA !== firstB ? firstA < firstB : isLessBeyond(a, b);
}

/** For keys that are equal in their first eight bytes, padded with zeros. */
function isLessBeyond(a: i32, b: i32): bool {
  const lengthA = keyLength(a);
  const lengthB = keyLength(b);
  if (lengthA <= INLINE_BYTES && lengthB <= INLINE_BYTES) {
    const secondA = load<u64>(a, 8);
    const secondB = load<u64>(b, 8);
    return secondA !== secondB ? secondA < secondB : lengthA < lengthB;
  }
  const shared = min(lengthA, lengthB);
  for (let at = 8; at < shared; at++) {
    const byteA = digit(a, at);
    const byteB = digit(b, at);
    if (byteA !== byteB) return byteA < byteB;
  }
  return lengthA < lengthB;
}

@inline
function swap(a: i32, b: i32): void {
  const low = v128.load(a);
  const high = v128.load(a, 16);
  copySlot(a, b);
  v128.store(b, low);
  v128.store(b, high, 16);
}

/** Copies the key of a sorted slot to `target`. Returns its end. */
@inline
export function copyKey(slot: i32, target: i32): i32 {
  const length = keyLength(slot);
  if (length <= INLINE_BYTES) {
    // Both halves, whatever the length: what comes next is written over the rest.
    store<u64>(target, bswap(load<u64>(slot)));
    store<u64>(target, bswap(load<u64>(slot, 8)), 8);
  } else {
    memory.copy(target, <i32>load<u64>(slot, 8), length);
  }
  return target + length;
}
