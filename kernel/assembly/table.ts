/**
 * The hash table: a value for each key, combined as pairs come. Open addressing with linear probing; the place of a key
 * is the upper bits of its hash.
 *
 * A slot is 32 bytes: for a key of up to 16 bytes these, padded with zeros, for a longer one a hash of it and its
 * address in the arena; the value (f64); the length plus one (u32; 0 is an empty slot); a number for whoever sorts or
 * merges (u32).
 *
 * Pairs come in batches of entries and are taken in three passes: the slots' addresses; a touch of each slot, so that
 * the memory accesses overlap; then the search, which finds nearly every slot in the cache.
 */
import { ARENA, ENTRIES, ENTRY_BYTES, ENTRY_SLOTS, INLINE_BYTES, MASKS, SLOT_BYTES, SLOTS_MAX, TABLE } from './memory';

export const SUM: i32 = 0;
export const MIN: i32 = 1;
export const MAX: i32 = 2;
/** As a sum of ones, whatever the values are. */
export const COUNT: i32 = 3;

/** What a key costs of the budget, beside two for each of its bytes: see jobs/collector.ts. */
const KEY_COST: i64 = 160 + 8;

const SLOTS_MIN: i32 = 1024;

export let slotCount: i32 = SLOTS_MIN;
let shift: i64 = 54;
/** How many slots may be in use before the table grows. */
let usedMax: i32 = 0;
export let used: i32 = 0;
let arenaTop: i32 = 0;
export let countedBytes: i64 = 0;
let budgetBytes: i64 = 0;
export let operation: i32 = SUM;
/** Whether the budget is used up, so that the pairs so far have to be taken away. */
export let full: bool = false;
/** Keeps the compiler from leaving the touches out. */
export let touched: i32 = 0;

/** Longer keys are not to be; `tooLong` says that there was one. */
let keyBytesMax: i32 = 0;
export let tooLong: bool = false;

export function setOperation(chosen: i32, longest: i32): void {
  operation = chosen;
  keyBytesMax = longest;
}

export function openTable(budget: i64): void {
  budgetBytes = budget;
  for (let length = 0; length <= INLINE_BYTES; length++) {
    const mask = MASKS + length * 16;
    memory.fill(mask, 0, 16);
    memory.fill(mask, 0xff, length);
  }
  clearTable();
}

/** Forgets all keys; the table keeps about the size that they needed, as the next lot will probably need it too. */
export function clearTable(): void {
  if (slotCount > SLOTS_MAX) slotCount = SLOTS_MAX;
  while (slotCount > SLOTS_MIN && used < slotCount >> 4) slotCount >>= 1;
  setSize(slotCount);
  memory.fill(TABLE, 0, slotCount * SLOT_BYTES);
  used = 0;
  arenaTop = ARENA;
  countedBytes = 0;
  full = false;
  tooLong = false;
}

function setSize(slots: i32): void {
  slotCount = slots;
  shift = 64 - <i64>ctz(slots);
  usedMax = slots === SLOTS_MAX ? slots - (slots >> 3) : (slots >> 1) + (slots >> 3);
}

@inline
function hashOf(first: u64, second: u64, length: i32): u64 {
  let hash = ((first + <u64>length) * 0x9e3779b97f4a7c15) ^ rotl(second * 0xc2b2ae3d27d4eb4f, 29);
  hash ^= hash >> 32;
  return hash * 0xbf58476d1ce4e5b9;
}

@inline
function slotOf(first: u64, second: u64, length: i32): i32 {
  return TABLE + <i32>((hashOf(first, second, length) >> shift) << 5);
}

/** Stands for the first 16 bytes of a long key. */
function hashLong(address: i32, length: i32): u64 {
  let hash: u64 = <u64>length;
  let at = address;
  for (const end = address + length - 8; at < end; at += 8) {
    hash = rotl((hash ^ load<u64>(at)) * 0x9e3779b97f4a7c15, 31);
  }
  hash = (hash ^ load<u64>(address + length - 8)) * 0xc2b2ae3d27d4eb4f;
  return hash ^ (hash >> 32);
}

