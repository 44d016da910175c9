/**
 * Merging sorted records of many sources, through a window of each: equal keys come together in the order of their
 * sources, and are combined or left as they are. What comes out are records, with values that nobody looked at or with
 * numbers, or lines.
 *
 * `merge` goes on until a window is used up, the output is full, or all is done; whoever calls it cares for that and
 * calls again.
 */
import { endLine, fitsLine } from './format';
import { OUTPUT, OUTPUT_END, SOURCES } from './memory';
import { combine } from './operations';
import { fitsRecord, forgetOverflow, keyAt, keyBytes, parseRecord, value, writeNumber, writeVarint } from './records';


/** What `merge` returns, if not the number, counted from 1, of a source whose window is used up. */
const OUTPUT_FULL: i32 = -1;
const DONE: i32 = -2;
const NOT_A_NUMBER: i32 = -3;
/** A record is longer than a window, or the last one is cut short. */
const BROKEN: i32 = -4;

/** What `beginMerge` is told to make: see MergeOutput in kernel.ts. */
const COMBINED: i32 = 1;
const UNTOUCHED: i32 = 2;

/** Per source: position and end in the window, key (address and length), value, first eight bytes of the key, record. */
const SOURCE_BYTES: i32 = 40;
const KEY_SLACK: i32 = 16;
const NONE: i32 = -1;

let sources: i32 = 0;
let windowBytes: i32 = 0;
let keyBytesMax: i32 = 0;
/** The sources that have a record, smallest key first: a binary heap of their addresses. */
let heap: i32 = 0;
let heapSize: i32 = 0;
/** Whether each source was read to its end. */
let ends: i32 = 0;
/** The key that is being combined, and the one with most records. */
let current: i32 = 0;
let heaviest: i32 = 0;
let windows: i32 = 0;

let currentBytes: i32 = NONE;
let currentFirst: u64 = 0;
let currentValue: f64 = 0;
let currentRecords: i32 = 0;
let heaviestBytes: i32 = 0;
export let mergedHeaviest: i32 = 0;
/** The source whose next record is not in its window. */
let waiting: i32 = NONE;
let combining: bool = false;
let untouched: bool = false;
/** Between key and value of a line; 0 for records. */
let lineSeparator: i32 = 0;

/** Where the output ends. */
export let mergedEnd: i32 = 0;
/** How many records came in, and how many records or lines went out. */
export let mergedIn: f64 = 0;
export let mergedOut: f64 = 0;

/** How much memory merging takes. */
export function mergeBytes(count: i32, window: i32, longest: i32): i64 {
  return <i64>count * (SOURCE_BYTES + 8 + window + KEY_SLACK) + 2 * <i64>(longest + KEY_SLACK) + 64;
}

/** Lays the memory of a merge out. All windows are empty then. */
export function openMerge(count: i32, window: i32, longest: i32): void {
  sources = count;
  windowBytes = window + KEY_SLACK;
  keyBytesMax = longest;
  heap = SOURCES + count * SOURCE_BYTES;
  ends = heap + count * 4;
  current = ends + count * 4;
  heaviest = current + longest + KEY_SLACK;
  windows = heaviest + longest + KEY_SLACK;
}

/** Begins a merge; every source must be filled before `startMerge`. */
export function beginMerge(how: i32, separator: i32): void {
  combining = how === COMBINED;
  untouched = how === UNTOUCHED;
  lineSeparator = separator;
  heapSize = 0;
  currentBytes = NONE;
  waiting = NONE;
  mergedHeaviest = 0;
  forgetOverflow();
  mergedEnd = OUTPUT;
  mergedIn = 0;
  mergedOut = 0;
  for (let index = 0; index < sources; index++) {
    const source = SOURCES + index * SOURCE_BYTES;
    store<u32>(source, window(index));
    store<u32>(source, window(index), 4);
  }
}

/** Where the window of a source lies. */
export function window(index: i32): i32 {
  return windows + index * windowBytes;
}

/** Moves what is left in a window to its front. Returns how much that is. */
export function makeRoom(index: i32): i32 {
  const source = SOURCES + index * SOURCE_BYTES;
  const at = <i32>load<u32>(source);
  const left = <i32>load<u32>(source, 4) - at;
  memory.copy(window(index), at, left);
  store<u32>(source, window(index));
  store<u32>(source, window(index) + left, 4);
  return left;
}

/** `bytes` were added to a window; `isEnd`: they are the last. */
export function filled(index: i32, bytes: i32, isEnd: bool): void {
  const source = SOURCES + index * SOURCE_BYTES;
  store<u32>(source, load<u32>(source, 4) + bytes, 4);
  store<u32>(ends + index * 4, isEnd ? 1 : 0);
}

/** Takes the first record of each source. Returns 0, or what `merge` returns when something is wrong. */
export function startMerge(): i32 {
  for (let index = 0; index < sources; index++) {
    const source = SOURCES + index * SOURCE_BYTES;
    const state = advance(source);
    if (state === DONE) continue;
    if (state !== 0) return state > 0 ? BROKEN : state;
    let at = heapSize++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(source, at32(parent))) break;
      put(at, at32(parent));
      at = parent;
    }
    put(at, source);
  }
  return 0;
}

export function merge(): i32 {
  if (waiting !== NONE) {
    const state = moveOn(waiting);
    if (state !== 0) return state;
  }
  while (heapSize > 0) {
    const source = at32(0);
    if (untouched) {
      if (!copyRecord(source)) return OUTPUT_FULL;
    } else if (combining && isCurrent(source)) {
      currentValue = combine(currentValue, load<f64>(source, 16));
      currentRecords++;
    } else {
      if (currentBytes !== NONE && !writeCurrent()) return OUTPUT_FULL;
      setCurrent(source);
    }
    mergedIn += 1;
    const state = moveOn(source);
    if (state !== 0) return state;
  }
  if (currentBytes !== NONE && !writeCurrent()) return OUTPUT_FULL;
  return DONE;
}

