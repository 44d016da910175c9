/**
 * Values as small integers. A world is many parts, each of which takes few different values; so a global state is a short
 * vector of numbers, and whatever is computed from a part's value is computed once (collapse compression: Holzmann, State
 * Compression in SPIN, 1997).
 */
import { same } from '../../same.js';
import { hashOf, renamed } from './plain.js';

/** Different values, numbered from 0 in the order in which they were met. They are never changed. */
export class Table<T> {
  readonly values: T[] = [];
  /** By hash the last value that had it, and for each value the one of the same hash before it. */
  readonly #last = new Map<number, number>();
  readonly #before: (number | undefined)[] = [];
  readonly #renamed: Map<ReadonlyMap<string, string>, number[]> = new Map();
  readonly #keep: (value: T) => T;

  /** `keep` makes of a new value what is kept of it; then both must be equal. */
  constructor(keep: (value: T) => T = (value) => value) {
    this.#keep = keep;
  }

  numberOf(value: T): number {
    const hash = hashOf(value);
    const last = this.#last.get(hash);
    for (let number = last; number !== undefined; number = this.#before[number]) {
      if (same(this.values[number], value)) return number;
    }
    const number = this.values.length;
    this.values.push(this.#keep(value));
    this.#before.push(last);
    this.#last.set(hash, number);
    return number;
  }

  value(number: number): T {
    return this.values[number]!;
  }

  /** The number of the same value with other names in it. `tidy` puts right what an order of names has put wrong. */
  renamed(number: number, names: ReadonlyMap<string, string>, tidy?: (value: T) => T): number {
    let numbers = this.#renamed.get(names);
    if (!numbers) this.#renamed.set(names, (numbers = []));
    const known = numbers[number];
    if (known !== undefined) return known;
    const value = renamed(this.value(number), names);
    return (numbers[number] = this.numberOf(tidy ? tidy(value) : value));
  }
}

/** A function of two small integers that is computed once for each pair. */
export class Memo<R> {
  readonly #rows: Map<number, R>[] = [];
  readonly #compute: (first: number, second: number) => R;
  /** Pairs known. */
  size = 0;

  constructor(compute: (first: number, second: number) => R) {
    this.#compute = compute;
  }

  get(first: number, second: number): R {
    const row = (this.#rows[first] ??= new Map());
    const known = row.get(second);
    if (known !== undefined) return known;
    const result = this.#compute(first, second);
    row.set(second, result);
    this.size++;
    return result;
  }
}

/** A part of the world: its values, and what each change makes of them. */
export class Part<T, C> {
  readonly values = new Table<T>();
  readonly changes = new Table<C>();
  readonly #memo: Memo<number>;

  constructor(change: (value: T, change: C) => T) {
    this.#memo = new Memo((value, number) =>
      this.values.numberOf(change(this.values.value(value), this.changes.value(number))),
    );
  }

  changed(value: number, change: number): number {
    return this.#memo.get(value, change);
  }
}