/** Writes entry `index` of the batch: a key that lies at `address`. */
@inline
export function setKey(index: i32, address: i32, length: i32): void {
  const entry = ENTRIES + index * ENTRY_BYTES;
  let first: u64;
  let second: u64;
  if (length <= INLINE_BYTES) {
    const mask = MASKS + length * 16;
    first = load<u64>(address) & load<u64>(mask);
    second = load<u64>(address, 8) & load<u64>(mask, 8);
  } else {
    if (length > keyBytesMax) tooLong = true;
    first = hashLong(address, length);
    second = 0;
  }
  store<u64>(entry, first);
  store<u64>(entry, second, 8);
  store<u32>(entry, length, 24);
  store<u32>(entry, address, 28);
  store<u32>(ENTRY_SLOTS + index * 4, slotOf(first, second, length));
}

@inline
export function setValue(index: i32, value: f64): void {
  store<f64>(ENTRIES + index * ENTRY_BYTES, value, 16);
}

/** Makes sure that a batch finds room without growing, since growing moves every slot. To be called before `setKey`. */
export function reserve(entries: i32): void {
  if (used + entries > usedMax && slotCount < SLOTS_MAX) grow();
}

/** Adds one to each of the `count` keys of the batch; ends early, when full. Returns how many were taken. */
export function addOnes(count: i32): i32 {
  touch(count);
  for (let index = 0; index < count; index++) {
    const entry = ENTRIES + index * ENTRY_BYTES;
    const slot = <i32>load<u32>(ENTRY_SLOTS + index * 4);
    if (holds(slot, entry)) {
      store<f64>(slot, combine(load<f64>(slot, 16), 1), 16);
    } else {
      store<f64>(entry, 1, 16);
      addSlowly(slot, entry);
      if (full) return index + 1;
    }
  }
  return count;
}

/** Combines the values of the batch with those of their keys; ends early, when full. Returns how many were taken. */
export function addValues(count: i32): i32 {
  touch(count);
  for (let index = 0; index < count; index++) {
    const entry = ENTRIES + index * ENTRY_BYTES;
    const slot = <i32>load<u32>(ENTRY_SLOTS + index * 4);
    if (holds(slot, entry)) {
      store<f64>(slot, combine(load<f64>(slot, 16), load<f64>(entry, 16)), 16);
      store<u32>(slot, load<u32>(slot, 28) + 1, 28);
    } else {
      addSlowly(slot, entry);
      if (full) return index + 1;
    }
  }
  return count;
}

/** Reads the slots of the batch, so that they are in the cache when they are searched. */
export function touch(count: i32): void {
  let sum = 0;
  for (let index = 0; index < count; index++) sum ^= load<i32>(load<u32>(ENTRY_SLOTS + index * 4), 24);
  touched = sum;
}

@inline
function holds(slot: i32, entry: i32): bool {
  return (
    ((load<u64>(slot) ^ load<u64>(entry)) | (load<u64>(slot, 8) ^ load<u64>(entry, 8))) === 0 &&
    load<u32>(slot, 24) === load<u32>(entry, 24) + 1
  );
}

@inline
export function combine(a: f64, b: f64): f64 {
  // As jobs/aggregates.ts: a later value replaces only when it is really less or greater.
  if (operation === SUM || operation === COUNT) return a + b;
  return operation === MIN ? (b < a ? b : a) : b > a ? b : a;
}

/** Searches on from a slot that does not hold the key, and adds the key if it is new. */
function addSlowly(from: i32, entry: i32): void {
  const end = TABLE + slotCount * SLOT_BYTES;
  let slot = from;
  while (load<u32>(slot, 24) !== 0) {
    if (isSame(slot, entry)) {
      store<f64>(slot, combine(load<f64>(slot, 16), load<f64>(entry, 16)), 16);
      store<u32>(slot, load<u32>(slot, 28) + 1, 28);
      return;
    }
    slot += SLOT_BYTES;
    if (slot === end) slot = TABLE;
  }
  insert(slot, entry);
}