/** The output was taken away. */
export function outputTaken(): void {
  mergedEnd = OUTPUT;
}

/** Copies the key with most records to the output. Returns its length. */
export function copyHeaviest(): i32 {
  memory.copy(OUTPUT, heaviest, heaviestBytes);
  return heaviestBytes;
}

/** Takes the next record of the source at the top of the heap. Returns 0, or why `merge` has to return. */
@inline
function moveOn(source: i32): i32 {
  waiting = NONE;
  const state = advance(source);
  if (state === 0) {
    sink(source);
    return 0;
  }
  if (state === DONE) {
    const last = at32(--heapSize);
    if (heapSize > 0) sink(last);
    return 0;
  }
  if (state < 0) return state;
  waiting = source;
  return (source - SOURCES) / SOURCE_BYTES + 1;
}

/** Parses the next record of a source. Returns 0; DONE at its end; 1 if there is more to read; or what is wrong. */
@inline
function advance(source: i32): i32 {
  const at = <i32>load<u32>(source);
  const to = <i32>load<u32>(source, 4);
  const end = parseRecord(at, to);
  if (end === at) return endOf(source, to - at);
  if (end < 0) return NOT_A_NUMBER;
  if (keyBytes > keyBytesMax) return BROKEN;
  store<u32>(source, end);
  store<u32>(source, keyAt, 8);
  store<u32>(source, keyBytes, 12);
  store<f64>(source, value, 16);
  let first = bswap(load<u64>(keyAt));
  if (keyBytes < 8) first = keyBytes === 0 ? 0 : (first >> (<u64>(64 - 8 * keyBytes))) << (<u64>(64 - 8 * keyBytes));
  store<u64>(source, first, 24);
  store<u32>(source, at, 32);
  return 0;
}

function endOf(source: i32, left: i32): i32 {
  const index = (source - SOURCES) / SOURCE_BYTES;
  if (load<u32>(ends + index * 4)) return left === 0 ? DONE : BROKEN;
  return left + KEY_SLACK === windowBytes ? BROKEN : 1;
}

function setCurrent(source: i32): void {
  currentBytes = load<u32>(source, 12);
  currentFirst = load<u64>(source, 24);
  currentValue = load<f64>(source, 16);
  currentRecords = 1;
  copyShort(current, load<u32>(source, 8), currentBytes);
}

@inline
function copyShort(to: i32, from: i32, bytes: i32): void {
  if (bytes <= KEY_SLACK) v128.store(to, v128.load(from));
  else memory.copy(to, from, bytes);
}

@inline
function isCurrent(source: i32): bool {
  return (
    load<u64>(source, 24) === currentFirst &&
    <i32>load<u32>(source, 12) === currentBytes &&
    (currentBytes <= 8 || memory.compare(load<u32>(source, 8), current, currentBytes) === 0)
  );
}

/** Writes the record as it lies in its window; false when there is no room. A window is smaller than the output. */
@inline
function copyRecord(source: i32): bool {
  const record = <i32>load<u32>(source, 32);
  const bytes = <i32>load<u32>(source) - record;
  if (mergedEnd + bytes > OUTPUT_END) return false;
  memory.copy(mergedEnd, record, bytes);
  mergedEnd += bytes;
  mergedOut += 1;
  return true;
}

/** Writes the current key with its value; false when there is no room. */
function writeCurrent(): bool {
  let at = mergedEnd;
  if (lineSeparator !== 0) {
    if (!fitsLine(at, currentBytes)) return false;
    copyShort(at, current, currentBytes);
    at = endLine(at, at + currentBytes, lineSeparator, currentValue);
    if (currentRecords > mergedHeaviest) {
      mergedHeaviest = currentRecords;
      heaviestBytes = currentBytes;
      copyShort(heaviest, current, currentBytes);
    }
  } else {
    if (!fitsRecord(at, currentBytes)) return false;
    at = writeVarint(at, currentBytes);
    copyShort(at, current, currentBytes);
    at = writeNumber(at + currentBytes, currentValue);
  }
  mergedEnd = at;
  mergedOut += 1;
  currentBytes = NONE;
  return true;
}

@inline
function at32(index: i32): i32 {
  return load<u32>(heap + index * 4);
}

@inline
function put(index: i32, source: i32): void {
  store<u32>(heap + index * 4, source);
}

/** Puts a source at the top of the heap and lets it sink to its place. */
@inline
function sink(source: i32): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heapSize) break;
    if (child + 1 < heapSize && isBefore(at32(child + 1), at32(child))) child++;
    if (!isBefore(at32(child), source)) break;
    put(at, at32(child));
    at = child;
  }
  put(at, source);
}

/** By key, then by number; sources lie in the order of their numbers. */
@inline
function isBefore(a: i32, b: i32): bool {
  const firstA = load<u64>(a, 24);
  const firstB = load<u64>(b, 24);
  return firstA !== firstB ? firstA < firstB : isBeforeBeyond(a, b);
}

function isBeforeBeyond(a: i32, b: i32): bool {
  const bytesA = <i32>load<u32>(a, 12);
  const bytesB = <i32>load<u32>(b, 12);
  const order = memory.compare(load<u32>(a, 8), load<u32>(b, 8), min(bytesA, bytesB));
  if (order !== 0) return order < 0;
  return bytesA !== bytesB ? bytesA < bytesB : a < b;
}
