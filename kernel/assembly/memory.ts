/**
 * Where everything lies in the module's memory. The regions are fixed when a kernel is opened and generous, because
 * memory that is never touched costs nothing; a region is reused from attempt to attempt, because the first touch of
 * a page is what costs most.
 */

/** Words per batch: what is prefetched at once must stay in the nearest cache. */
export const BATCH: i32 = 256;
/** A block of 64 bytes begins or ends at most 64 words. */
const BATCH_MAX: i32 = BATCH + 64;

/** A short key with its value: short-keys.ts. */
export const SHORT_CELL_BYTES: i32 = 16;
export const SHORT_CELLS_MIN: i32 = 1024;
/** The address of a short key's cell, and a number (u32). */
export const ORDER_BYTES: i32 = 8;
/** Keys up to this length lie in their cell; the bytes of longer ones in the arena. */
export const INLINE_BYTES: i32 = 16;
export const SLOT_BYTES: i32 = 4;
export const SLOTS_MIN: i32 = 1024;
export const CELL_BYTES: i32 = 32;
export const ENTRY_BYTES: i32 = 32;
/** An entry that is sorted: eight bytes of a key, and its cell. */
export const SORTED_BYTES: i32 = 16;
/** Where a cell would be of which an empty slot speaks: no key agrees with what lies there. */
export const NO_CELL: i32 = 0;

const CODE_POINTS: i32 = 0x110000;
/** How many code points are looked up at once. */
export const LETTER_BLOCK: i32 = 256;

const FIRST: i32 = 1024;
/** Masks that keep the first n bytes of 16, for n from 0 to 16. */
export const MASKS: i32 = FIRST;
/** One bit per code point: a letter. */
export const LETTERS: i32 = MASKS + 17 * 16 + 16;
/** One byte per block of code points: whether its bits are known. */
export const LETTERS_KNOWN: i32 = LETTERS + CODE_POINTS / 8;
/** Begin and end of each word of a batch, as addresses. */
export const POSITIONS: i32 = LETTERS_KNOWN + CODE_POINTS / LETTER_BLOCK;
/** The queues of a batch (table.ts): of short keys the name, the place and the value; of others address and length, and the value. */
export const SHORT_NAMES: i32 = POSITIONS + BATCH_MAX * 8 + 128;
export const SHORT_PLACES: i32 = SHORT_NAMES + (BATCH_MAX + 1) * 8;
export const SHORT_VALUES: i32 = SHORT_PLACES + (BATCH_MAX + 2) * 4;
export const LONG_KEYS: i32 = SHORT_VALUES + (BATCH_MAX + 1) * 8;
export const LONG_VALUES: i32 = LONG_KEYS + (BATCH_MAX + 1) * 8;
/** The entries of a batch: first and second eight bytes of the key, value, length, address of the key. */
export const ENTRIES: i32 = LONG_VALUES + (BATCH_MAX + 1) * 8;
/** The slot where each entry's search begins. */
export const ENTRY_SLOTS: i32 = ENTRIES + BATCH_MAX * ENTRY_BYTES;
/** For each of eight digits and each of its values, how often it occurs, or where the next entry with it goes. */
export const HISTOGRAMS: i32 = ENTRY_SLOTS + BATCH_MAX * 4;
/** Here begin the regions whose size depends on the job. */
const FLEXIBLE: i32 = (HISTOGRAMS + 8 * 256 * 4 + 63) & ~63;

/** What is read: text, or records; some bytes beyond the end may be read, and must be there. */
export let INPUT: i32 = 0;
/** What is to be written: records, or text. */
export let OUTPUT: i32 = 0;
export let OUTPUT_END: i32 = 0;
/** What is counted of each partition: sort.ts, encode.ts. */
export let PARTITIONS: i32 = 0;
export const PARTITION_BYTES: i32 = 16;
/** The table of short keys, which has room to grow in place; the records of each cell; the cells as they came first. */
export let SHORT_CELLS: i32 = 0;
export let SHORT_CELLS_MAX: i32 = 0;
export let SHORT_RECORDS: i32 = 0;
export let SHORT_ORDER: i32 = 0;
/** The hash table of other keys: the address of a cell, or `NO_CELL`, in each slot. It has room to grow in place. */
export let SLOTS: i32 = 0;
export let SLOTS_MAX: i32 = 0;
/** The keys with their values, in the order in which the keys came first. */
export let CELLS: i32 = 0;
/** The sorted entries, and as much room again; or the encoded records. */
export let ENTRIES_SORTED: i32 = 0;
/** The bytes of long keys: the last region, since it is often empty. */
export let ARENA: i32 = 0;

const PAGE_BYTES: i64 = 65536;
const SLACK: i32 = 256;

/** A kernel either fills its table or merges: here the sources lie while it merges. */
export let SOURCES: i32 = 0;

/** Lays the regions out for a table of so many keys and takes the memory; false if there is not as much. */
export function layOut(bufferBytes: i32, partitions: i32, arenaBytes: i32, encodedBytes: i32, keys: i32): bool {
  layOutBuffers(bufferBytes);
  PARTITIONS = aligned(OUTPUT_END + SLACK);
  SHORT_CELLS_MAX = sizeFor(SHORT_CELLS_MIN, keys);
  SLOTS_MAX = sizeFor(SLOTS_MIN, keys);
  const begin = <i64>PARTITIONS + (partitions + 2) * PARTITION_BYTES;
  let end = begin;
  end += <i64>SHORT_CELLS_MAX * (SHORT_CELL_BYTES + 4) + <i64>keys * ORDER_BYTES;
  end += <i64>SLOTS_MAX * SLOT_BYTES + <i64>keys * CELL_BYTES;
  end += max<i64>(<i64>keys * 2 * SORTED_BYTES, encodedBytes);
  // A key that is too long is noticed when it is in.
  end += <i64>arenaBytes + bufferBytes + 8 * 64;
  if (!take(end)) return false;
  SHORT_CELLS = aligned(<i32>begin);
  SHORT_RECORDS = SHORT_CELLS + SHORT_CELLS_MAX * SHORT_CELL_BYTES;
  SHORT_ORDER = SHORT_RECORDS + SHORT_CELLS_MAX * 4;
  SLOTS = aligned(SHORT_ORDER + keys * ORDER_BYTES);
  CELLS = aligned(SLOTS + SLOTS_MAX * SLOT_BYTES);
  ENTRIES_SORTED = CELLS + keys * CELL_BYTES;
  ARENA = aligned(ENTRIES_SORTED + max(keys * 2 * SORTED_BYTES, encodedBytes));
  return true;
}

/** Fuller than to seven tenths, long searches become too frequent. */
function sizeFor(least: i32, keys: i32): i32 {
  let size = least;
  while (<i64>size * 7 < <i64>keys * 10) size <<= 1;
  return size;
}

/** Lays the regions out for merging. */
export function layOutSources(bufferBytes: i32, sourcesBytes: i64): bool {
  layOutBuffers(bufferBytes);
  SOURCES = aligned(OUTPUT_END + SLACK);
  return take(<i64>SOURCES + sourcesBytes);
}

function layOutBuffers(bytes: i32): void {
  INPUT = FLEXIBLE;
  OUTPUT = aligned(INPUT + bytes + SLACK);
  OUTPUT_END = OUTPUT + bytes;
}

function take(end: i64): bool {
  if (end >= 0x7fff0000) return false;
  const missing = (end + PAGE_BYTES - 1) / PAGE_BYTES - memory.size();
  return missing <= 0 || memory.grow(<i32>missing) >= 0;
}

function aligned(address: i32): i32 {
  return (address + 63) & ~63;
}