@inline
function isSame(slot: i32, entry: i32): bool {
  const length = <i32>load<u32>(entry, 24);
  if (length <= INLINE_BYTES) return holds(slot, entry);
  return (
    load<u64>(slot) === load<u64>(entry) &&
    <i32>load<u32>(slot, 24) === length + 1 &&
    agree(<i32>load<u64>(slot, 8), <i32>load<u32>(entry, 28), length)
  );
}

/** Whether two texts of more than eight bytes are the same. */
@inline
function agree(a: i32, b: i32, length: i32): bool {
  for (let at = 0; at < length - 8; at += 8) if (load<u64>(a + at) !== load<u64>(b + at)) return false;
  return load<u64>(a + length - 8) === load<u64>(b + length - 8);
}

function insert(slot: i32, entry: i32): void {
  const length = <i32>load<u32>(entry, 24);
  store<u64>(slot, load<u64>(entry));
  if (length <= INLINE_BYTES) {
    store<u64>(slot, load<u64>(entry, 8), 8);
  } else {
    memory.copy(arenaTop, <i32>load<u32>(entry, 28), length);
    store<u64>(slot, <u64>arenaTop, 8);
    arenaTop += length;
  }
  store<f64>(slot, load<f64>(entry, 16), 16);
  store<u32>(slot, length + 1, 24);
  store<u32>(slot, 1, 28);
  used++;
  countedBytes += KEY_COST + 2 * <i64>length;
  full = countedBytes >= budgetBytes;
}

/** Whether the row that `rowFor` gave last is new, and holds anything. */
export let isNewRow: bool = false;

/**
 * The row of the key of entry `index`, for whoever keeps more than a number for each key: so many bytes of the arena, of
 * which the first eight are paid for with the key. Takes the place of `addValues`.
 */
export function rowFor(index: i32, bytes: i32): i32 {
  const entry = ENTRIES + index * ENTRY_BYTES;
  const end = TABLE + slotCount * SLOT_BYTES;
  let slot = <i32>load<u32>(ENTRY_SLOTS + index * 4);
  isNewRow = false;
  while (load<u32>(slot, 24) !== 0) {
    if (isSame(slot, entry)) return load<u32>(slot, 16);
    slot += SLOT_BYTES;
    if (slot === end) slot = TABLE;
  }
  insert(slot, entry);
  const row = (arenaTop + 7) & ~7;
  arenaTop = row + bytes;
  store<u32>(slot, row, 16);
  countedBytes += bytes - 8;
  full = countedBytes >= budgetBytes;
  isNewRow = true;
  return row;
}

/** Doubles the table in place: what is in use waits behind it and is put back slot by slot. */
function grow(): void {
  const waiting = TABLE + slotCount * 2 * SLOT_BYTES;
  const end = moveUsed(waiting);
  setSize(slotCount * 2);
  memory.fill(TABLE, 0, slotCount * SLOT_BYTES);
  const tableEnd = TABLE + slotCount * SLOT_BYTES;
  for (let from = waiting; from < end; from += SLOT_BYTES) {
    const length = <i32>load<u32>(from, 24) - 1;
    const second: u64 = length <= INLINE_BYTES ? load<u64>(from, 8) : 0;
    let slot = slotOf(load<u64>(from), second, length);
    while (load<u32>(slot, 24) !== 0) {
      slot += SLOT_BYTES;
      if (slot === tableEnd) slot = TABLE;
    }
    copySlot(slot, from);
  }
}

/** Copies the slots in use to `target`, one after the other. Returns their end. */
function moveUsed(target: i32): i32 {
  const end = TABLE + slotCount * SLOT_BYTES;
  let to = target;
  for (let slot = TABLE; slot < end; slot += SLOT_BYTES) {
    if (load<u32>(slot, 24) === 0) continue;
    if (to !== slot) copySlot(to, slot);
    to += SLOT_BYTES;
  }
  return to;
}

@inline
function copySlot(to: i32, from: i32): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
}
