/**
 * The kernel in plain TypeScript: what the WebAssembly module must give, said as simply as possible, and what runs where
 * there is no WebAssembly.
 *
 * Keys are kept as strings with one character for each byte, so that the order of strings is that of bytes.
 */

import { bytesOf, byteText } from './byte-text.js';
import {
  BUFFER_BYTES,
  type Encoded,
  KEY_BYTES_MAX,
  type Kernel,
  type KernelShape,
  type MergeOutput,
  type MergeShape,
  type MergeStep,
  NotForKernelError,
  type Operation,
  type Taken,
  type WordKind,
  type Written,
} from './kernel.js';
import { murmur3, PlainRecord, textOfBytes, writeRecord } from './plain-records.js';

const KEY_COST = 168;
/** Keys up to this length are encoded before the others. */
const SHORT_BYTES = 7;
/** What a record takes at most beside its key. */
const RECORD_BYTES_MAX = 26;
const LINE_FEED = 10;
const WORDS: Readonly<Record<WordKind, RegExp>> = { letters: /\p{L}+/gu, whitespace: /\S+/g };

interface Entry {
  readonly key: string;
  value: number;
  records: number;
}

interface Source {
  readonly window: Uint8Array;
  at: number;
  end: number;
  isLast: boolean;
  record: PlainRecord | undefined;
}

export class PlainKernel implements Kernel {
  readonly input = new Uint8Array(BUFFER_BYTES);
  readonly output = new Uint8Array(BUFFER_BYTES);
  full = false;

  #operation: Operation = 'sum';
  #budgetBytes = 0;
  #partitions = 1;
  readonly #table = new Map<string, Entry>();
  #countedBytes = 0;
  #encoded: Encoded[] = [];
  #arranged: Entry[][] = [];
  #written = -1;
  #next = 0;
  readonly #sources: Source[] = [];
  #mergeOutput: MergeOutput = { as: 'records', combined: true };
  #current: Entry | undefined;
  #heaviest: Entry | undefined;
  #outputEnd = 0;
  #in = 0;
  #out = 0;

  get keys(): number {
    return this.#table.size;
  }

  open({ operation, budgetBytes, partitions }: KernelShape): void {
    this.#operation = operation;
    this.#budgetBytes = budgetBytes;
    this.#partitions = partitions;
    this.clear();
  }

  clear(): void {
    this.#table.clear();
    this.#countedBytes = 0;
    this.full = false;
  }

  countLineFeeds(from: number, to: number): number {
    let count = 0;
    for (let at = from; at < to; at++) if (this.input[at] === LINE_FEED) count++;
    return count;
  }

  countWords(kind: WordKind, from: number, to: number): Taken {
    const text = utf8Text(this.input, from, to);
    let count = 0;
    let next = from;
    let units = 0;
    for (const match of text.matchAll(WORDS[kind])) {
      const word = byteText(match[0]);
      next += byteText(text.slice(units, match.index)).length + word.length;
      units = match.index + match[0].length;
      this.#add(word, 1);
      count++;
      if (this.full) return { next, count };
    }
    return { next: to, count };
  }

