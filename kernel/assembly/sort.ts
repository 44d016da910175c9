/**
 * Sorting what the table holds: by partition, and in each by the bytes of the keys. The cells stay where they are; what
 * is sorted are entries of 16 bytes, the next eight bytes of the key as a number that compares as they do, and the
 * address of the cell.
 *
 * Radix sort from the last byte of that number to the first; entries that agree in all eight are sorted by the eight
 * after them, and so on. Small lots go by insertion.
 */
import { keys } from './budget';
import { bytesAt, keyAddress, keyLength, partitionOfCell } from './cells';
import { cellsEnd } from './long-keys';
import {
  CELL_BYTES,
  CELLS,
  ENTRIES_SORTED,
  HISTOGRAMS,
  ORDER_BYTES,
  PARTITIONS,
  SHORT_ORDER,
  SORTED_BYTES,
} from './memory';
import { shortOrderEnd } from './short-keys';

const INSERTION_MAX: i32 = 48;
const DIGITS: i32 = 8;
const DIGIT_BYTES: i32 = 256 * 4;

/** Room for the entries of one partition while they are sorted. */
let spare: i32 = 0;

/** Puts the keys in order: the entries of partition p lie from `partitionBegin(p)` to `partitionBegin(p + 1)`, sorted by key. */
export function arrangeTable(partitions: i32): void {
  memory.fill(PARTITIONS, 0, (partitions + 1) * 8);
  for (let place = SHORT_ORDER; place < shortOrderEnd(); place += ORDER_BYTES) {
    store<u32>(place, countIn(load<u32>(place), partitions), 4);
  }
  for (let cell = CELLS; cell < cellsEnd; cell += CELL_BYTES) store<u32>(cell, countIn(cell, partitions), 28);
  let begin = ENTRIES_SORTED;
  for (let partition = 0; partition <= partitions; partition++) {
    const place = PARTITIONS + partition * 8;
    begin += load<u32>(place) * SORTED_BYTES;
    store<u32>(place, begin);
    store<u32>(place, begin, 4);
  }
  for (let place = SHORT_ORDER; place < shortOrderEnd(); place += ORDER_BYTES) {
    addEntry(load<u32>(place), load<u32>(place, 4));
  }
  for (let cell = CELLS; cell < cellsEnd; cell += CELL_BYTES) addEntry(cell, load<u32>(cell, 28));
  spare = ENTRIES_SORTED + keys * SORTED_BYTES;
  for (let partition = 0; partition < partitions; partition++) {
    sortEntries(partitionBegin(partition), partitionBegin(partition + 1), 0);
  }
}

/** Counts a key in its partition, which is returned. */
@inline
function countIn(cell: i32, partitions: i32): i32 {
  const partition = partitionOfCell(cell, partitions);
  const counter = PARTITIONS + (partition + 1) * 8;
  store<u32>(counter, load<u32>(counter) + 1);
  return partition;
}

/** Writes the next entry of a partition. */
@inline
function addEntry(cell: i32, partition: i32): void {
  const place = PARTITIONS + partition * 8;
  const entry = <i32>load<u32>(place, 4);
  store<u32>(place, entry + SORTED_BYTES, 4);
  setEntry(entry, cell, 0);
}

/** Sorts a table of one partition, and leaves the cells as they are. Returns the entries' end. */
export function sortKeys(): i32 {
  let entry = ENTRIES_SORTED;
  for (let place = SHORT_ORDER; place < shortOrderEnd(); place += ORDER_BYTES) {
    setEntry(entry, load<u32>(place), 0);
    entry += SORTED_BYTES;
  }
  for (let cell = CELLS; cell < cellsEnd; cell += CELL_BYTES) {
    setEntry(entry, cell, 0);
    entry += SORTED_BYTES;
  }
  spare = entry;
  sortEntries(ENTRIES_SORTED, entry, 0);
  return entry;
}

export function partitionBegin(partition: i32): i32 {
  return load<u32>(PARTITIONS + partition * 8);
}

@inline
export function cellOfEntry(entry: i32): i32 {
  return load<u32>(entry, 8);
}

/** Writes an entry: the eight bytes of the key from `depth` on, padded with zeros. */
@inline
function setEntry(entry: i32, cell: i32, depth: i32): void {
  store<u64>(entry, bytesAt(cell, depth));
  store<u32>(entry, cell, 8);
}

