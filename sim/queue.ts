/**
 * What is to happen, ordered by (time, sequence): a binary heap of typed arrays, whose entries are slots of a pool that
 * is used again and again. An entry is a small integer kind with two subjects; what a kind means is its owner's business.
 * An entry can be moved by its handle, so that a timer that is set again and again remains one entry.
 */

/** Entries for which there is room at first; doubled when it is used up. */
const roomAtFirst = 64;

export class EventQueue {
  /** Of the entry that `pop` has taken last. */
  subject: unknown;
  owner: unknown;
  #size = 0;
  #sequence = 0;
  // The heap: time, sequence and slot, by position.
  #times = new Float64Array(roomAtFirst);
  #sequences = new Float64Array(roomAtFirst);
  #slots = new Int32Array(roomAtFirst);
  // The pool, by slot.
  #positions = new Int32Array(roomAtFirst);
  #kinds = new Uint8Array(roomAtFirst);
  readonly #subjects: unknown[] = [];
  readonly #owners: unknown[] = [];
  /** Slots that were used and are free. */
  readonly #free: number[] = [];
  #slotsUsed = 0;

  get size(): number {
    return this.#size;
  }

  /** Time of the earliest, in microseconds; Infinity when nothing is left. */
  get nextUs(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#times[0]!;
  }

  /** Returns a handle, good until the entry is popped. `kind` is 0 to 255. */
  push(atUs: number, kind: number, subject: unknown, owner?: unknown): number {
    const slot = this.#free.pop() ?? this.#slotsUsed++;
    if (slot >= this.#kinds.length) this.#grow();
    this.#kinds[slot] = kind;
    this.#subjects[slot] = subject;
    this.#owners[slot] = owner;
    this.#rise(this.#size++, atUs, this.#sequence++, slot);
    return slot;
  }

  /** Gives an entry another time; among those of that time it comes last. */
  move(handle: number, atUs: number): void {
    const position = this.#positions[handle]!;
    const earlier = atUs < this.#times[position]!;
    const sequence = this.#sequence++;
    if (earlier) this.#rise(position, atUs, sequence, handle);
    else this.#sink(position, atUs, sequence, handle);
  }

  /** Takes the earliest and returns its kind, with its subjects in `subject` and `owner`; -1 when nothing is left. */
  pop(): number {
    if (this.#size === 0) return -1;
    const slot = this.#slots[0]!;
    this.subject = this.#subjects[slot];
    this.owner = this.#owners[slot];
    this.#subjects[slot] = undefined;
    this.#owners[slot] = undefined;
    this.#free.push(slot);
    const last = --this.#size;
    if (last > 0) this.#sink(0, this.#times[last]!, this.#sequences[last]!, this.#slots[last]!);
    return this.#kinds[slot]!;
  }

  /** The hole at `position` moves up until the entry fits. A new entry comes after all of its time. */
  #rise(position: number, atUs: number, sequence: number, slot: number): void {
    let hole = position;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (this.#times[parent]! <= atUs) break;
      this.#place(hole, this.#times[parent]!, this.#sequences[parent]!, this.#slots[parent]!);
      hole = parent;
    }
    this.#place(hole, atUs, sequence, slot);
  }

  #sink(position: number, atUs: number, sequence: number, slot: number): void {
    const size = this.#size;
    let hole = position;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#isBefore(child + 1, this.#times[child]!, this.#sequences[child]!))
        child++;
      if (!this.#isBefore(child, atUs, sequence)) break;
      this.#place(hole, this.#times[child]!, this.#sequences[child]!, this.#slots[child]!);
      hole = child;
    }
    this.#place(hole, atUs, sequence, slot);
  }

  #isBefore(position: number, atUs: number, sequence: number): boolean {
    const other = this.#times[position]!;
    return other < atUs || (other === atUs && this.#sequences[position]! < sequence);
  }

  #place(position: number, atUs: number, sequence: number, slot: number): void {
    this.#times[position] = atUs;
    this.#sequences[position] = sequence;
    this.#slots[position] = slot;
    this.#positions[slot] = position;
  }

  #grow(): void {
    const room = 2 * this.#kinds.length;
    const copy = <A extends Float64Array | Int32Array | Uint8Array>(to: A, from: A): A => {
      to.set(from);
      return to;
    };
    this.#times = copy(new Float64Array(room), this.#times);
    this.#sequences = copy(new Float64Array(room), this.#sequences);
    this.#slots = copy(new Int32Array(room), this.#slots);
    this.#positions = copy(new Int32Array(room), this.#positions);
    this.#kinds = copy(new Uint8Array(room), this.#kinds);
  }
}