  readRecords(from: number, to: number): Taken {
    let next = from;
    let count = 0;
    for (;;) {
      const record = PlainRecord.read(this.input, next, to, this.#operation === 'count');
      if (record === undefined) return { next, count };
      this.#add(record.key, record.value);
      next = record.end;
      count++;
      if (this.full) return { next, count };
    }
  }

  encode(): void {
    const entries = [...this.#table.values()];
    const short = entries.filter(({ key }) => key.length <= SHORT_BYTES);
    const others = entries.filter(({ key }) => key.length > SHORT_BYTES);
    this.#encoded = this.#byPartition([...short, ...others]).map(encodeAll);
  }

  encoded(partition: number): Encoded {
    return this.#encoded[partition]!;
  }

  arrange(): void {
    this.#arranged = this.#byPartition(this.#table.values());
    for (const entries of this.#arranged) entries.sort(byKey);
    this.#written = -1;
  }

  #byPartition(entries: Iterable<Entry>): Entry[][] {
    const partitions: Entry[][] = Array.from({ length: this.#partitions }, () => []);
    for (const entry of entries) {
      partitions[this.#partitions === 1 ? 0 : murmur3(entry.key) % this.#partitions]!.push(entry);
    }
    return partitions;
  }

  writeRecords(partition: number, from: number): Written {
    const entries = this.#arranged[partition]!;
    if (partition !== this.#written) this.#next = 0;
    this.#written = partition;
    let end = from;
    let records = 0;
    for (; this.#next < entries.length; this.#next++) {
      const { key, value } = entries[this.#next]!;
      const after = writeRecord(this.output, end, key, finite(value));
      if (after === undefined) return { end, records, done: false };
      end = after;
      records++;
    }
    return { end, records, done: true };
  }

  sortLines(): void {
    this.#arranged = [[...this.#table.values()].sort(byKey)];
    this.#next = 0;
  }

  heaviest(): { key: Uint8Array; records: number } {
    let heaviest = this.#arranged[0]![0]!;
    for (const entry of this.#arranged[0]!) if (entry.records > heaviest.records) heaviest = entry;
    return { key: bytesOf(heaviest.key), records: heaviest.records };
  }

  writeLines(separator: number): number {
    const entries = this.#arranged[0]!;
    let end = 0;
    for (; this.#next < entries.length; this.#next++) {
      const line = lineOf(entries[this.#next]!, separator);
      if (end + line.length > BUFFER_BYTES) break;
      this.output.set(line, end);
      end += line.length;
    }
    return end;
  }

  openMerge({ operation, sources, windowBytes }: MergeShape): void {
    this.#operation = operation;
    this.#sources.length = 0;
    for (let source = 0; source < sources; source++) {
      const window = new Uint8Array(windowBytes);
      this.#sources.push({ window, at: 0, end: 0, isLast: false, record: undefined });
    }
  }

  beginMerge(output: MergeOutput): void {
    for (const source of this.#sources) Object.assign(source, { at: 0, end: 0, isLast: false });
    this.#mergeOutput = output;
    this.#current = undefined;
    this.#heaviest = undefined;
    this.#outputEnd = 0;
    this.#in = 0;
    this.#out = 0;
  }

  room(index: number): Uint8Array {
    const source = this.#sources[index]!;
    source.window.copyWithin(0, source.at, source.end);
    source.end -= source.at;
    source.at = 0;
    return source.window.subarray(source.end);
  }

  filled(index: number, bytes: number, isEnd: boolean): void {
    const source = this.#sources[index]!;
    source.end += bytes;
    source.isLast = isEnd;
  }

  merge(): MergeStep {
    for (;;) {
      const wanting = this.#sources.findIndex((source) => this.#look(source) === 'wants more');
      if (wanting >= 0) return { wants: 'source', source: wanting };
      const next = this.#smallest();
      const record = next?.record;
      const output = this.#mergeOutput;
      if (output.as === 'any records') {
        if (!next || !record) return { wants: 'nothing' };
        const bytes = next.window.subarray(next.at, record.end);
        if (this.#outputEnd + bytes.length > BUFFER_BYTES) return { wants: 'output' };
        this.output.set(bytes, this.#outputEnd);
        this.#outputEnd += bytes.length;
        this.#out++;
        this.#in++;
        next.at = record.end;
        continue;
      }
      const combined = output.as === 'lines' || output.combined;
      if (combined && this.#current && record && this.#current.key === record.key) {
        this.#current.value = this.#combine(this.#current.value, record.value);
        this.#current.records++;
      } else {
        if (this.#current && !this.#writeCurrent(this.#current)) return { wants: 'output' };
        this.#current = record && { key: record.key, value: record.value, records: 1 };
      }
      if (!next || !record) return { wants: 'nothing' };
      this.#in++;
      next.at = record.end;
    }
  }

  merged(): Uint8Array {
    const bytes = this.output.subarray(0, this.#outputEnd);
    this.#outputEnd = 0;
    return bytes;
  }

  mergedCounts(): { in: number; out: number } {
    return { in: this.#in, out: this.#out };
  }

  mergedHeaviest(): { key: Uint8Array; records: number } | undefined {
    const heaviest = this.#heaviest;
    return heaviest && { key: bytesOf(heaviest.key), records: heaviest.records };
  }

  #add(key: string, value: number): void {
    if (key.length > KEY_BYTES_MAX) throw new NotForKernelError('a key is very long');
    const entry = this.#table.get(key);
    if (entry) {
      entry.value = this.#combine(entry.value, value);
      entry.records++;
      return;
    }
    this.#table.set(key, { key, value, records: 1 });
    this.#countedBytes += KEY_COST + 2 * key.length;
    this.full = this.#countedBytes >= this.#budgetBytes;
  }

  #combine(a: number, b: number): number {
    switch (this.#operation) {
      case 'sum':
      case 'count':
        return a + b;
      case 'min':
        return b < a ? b : a;
      case 'max':
        return b > a ? b : a;
    }
  }

  /** Looks at a source's next record. */
  #look(source: Source): 'has one' | 'is done' | 'wants more' {
    const anyValue = this.#operation === 'count' || this.#mergeOutput.as === 'any records';
    source.record = PlainRecord.read(source.window, source.at, source.end, anyValue);
    const left = source.end - source.at;
    if (source.record !== undefined && source.record.key.length <= KEY_BYTES_MAX) return 'has one';
    if (source.isLast && left === 0) return 'is done';
    if (source.isLast || source.record !== undefined || left === source.window.length) {
      throw new NotForKernelError('a record that no kernel can take');
    }
    return 'wants more';
  }

  #smallest(): Source | undefined {
    let smallest: Source | undefined;
    for (const source of this.#sources) {
      if (source.record && (!smallest || source.record.key < smallest.record!.key)) smallest = source;
    }
    return smallest;
  }

  #writeCurrent(entry: Entry): boolean {
    const output = this.#mergeOutput;
    if (output.as !== 'lines') {
      const end = writeRecord(this.output, this.#outputEnd, entry.key, finite(entry.value));
      if (end === undefined) return false;
      this.#outputEnd = end;
    } else {
      const line = lineOf(entry, output.separator);
      if (this.#outputEnd + line.length > BUFFER_BYTES) return false;
      this.output.set(line, this.#outputEnd);
      this.#outputEnd += line.length;
      if (entry.records > (this.#heaviest?.records ?? 0)) this.#heaviest = entry;
    }
    this.#out++;
    return true;
  }
}

function encodeAll(entries: readonly Entry[]): Encoded {
  const bytes = new Uint8Array(entries.reduce((sum, { key }) => sum + key.length + RECORD_BYTES_MAX, 0));
  let end = 0;
  for (const { key, value } of entries) end = writeRecord(bytes, end, key, finite(value))!;
  return { bytes: bytes.subarray(0, end), records: entries.length };
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new NotForKernelError('a sum is not a finite number');
}

function byKey(a: Entry, b: Entry): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

const SPECIAL = /[\\\t\n\r]/g;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function lineOf({ key, value }: Entry, separator: number): Uint8Array {
  const escaped = key.replace(SPECIAL, (special) => ESCAPES[special]!);
  return bytesOf(`${escaped}${String.fromCharCode(separator)}${value}\n`);
}

function utf8Text(bytes: Uint8Array, from: number, to: number): string {
  return decodeURIComponent(escape(textOfBytes(bytes, from, to)));
}
