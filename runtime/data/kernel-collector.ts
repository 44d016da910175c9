/**
 * Takes the pairs of a map task into the kernel, for jobs whose keys are combined by a known function: the fast place
 * for what `emit` is given.
 *
 * This code runs for every pair that a job emits; it makes no objects and calls nothing in the common case, a short key.
 */
import type { Collector } from '../../jobs/collector.js';
import { canonicalKey, canonicalValue } from '../../jobs/values.js';
import { KEY_BYTES_MAX } from '../../kernel/kernel.js';
import { KernelRecords, SHORT } from './kernel-records.js';

const UTF8_BYTES_PER_UNIT_MAX = 3;

export class KernelCollector extends KernelRecords implements Collector {
  add(key: string, value: unknown): void {
    if (typeof key !== 'string' || key.length >= SHORT || !Number.isFinite(value)) {
      this.#addOdd(key, value);
      return;
    }
    const { bytes } = this;
    const start = this.at;
    const { length } = key;
    let at = start + 1;
    for (let index = 0; index < length; index++) {
      const unit = key.charCodeAt(index);
      if (unit < 0x80) {
        bytes[at++] = unit;
      } else if (unit < 0x800) {
        bytes[at++] = 0xc0 | (unit >> 6);
        bytes[at++] = 0x80 | (unit & 0x3f);
      } else if (unit < 0xd800 || unit > 0xdfff) {
        bytes[at++] = 0xe0 | (unit >> 12);
        bytes[at++] = 0x80 | ((unit >> 6) & 0x3f);
        bytes[at++] = 0x80 | (unit & 0x3f);
      } else {
        this.#addOdd(key, value); // a surrogate
        return;
      }
    }
    const keyBytes = at - start - 1;
    if (keyBytes >= SHORT) {
      this.#addOdd(key, value);
      return;
    }
    bytes[start] = keyBytes;
    this.endRecord(at, value as number);
  }

  /** Any key and value; the general lane has the words for what is wrong with them. */
  #addOdd(spelling: string, value: unknown): void {
    const key = canonicalKey(spelling);
    if (typeof value !== 'number') throw this.refusal('a value is not a number');
    if (key.length * UTF8_BYTES_PER_UNIT_MAX > KEY_BYTES_MAX) throw this.refusal('a key is very long');
    const finite = canonicalValue(value, key) as number;
    // What has gathered, and this record: far less than the kernel's input holds.
    const keyBytes = Buffer.from(key);
    const at = this.writeLength(keyBytes.length);
    this.bytes.set(keyBytes, at);
    this.endRecord(at + keyBytes.length, finite);
  }
}