/** Sorts entries of keys that agree in their first `depth` bytes. */
function sortEntries(from: i32, to: i32, depth: i32): void {
  if (to - from <= INSERTION_MAX * SORTED_BYTES) {
    insertionSort(from, to, depth);
    return;
  }
  radixSort(from, to);
  for (let begin = from; begin < to; ) {
    const bytes = load<u64>(begin);
    let end = begin + SORTED_BYTES;
    while (end < to && load<u64>(end) === bytes) end += SORTED_BYTES;
    if (end - begin > SORTED_BYTES) sortEqual(begin, end, depth + 8);
    begin = end;
  }
}

/**
 * Sorts entries of keys that agree in their first `depth` bytes, padded with zeros. Keys that have ended by then, of which
 * there are at most nine, are beginnings of the others and come first.
 */
function sortEqual(from: i32, to: i32, depth: i32): void {
  let ended = from;
  for (let entry = from; entry < to; entry += SORTED_BYTES) {
    if (keyLength(cellOfEntry(entry)) > depth) continue;
    const other = v128.load(ended);
    v128.store(ended, v128.load(entry));
    v128.store(entry, other);
    ended += SORTED_BYTES;
  }
  insertionSort(from, ended, depth - 8);
  for (let entry = ended; entry < to; entry += SORTED_BYTES) setEntry(entry, cellOfEntry(entry), depth);
  sortEntries(ended, to, depth);
}

/** By the eight bytes; entries that agree in them stay in order. */
function radixSort(from: i32, to: i32): void {
  memory.fill(HISTOGRAMS, 0, DIGITS * DIGIT_BYTES);
  for (let entry = from; entry < to; entry += SORTED_BYTES) {
    let bytes = load<u64>(entry);
    for (let counters = HISTOGRAMS; counters < HISTOGRAMS + DIGITS * DIGIT_BYTES; counters += DIGIT_BYTES) {
      const counter = counters + ((<i32>bytes & 255) << 2);
      store<u32>(counter, load<u32>(counter) + 1);
      bytes >>= 8;
    }
  }
  const length = to - from;
  let source = from;
  let target = spare;
  for (let digit = 0; digit < DIGITS; digit++) {
    if (isTrivial(digit, source, length)) continue;
    scatter(digit, source, length, target);
    const last = source;
    source = target;
    target = last;
  }
  if (source !== from) memory.copy(from, source, length);
}

/** Whether all entries have the same digit. */
@inline
function isTrivial(digit: i32, source: i32, length: i32): bool {
  const first = <i32>(load<u64>(source) >> (<u64>(8 * digit))) & 255;
  return <i32>load<u32>(HISTOGRAMS + digit * DIGIT_BYTES + first * 4) * SORTED_BYTES === length;
}

function scatter(digit: i32, source: i32, length: i32, target: i32): void {
  const counters = HISTOGRAMS + digit * DIGIT_BYTES;
  let place = target;
  for (let counter = counters; counter < counters + DIGIT_BYTES; counter += 4) {
    const count = <i32>load<u32>(counter);
    store<u32>(counter, place);
    place += count * SORTED_BYTES;
  }
  const shift = <u64>(8 * digit);
  for (let entry = source; entry < source + length; entry += SORTED_BYTES) {
    const counter = counters + ((<i32>(load<u64>(entry) >> shift) & 255) << 2);
    const to = <i32>load<u32>(counter);
    store<u32>(counter, to + SORTED_BYTES);
    v128.store(to, v128.load(entry));
  }
}

function insertionSort(from: i32, to: i32, depth: i32): void {
  for (let entry = from + SORTED_BYTES; entry < to; entry += SORTED_BYTES) {
    const bytes = load<u64>(entry);
    const cell = <i32>load<u32>(entry, 8);
    let hole = entry;
    while (hole > from) {
      const before = hole - SORTED_BYTES;
      const bytesBefore = load<u64>(before);
      if (bytesBefore < bytes) break;
      if (bytesBefore === bytes && !isLessBeyond(cell, cellOfEntry(before), depth)) break;
      v128.store(hole, v128.load(before));
      hole = before;
    }
    store<u64>(hole, bytes);
    store<u32>(hole, cell, 8);
  }
}

/** For keys that agree in `depth` bytes and the eight of their entries, or have ended before and agree but for zeros. */
function isLessBeyond(a: i32, b: i32, depth: i32): bool {
  const lengthA = keyLength(a);
  const lengthB = keyLength(b);
  const shared = min(lengthA, lengthB);
  const agreed = min(depth + 8, shared);
  const order = memory.compare(keyAddress(a) + agreed, keyAddress(b) + agreed, shared - agreed);
  return order !== 0 ? order < 0 : lengthA < lengthB;
}
