/**
 * Merging sorted records, one at a time: nothing here holds more than one record per source.
 *
 * The order is (key by UTF-8 bytes, the job's order of values if it has one, index of the source, order within the
 * source). Whoever lists the sources in map
 * order thus hands values to `reduce` in (map, emission) order, whatever the order in which they arrived.
 */
import type { Job, KeyValue } from './types.js';
import { compareUtf8 } from './utf8.js';
import { canonicalValue } from './values.js';

/** The job's order of the values of one key. */
export type ValueOrder = Job['orderValues'];

/** All records of the sources, each of which must be sorted the same way. A binary heap of the sources' heads. */
export function* mergeRecords(
  sources: readonly Iterator<KeyValue>[],
  orderValues?: ValueOrder,
): Generator<KeyValue, void, undefined> {
  const heap = new HeadHeap(orderValues);
  for (const [index, source] of sources.entries()) {
    const first = source.next();
    if (!first.done) heap.push({ source, index, record: first.value });
  }
  for (let head = heap.top; head !== undefined; head = heap.top) {
    const { record } = head;
    const following = head.source.next();
    if (following.done) heap.removeTop();
    else {
      head.record = following.value;
      heap.sinkTop();
    }
    yield record;
  }
}

/** One key and its values, which are read from the underlying records as they are asked for: once, and in time. */
export interface StreamedGroup {
  readonly key: string;
  readonly values: Iterable<unknown>;
}

/** Sorted records by key. A group's unread values are skipped when the next group is asked for. */
export function* groups(records: Iterator<KeyValue>): Generator<StreamedGroup, void, undefined> {
  let head = records.next();
  while (!head.done) {
    const key = head.value[0];
    let current = true;
    const values: IterableIterator<unknown> = {
      [Symbol.iterator]: () => values,
      next() {
        if (!current || head.done || head.value[0] !== key) return { done: true, value: undefined };
        const value = head.value[1];
        head = records.next();
        return { done: false, value };
      },
    };
    yield { key, values };
    while (!head.done && head.value[0] === key) head = records.next();
    current = false;
  }
}

/**
 * The runs of one map task as one sorted stream. A key that lies in several runs is combined once more; it has one
 * value per run then, so that collecting them is cheap.
 */
export function combineRuns(
  runs: readonly Iterator<KeyValue>[],
  combine: Job['combine'],
  orderValues?: ValueOrder,
): Generator<KeyValue, void, undefined> {
  const merged = mergeRecords(runs, orderValues);
  return combine === undefined ? merged : combineRecords(merged, combine);
}

/** Sorted records, those of one key combined. Most keys of most runs have one value, which goes through as it is. */
export function* combineRecords(
  records: Iterator<KeyValue>,
  combine: NonNullable<Job['combine']>,
): Generator<KeyValue, void, undefined> {
  let head = records.next();
  while (!head.done) {
    const first = head.value;
    const key = first[0];
    head = records.next();
    if (head.done || head.value[0] !== key) {
      yield first;
      continue;
    }
    const values = [first[1]];
    for (; !head.done && head.value[0] === key; head = records.next()) values.push(head.value[1]);
    yield [key, canonicalValue(combine(key, values), key)];
  }
}

interface Head {
  readonly source: Iterator<KeyValue>;
  readonly index: number;
  record: KeyValue;
}

class HeadHeap {
  readonly #heads: Head[] = [];
  readonly #orderValues: ValueOrder;

  constructor(orderValues: ValueOrder) {
    this.#orderValues = orderValues;
  }

  get top(): Head | undefined {
    return this.#heads[0];
  }

  push(head: Head): void {
    let at = this.#heads.length;
    this.#heads.push(head);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(head, this.#heads[parent]!)) break;
      this.#heads[at] = this.#heads[parent]!;
      at = parent;
    }
    this.#heads[at] = head;
  }

  removeTop(): void {
    const last = this.#heads.pop()!;
    if (this.#heads.length === 0) return;
    this.#heads[0] = last;
    this.sinkTop();
  }

  /** Restores the order after the top's record was replaced. */
  sinkTop(): void {
    const heads = this.#heads;
    const head = heads[0]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heads.length) break;
      if (child + 1 < heads.length && this.#before(heads[child + 1]!, heads[child]!)) child++;
      if (!this.#before(heads[child]!, head)) break;
      heads[at] = heads[child]!;
      at = child;
    }
    heads[at] = head;
  }

  #before(a: Head, b: Head): boolean {
    const byKey = compareUtf8(a.record[0], b.record[0]);
    if (byKey !== 0) return byKey < 0;
    const byValue = this.#orderValues?.(a.record[1], b.record[1]) ?? 0;
    return byValue !== 0 ? byValue < 0 : a.index < b.index;
  }
}
