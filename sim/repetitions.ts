/**
 * How often each key has come: a table with open addressing, twice as long as it is full at most. A message about an
 * attempt mostly comes once, so that nearly every key is a new one: what counts is the price of that.
 */

const placesAtFirst = 8;

export class Repetitions {
  #keys: number[] = emptyTable(placesAtFirst);
  /** 0 where no key stands. */
  #counts: number[] = emptyTable(placesAtFirst);
  #known = 0;

  /** How often the key, a 32-bit integer that is mixed well, has come before; counts this time. */
  next(key: number): number {
    const place = this.#find(key);
    const before = this.#counts[place]!;
    this.#counts[place] = before + 1;
    if (before === 0) {
      this.#keys[place] = key;
      if (2 * ++this.#known > this.#keys.length) this.#grow();
    }
    return before;
  }

  /** The key's place, or the one that it may take. */
  #find(key: number): number {
    const last = this.#keys.length - 1;
    let place = key & last;
    while (this.#counts[place] !== 0 && this.#keys[place] !== key) place = (place + 1) & last;
    return place;
  }

  #grow(): void {
    const keys = this.#keys;
    const counts = this.#counts;
    this.#keys = emptyTable(2 * keys.length);
    this.#counts = emptyTable(2 * keys.length);
    for (let from = 0; from < keys.length; from++) {
      if (counts[from] === 0) continue;
      const place = this.#find(keys[from]!);
      this.#keys[place] = keys[from]!;
      this.#counts[place] = counts[from]!;
    }
  }
}

function emptyTable(places: number): number[] {
  return new Array<number>(places).fill(0);
}
