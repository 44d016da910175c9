/**
 * The hash table of keys of up to seven bytes, which most words are. A cell is 16 bytes: the key with its length as one
 * number, and its value (f64). So a search is one comparison in one place, and twice as many cells fit into the cache as
 * of keys of any length (long-keys.ts). Open addressing with linear probing; where a key belongs is the upper bits of
 * a product.
 *
 * Beside the cells there are, in regions of their own since counting words needs neither: how many records each cell is
 * made of; and the cells in the order in which their keys came first, which is that of no hash.
 */
import { payForKey } from './budget';
import {
  ENTRIES_SORTED,
  ORDER_BYTES,
  SHORT_CELL_BYTES,
  SHORT_CELLS,
  SHORT_CELLS_MAX,
  SHORT_CELLS_MIN,
  SHORT_ORDER,
  SHORT_RECORDS,
} from './memory';
import { combine } from './operations';

export const SHORT_BYTES: i32 = 7;

let cellCount: i32 = SHORT_CELLS_MIN;
let shift: u64 = 54;
/** How many cells may be in use before the table grows. */
let usedMax: i32 = 0;
let used: i32 = 0;

/** Forgets all keys; the table keeps about the size that they needed, as the next lot will probably need it too. */
export function clearShort(): void {
  if (cellCount > SHORT_CELLS_MAX) cellCount = SHORT_CELLS_MAX;
  while (cellCount > SHORT_CELLS_MIN && used < cellCount >> 3) cellCount >>= 1;
  used = 0;
  setSize(cellCount);
}

/** Takes the size, with all cells empty. */
function setSize(cells: i32): void {
  cellCount = cells;
  shift = 64 - <u64>ctz(cells);
  // Growing costs more than the searches that become longer until then.
  usedMax = (cells >> 2) * 3;
  memory.fill(SHORT_CELLS, 0, cells * SHORT_CELL_BYTES);
}

/** Key and length as one number, which is never 0; of a longer key it means nothing. Reads eight bytes. */
@inline
export function nameOf(address: i32, length: i32): u64 {
  const kept = ((<u64>1) << (<u64>(8 * length))) - 1;
  return (load<u64>(address) & kept) | ((<u64>(length + 1)) << 56);
}

/** Where the search for a key begins. */
@inline
export function placeOf(name: u64): i32 {
  return SHORT_CELLS + <i32>(((name ^ (name >> 32)) * 0x9e3779b97f4a7c15) >> shift) * SHORT_CELL_BYTES;
}

/** Makes sure that so many keys find room without growing, which moves every cell. To be called before `placeOf`. */
@inline
export function reserveShort(count: i32): void {
  if (used + count > usedMax && cellCount < SHORT_CELLS_MAX) grow();
}

/** Adds `times` to the value of a key that is counted, from where its search begins. */
@inline
export function addTimes(name: u64, place: i32, times: f64): void {
  if (load<u64>(place) === name) store<f64>(place, load<f64>(place, 8) + times, 8);
  else addTimesSlowly(name, place, times);
}

function addTimesSlowly(name: u64, from: i32, times: f64): void {
  const cell = find(name, from);
  if (load<u64>(cell) === name) store<f64>(cell, load<f64>(cell, 8) + times, 8);
  else insert(name, cell, 1);
}

/** Combines a value with that of its key. */
@inline
export function addShort(name: u64, place: i32, value: f64): void {
  const cell = load<u64>(place) === name ? place : find(name, place);
  if (load<u64>(cell) === name) {
    store<f64>(cell, combine(load<f64>(cell, 8), value), 8);
    const records = recordsAt(cell);
    store<u32>(records, load<u32>(records) + 1);
  } else {
    insert(name, cell, value);
  }
}

/** The key's cell, or the empty one in which it belongs. */
function find(name: u64, from: i32): i32 {
  const end = SHORT_CELLS + cellCount * SHORT_CELL_BYTES;
  let cell = from;
  for (let held = load<u64>(cell); held !== 0 && held !== name; held = load<u64>(cell)) {
    cell += SHORT_CELL_BYTES;
    if (cell === end) cell = SHORT_CELLS;
  }
  return cell;
}

function insert(name: u64, cell: i32, value: f64): void {
  store<u64>(cell, name);
  store<f64>(cell, value, 8);
  store<u32>(recordsAt(cell), 1);
  store<u32>(SHORT_ORDER + used * ORDER_BYTES, cell);
  used++;
  payForKey(<i32>(name >> 56) - 1, 0);
}

/** Where the number of records of a cell stands (u32). */
@inline
export function recordsAt(cell: i32): i32 {
  return SHORT_RECORDS + ((cell - SHORT_CELLS) >> 2);
}

/** The end of the list of cells: of each its address, and a number for whoever lists them (u32). */
@inline
export function shortOrderEnd(): i32 {
  return SHORT_ORDER + used * ORDER_BYTES;
}

/** Doubles the table in place. Nothing is sorted meanwhile, so the old cells find room where that is done. */
function grow(): void {
  const cellsBytes = cellCount * SHORT_CELL_BYTES;
  const oldRecords = ENTRIES_SORTED + cellsBytes;
  memory.copy(ENTRIES_SORTED, SHORT_CELLS, cellsBytes);
  memory.copy(oldRecords, SHORT_RECORDS, cellCount * 4);
  const moved = ENTRIES_SORTED - SHORT_CELLS;
  setSize(cellCount * 2);
  for (let place = SHORT_ORDER; place < shortOrderEnd(); place += ORDER_BYTES) {
    const old = <i32>load<u32>(place);
    const name = load<u64>(old + moved);
    const cell = find(name, placeOf(name));
    store<u64>(cell, name);
    store<f64>(cell, load<f64>(old + moved, 8), 8);
    store<u32>(recordsAt(cell), load<u32>(oldRecords + ((old - SHORT_CELLS) >> 2)));
    store<u32>(place, cell);
  }
}
