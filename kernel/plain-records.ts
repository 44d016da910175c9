/** Records and the hash of keys, for the plain kernel. Keys are strings with one character for each byte. */
import { NotForKernelError } from './kernel.js';

const INTEGER_MAX = 2 ** 53;
const DOUBLE_BYTES = 8;
const VARINT_BYTES_MAX = 9;

export class PlainRecord {
  readonly key: string;
  readonly value: number;
  /** Where the record ends. */
  readonly end: number;

  private constructor(key: string, value: number, end: number) {
    this.key = key;
    this.value = value;
    this.end = end;
  }

  /**
   * The record at `at`; undefined if it is not whole. With `asOne` each value counts 1, whatever it is; else throws
   * NotForKernelError for what is not a number.
   */
  static read(bytes: Uint8Array, at: number, to: number, asOne: boolean): PlainRecord | undefined {
    const length = readVarint(bytes, at, to);
    if (length === undefined || to - length.end <= length.value) return undefined;
    const keyEnd = length.end + length.value;
    const tagged = readVarint(bytes, keyEnd, to);
    if (tagged === undefined) return undefined;
    const kind = tagged.value % 4;
    const rest = Math.floor(tagged.value / 4);
    if (kind !== 0 && kind !== 2 && !asOne) throw new NotForKernelError('a value is not a number');
    const end = tagged.end + (kind === 0 ? 0 : kind === 2 ? DOUBLE_BYTES : rest);
    if (end > to) return undefined;
    let value = rest;
    if (asOne) value = 1;
    else if (kind === 2) value = new DataView(bytes.buffer, bytes.byteOffset).getFloat64(tagged.end, true);
    return new PlainRecord(textOfBytes(bytes, length.end, keyEnd), value, end);
  }
}

/** A character for each byte. */
export function textOfBytes(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at++) text += String.fromCharCode(bytes[at]!);
  return text;
}

/** Writes a record at `at` and returns its end; undefined if it does not fit. */
export function writeRecord(bytes: Uint8Array, at: number, key: string, value: number): number | undefined {
  if (at + key.length + 2 * VARINT_BYTES_MAX + DOUBLE_BYTES > bytes.length) return undefined;
  let end = writeVarint(bytes, at, key.length);
  for (let index = 0; index < key.length; index++) bytes[end++] = key.charCodeAt(index);
  if (value >= 0 && value <= INTEGER_MAX && Number.isInteger(value))
    return writeVarint(bytes, end, 4 * value);
  end = writeVarint(bytes, end, 2);
  new DataView(bytes.buffer, bytes.byteOffset).setFloat64(end, value, true);
  return end + DOUBLE_BYTES;
}

/** MurmurHash3_x86_32 (Austin Appleby, SMHasher, public domain), seed 0. */
export function murmur3(key: string): number {
  let hash = 0;
  const whole = key.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    hash = rotate(hash ^ scramble(block(key, at, 4)), 13);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  if (whole < key.length) hash ^= scramble(block(key, whole, key.length - whole));
  hash ^= key.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function block(key: string, at: number, bytes: number): number {
  let word = 0;
  for (let index = 0; index < bytes; index++) word |= key.charCodeAt(at + index) << (8 * index);
  return word;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function scramble(word: number): number {
  return Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
}

function readVarint(bytes: Uint8Array, at: number, to: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let index = 0; index < VARINT_BYTES_MAX && at + index < to; index++) {
    const byte = bytes[at + index]!;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: at + index + 1 };
  }
  return undefined;
}

function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let end = at;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[end++] = (rest % 0x80) | 0x80;
  bytes[end++] = rest;
  return end;
}
