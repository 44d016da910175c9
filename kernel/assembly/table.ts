/**
 * A value for each key, combined as pairs come. Short keys and long ones have tables of their own (short-keys.ts,
 * long-keys.ts): most words are short, and then fit into the cache.
 *
 * Pairs come in batches: the keys are queued, each in the queue of its kind, and taken in passes, so that the accesses to
 * memory overlap. Which queue a key belongs to is no branch, since no processor would guess it.
 */
import { clearBudget, openBudget } from './budget';
import { addLong, clearLong, openLong, reserveLong, setKey, setValue, touch } from './long-keys';
import { LONG_KEYS, LONG_VALUES, SHORT_NAMES, SHORT_PLACES, SHORT_VALUES } from './memory';
import { chooseOperation, COUNT, operation, SUM } from './operations';
import { addShort, addTimes, clearShort, nameOf, placeOf, reserveShort, SHORT_BYTES } from './short-keys';

/** Keeps the compiler from leaving the touches out. */
export let touchedShort: i32 = 0;

export function setOperation(chosen: i32, keyBytesMax: i32): void {
  chooseOperation(chosen);
  openLong(keyBytesMax);
}

export function openTable(budgetBytes: i64): void {
  openBudget(budgetBytes);
  clearTable();
}

/** Forgets all keys. */
export function clearTable(): void {
  clearBudget();
  clearShort();
  clearLong();
}

/** To be called before a batch of so many keys. */
export function reserve(count: i32): void {
  reserveShort(count);
  reserveLong(count);
}

/** 1 for a key that belongs to the short ones, 0 for the others. */
@inline
export function isShort(length: i32): i32 {
  return <i32>(length <= SHORT_BYTES);
}

/** Puts a key into both queues, at the next places: the caller goes on in the one in which it belongs. */
@inline
export function queue(shorts: i32, longs: i32, address: i32, length: i32): void {
  const name = nameOf(address, length);
  store<u64>(SHORT_NAMES + shorts * 8, name);
  store<u32>(SHORT_PLACES + shorts * 4, placeOf(name));
  store<u32>(LONG_KEYS + longs * 8, address);
  store<u32>(LONG_KEYS + longs * 8, length, 4);
}

/** The value of the key that is queued at these places. */
@inline
export function queueValue(shorts: i32, longs: i32, value: f64): void {
  store<f64>(SHORT_VALUES + shorts * 8, value);
  store<f64>(LONG_VALUES + longs * 8, value);
}

/** Takes so many keys of each queue, each with the value 1. */
export function takeOnes(shorts: i32, longs: i32): void {
  const times: f64 = operation === SUM || operation === COUNT ? 1 : 0;
  touchShort(shorts);
  for (let index = 0; index < shorts; index++) {
    addTimes(load<u64>(SHORT_NAMES + index * 8), load<u32>(SHORT_PLACES + index * 4), times);
  }
  for (let index = 0; index < longs; index++) enterLong(index, 1);
  takeLong(longs);
}

/** Takes so many keys of each queue with their values. */
export function takeValues(shorts: i32, longs: i32): void {
  touchShort(shorts);
  for (let index = 0; index < shorts; index++) {
    const value = load<f64>(SHORT_VALUES + index * 8);
    addShort(load<u64>(SHORT_NAMES + index * 8), load<u32>(SHORT_PLACES + index * 4), value);
  }
  for (let index = 0; index < longs; index++) enterLong(index, load<f64>(LONG_VALUES + index * 8));
  takeLong(longs);
}

/** Makes an entry of a queued key. */
@inline
function enterLong(index: i32, value: f64): void {
  setKey(index, load<u32>(LONG_KEYS + index * 8), load<u32>(LONG_KEYS + index * 8, 4));
  setValue(index, value);
}

@inline
function takeLong(longs: i32): void {
  touch(longs);
  for (let index = 0; index < longs; index++) addLong(index);
}

function touchShort(shorts: i32): void {
  let sum = 0;
  for (let index = 0; index < shorts; index++) sum ^= load<i32>(load<u32>(SHORT_PLACES + index * 4));
  touchedShort = sum;
}
