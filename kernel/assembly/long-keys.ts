/**
 * The hash table of keys of any length. Open addressing with linear probing; the place of a key is the upper bits of its
 * hash. A slot is only the address of a cell, so that the slots stay in the cache; the cells lie in the order in which their
 * keys came first, which is that of no hash and puts what is frequent together.
 *
 * A cell is 32 bytes: for a key of up to 16 bytes these, padded with zeros, for a longer one a hash of it and its
 * address in the arena; the value (f64); the length (u32); a number for whoever sorts or merges (u32).
 *
 * Pairs come in batches of entries and are taken in three passes: the slots' addresses; a touch of each cell; the search.
 */
import { payForKey } from './budget';
import {
  ARENA,
  CELL_BYTES,
  CELLS,
  ENTRIES,
  ENTRY_BYTES,
  ENTRY_SLOTS,
  INLINE_BYTES,
  MASKS,
  NO_CELL,
  SLOT_BYTES,
  SLOTS,
  SLOTS_MAX,
  SLOTS_MIN,
} from './memory';
import { combine } from './operations';

let slotCount: i32 = SLOTS_MIN;
let shift: i64 = 54;
/** How many slots may be in use before the table grows. */
let usedMax: i32 = 0;
let used: i32 = 0;
/** Where the next cell will be. */
export let cellsEnd: i32 = 0;
let arenaTop: i32 = 0;
/** Keeps the compiler from leaving the touches out. */
export let touched: i32 = 0;

/** Longer keys are not to be; `tooLong` says that there was one. */
let keyBytesMax: i32 = 0;
export let tooLong: bool = false;

export function openLong(longest: i32): void {
  keyBytesMax = longest;
  for (let length = 0; length <= INLINE_BYTES; length++) {
    const mask = MASKS + length * 16;
    memory.fill(mask, 0, 16);
    memory.fill(mask, 0xff, length);
  }
}

/** Forgets all keys; the table keeps about the size that they needed, as the next lot will probably need it too. */
export function clearLong(): void {
  if (slotCount > SLOTS_MAX) slotCount = SLOTS_MAX;
  while (slotCount > SLOTS_MIN && used < slotCount >> 3) slotCount >>= 1;
  setSize(slotCount);
  // No key is as long.
  store<u32>(NO_CELL, u32.MAX_VALUE, 24);
  used = 0;
  cellsEnd = CELLS;
  arenaTop = ARENA;
  tooLong = false;
}

/** Takes the size, with all slots empty. */
function setSize(slots: i32): void {
  slotCount = slots;
  shift = 64 - <i64>ctz(slots);
  // Keys that are not found where they are looked for first cost more than a larger table.
  usedMax = slots >> 1;
  memory.fill(SLOTS, 0, slots * SLOT_BYTES);
}

@inline
function hashOf(first: u64, second: u64, length: i32): u64 {
  let hash = ((first + <u64>length) * 0x9e3779b97f4a7c15) ^ rotl(second * 0xc2b2ae3d27d4eb4f, 29);
  hash ^= hash >> 32;
  return hash * 0xbf58476d1ce4e5b9;
}

@inline
function slotOf(first: u64, second: u64, length: i32): i32 {
  return SLOTS + <i32>(hashOf(first, second, length) >> shift) * SLOT_BYTES;
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
@inline
export function reserveLong(entries: i32): void {
  if (used + entries > usedMax && slotCount < SLOTS_MAX) grow();
}

/** Combines the value of entry `index` with that of its key. */
@inline
export function addLong(index: i32): void {
  const entry = ENTRIES + index * ENTRY_BYTES;
  const slot = <i32>load<u32>(ENTRY_SLOTS + index * 4);
  const cell = <i32>load<u32>(slot);
  if (holds(cell, entry)) add(cell, entry);
  else addSlowly(slot, entry);
}

/** Reads the cells of the batch, so that the memory accesses overlap and the search finds nearly every one in the cache. */
export function touch(count: i32): void {
  let sum = 0;
  for (let index = 0; index < count; index++) sum ^= load<i32>(load<u32>(load<u32>(ENTRY_SLOTS + index * 4)), 24);
  touched = sum;
}

@inline
function holds(cell: i32, entry: i32): bool {
  return (
    ((load<u64>(cell) ^ load<u64>(entry)) |
      (load<u64>(cell, 8) ^ load<u64>(entry, 8)) |
      (<u64>(load<u32>(cell, 24) ^ load<u32>(entry, 24)))) ===
    0
  );
}

@inline
function add(cell: i32, entry: i32): void {
  store<f64>(cell, combine(load<f64>(cell, 16), load<f64>(entry, 16)), 16);
  store<u32>(cell, load<u32>(cell, 28) + 1, 28);
}

/** Searches on from a slot that does not lead to the key, and adds the key if it is new. */
function addSlowly(from: i32, entry: i32): void {
  let slot = from;
  for (let cell = <i32>load<u32>(slot); cell !== NO_CELL; cell = load<u32>(slot)) {
    if (isSame(cell, entry)) {
      add(cell, entry);
      return;
    }
    slot = after(slot);
  }
  store<u32>(slot, cellsEnd);
  insert(entry);
  payForKey(load<u32>(entry, 24), 0);
}

@inline
function after(slot: i32): i32 {
  return slot + SLOT_BYTES === SLOTS + slotCount * SLOT_BYTES ? SLOTS : slot + SLOT_BYTES;
}

@inline
function isSame(cell: i32, entry: i32): bool {
  const length = <i32>load<u32>(entry, 24);
  if (length <= INLINE_BYTES) return holds(cell, entry);
  return (
    load<u64>(cell) === load<u64>(entry) &&
    <i32>load<u32>(cell, 24) === length &&
    agree(<i32>load<u64>(cell, 8), <i32>load<u32>(entry, 28), length)
  );
}

/** Whether two texts of more than eight bytes are the same. */
@inline
function agree(a: i32, b: i32, length: i32): bool {
  for (let at = 0; at < length - 8; at += 8) if (load<u64>(a + at) !== load<u64>(b + at)) return false;
  return load<u64>(a + length - 8) === load<u64>(b + length - 8);
}

/** Makes a cell of the entry. */
function insert(entry: i32): void {
  const cell = cellsEnd;
  const length = <i32>load<u32>(entry, 24);
  store<u64>(cell, load<u64>(entry));
  if (length <= INLINE_BYTES) {
    store<u64>(cell, load<u64>(entry, 8), 8);
  } else {
    memory.copy(arenaTop, <i32>load<u32>(entry, 28), length);
    store<u64>(cell, <u64>arenaTop, 8);
    arenaTop += length;
  }
  store<f64>(cell, load<f64>(entry, 16), 16);
  store<u32>(cell, length, 24);
  store<u32>(cell, 1, 28);
  cellsEnd = cell + CELL_BYTES;
  used++;
}

/** Whether the row that `rowFor` gave last is new, and holds anything. */
export let isNewRow: bool = false;

/**
 * The row of the key of entry `index`, for whoever keeps more than a number for each key: so many bytes of the arena, of
 * which the first eight are paid for with the key. Takes the place of `addLong`.
 */
export function rowFor(index: i32, bytes: i32): i32 {
  const entry = ENTRIES + index * ENTRY_BYTES;
  let slot = <i32>load<u32>(ENTRY_SLOTS + index * 4);
  isNewRow = false;
  for (let cell = <i32>load<u32>(slot); cell !== NO_CELL; cell = load<u32>(slot)) {
    if (isSame(cell, entry)) return load<u32>(cell, 16);
    slot = after(slot);
  }
  const cell = cellsEnd;
  store<u32>(slot, cell);
  insert(entry);
  const row = (arenaTop + 7) & ~7;
  arenaTop = row + bytes;
  store<u32>(cell, row, 16);
  payForKey(load<u32>(entry, 24), bytes - 8);
  isNewRow = true;
  return row;
}

/** Doubles the table in place; the cells stay where they are. */
function grow(): void {
  setSize(slotCount * 2);
  for (let cell = CELLS; cell < cellsEnd; cell += CELL_BYTES) {
    const length = <i32>load<u32>(cell, 24);
    let slot = slotOf(load<u64>(cell), length <= INLINE_BYTES ? load<u64>(cell, 8) : 0, length);
    while (load<u32>(slot) !== NO_CELL) slot = after(slot);
    store<u32>(slot, cell);
  }
}
