/**
 * The yardstick of the explorer: a small MapReduce as a packed machine, the same as a TLA+ module of it, so that counts
 * can be held against other model checkers. A master assigns tasks to workers over a network that is a set of messages;
 * workers crash and restart; the master gives up on an attempt at any time and takes a late word of it for what it is.
 *
 * A state is three words: tasks (8 bits each: state, attempts, owner, commits), workers up and crashes so far; messages
 * `do` under way; messages `done` under way. A message is one bit.
 */
import { type Model, Successors } from './model.js';
import { orders } from './orders.js';

export interface YardstickSize {
  /** At most 3. */
  readonly tasks: number;
  /** At most 3. */
  readonly workers: number;
  /** Of one task; at most 3, and tasks × workers × attempts at most 31. */
  readonly attempts: number;
  /** At most 3. */
  readonly crashes: number;
  /** A late or repeated word is taken for a result: the bug that the rule `once` is there for. */
  readonly acceptsLate?: boolean;
}

/** States of a task. */
const idle = 0;
const running = 1;
const done = 2;

const attemptShift = 2;
const ownerShift = 4;
const commitShift = 6;
const upShift = 24;
const crashShift = 27;

interface Message {
  readonly task: number;
  readonly worker: number;
  readonly attempt: number;
}

export interface YardstickOptions {
  readonly symmetry?: boolean;
}

export function yardstick(size: YardstickSize, options: YardstickOptions = {}): Model {
  const machine = new Yardstick(size);
  if (!options.symmetry) return machine;
  const permutations = permutationsOf(size, machine.messages);
  return {
    words: machine.words,
    ampleEnds: machine.ampleEnds,
    initial: (out) => machine.initial(out),
    expand: (states, offset, out) => machine.expand(states, offset, out),
    broken: (states, offset) => machine.broken(states, offset),
    describe: (states, offset, ordinal) => machine.describe(states, offset, ordinal),
    canonical: (states, offset) => toLeast(permutations, states, offset),
  };
}

class Yardstick implements Model {
  readonly words = 3;
  /** An order becomes a report, a late report goes: fewer messages each time. */
  readonly ampleEnds = true;
  readonly messages: readonly Message[];
  readonly #size: YardstickSize;
  /** Messages to or from a worker, as a set of bits. */
  readonly #ofWorker: readonly number[];

  constructor(size: YardstickSize) {
    this.#size = size;
    const messages: Message[] = [];
    for (let task = 0; task < size.tasks; task++) {
      for (let worker = 0; worker < size.workers; worker++) {
        for (let attempt = 1; attempt <= size.attempts; attempt++) messages.push({ task, worker, attempt });
      }
    }
    this.messages = messages;
    this.#ofWorker = Array.from({ length: size.workers }, (_, worker) =>
      messages.reduce((bits, message, index) => (message.worker === worker ? bits | (1 << index) : bits), 0),
    );
  }

  initial(out: Successors): void {
    put(out, ((1 << this.#size.workers) - 1) << upShift, 0, 0);
  }

  expand(states: Int32Array, offset: number, out: Successors): void {
    const books = states[offset]!;
    const orders = states[offset + 1]!;
    const reports = states[offset + 2]!;
    const order = this.#freeOrder(books, orders);
    const report = order === 0 ? this.#lateReport(books, reports) : 0;
    this.#hear(books, orders, reports, order, report, out);
    out.ample = out.count;
    this.#hear(books, orders, reports, orders & ~order, reports & ~report, out);
    this.#lead(books, orders, reports, out);
    this.#fail(books, orders, reports, out);
  }

  broken(states: Int32Array, offset: number): string | undefined {
    for (let task = 0; task < this.#size.tasks; task++) {
      const commits = (states[offset]! >> (8 * task + commitShift)) & 3;
      if (commits > 1) return `once: task ${task + 1} is committed ${commits} times`;
    }
    return undefined;
  }

  /** Told from what has changed. */
  describe(states: Int32Array, offset: number, ordinal: number): string {
    const out = new Successors(3);
    this.expand(states, offset, out);
    const [books, orders, reports] = out.data.subarray(3 * ordinal, 3 * ordinal + 3) as unknown as number[];
    const before = states[offset]!;
    const ups = ((books! ^ before) >> upShift) & 7;
    if (ups !== 0)
      return `worker ${bitIndex(ups) + 1} ${((books! >> upShift) & ups) !== 0 ? 'restarts' : 'crashes'}`;
    if (reports !== states[offset + 2]!) {
      const { task, worker, attempt } = this.messages[bitIndex(reports! ^ states[offset + 2]!)]!;
      const what = `attempt ${attempt} of task ${task + 1}`;
      if (orders !== states[offset + 1]!) return `worker ${worker + 1} does ${what}`;
      const taken = books === before ? 'refuses' : 'commits';
      return `the master ${taken} ${what} of worker ${worker + 1}`;
    }
    const task = this.#changedTask(books! ^ before);
    const byte = books! >> (8 * task);
    if ((byte & 3) === idle) return `the master gives up on task ${task + 1}`;
    return `the master assigns task ${task + 1} to worker ${(byte >> ownerShift) & 3}`;
  }

  #changedTask(changed: number): number {
    let task = 0;
    while (((changed >> (8 * task)) & 255) === 0) task++;
    return task;
  }

  /** An order that nothing can take away any more: its worker is up and nobody may crash. One bit, or 0. */
  #freeOrder(books: number, orders: number): number {
    if (books >>> crashShift < this.#size.crashes) return 0;
    for (let rest = orders; rest !== 0; rest &= rest - 1) {
      const bit = rest & -rest;
      if ((books >> (upShift + this.messages[bitIndex(bit)]!.worker)) & 1) return bit;
    }
    return 0;
  }

  /** A report that can never count any more: hearing it changes nothing but the network. One bit, or 0. */
  #lateReport(books: number, reports: number): number {
    if (this.#size.acceptsLate) return 0;
    for (let rest = reports; rest !== 0; rest &= rest - 1) {
      const bit = rest & -rest;
      const { task, attempt } = this.messages[bitIndex(bit)]!;
      const byte = books >> (8 * task);
      if ((byte & 3) !== running || ((byte >> attemptShift) & 3) !== attempt) return bit;
    }
    return 0;
  }

  /** Workers do what they are ordered to; the master hears what was done. Only of the messages in the two sets. */
  #hear(books: number, orders: number, reports: number, some: number, others: number, out: Successors): void {
    for (let rest = some; rest !== 0; rest &= rest - 1) {
      const bit = rest & -rest;
      if (((books >> (upShift + this.messages[bitIndex(bit)]!.worker)) & 1) === 0) continue;
      put(out, books, orders & ~bit, reports | bit);
    }
    for (let rest = others; rest !== 0; rest &= rest - 1) {
      const bit = rest & -rest;
      const { task, attempt } = this.messages[bitIndex(bit)]!;
      const byte = books >> (8 * task);
      const counts = (byte & 3) === running && ((byte >> attemptShift) & 3) === attempt;
      put(out, counts || this.#size.acceptsLate ? committed(books, task) : books, orders, reports & ~bit);
    }
  }

  /** The master assigns what is idle to who is up and free, and gives up on what runs. */
  #lead(books: number, orders: number, reports: number, out: Successors): void {
    const { tasks, workers, attempts } = this.#size;
    let free = (books >> upShift) & ((1 << workers) - 1);
    for (let task = 0; task < tasks; task++) {
      const byte = books >> (8 * task);
      if ((byte & 3) === running) free &= ~(1 << (((byte >> ownerShift) & 3) - 1));
    }
    for (let task = 0; task < tasks; task++) {
      const byte = (books >> (8 * task)) & 255;
      const attempt = (byte >> attemptShift) & 3;
      const state = byte & 3;
      if (attempt === attempts || state === done) continue;
      const others = books & ~(255 << (8 * task));
      const kept = byte & (3 << commitShift);
      if (state === running) {
        put(out, others | ((kept | (attempt << attemptShift) | idle) << (8 * task)), orders, reports);
        continue;
      }
      for (let worker = 0; worker < workers; worker++) {
        if (((free >> worker) & 1) === 0) continue;
        const next = kept | ((worker + 1) << ownerShift) | ((attempt + 1) << attemptShift) | running;
        const bit = 1 << ((task * workers + worker) * attempts + attempt);
        put(out, others | (next << (8 * task)), orders | bit, reports);
      }
    }
  }

  #fail(books: number, orders: number, reports: number, out: Successors): void {
    const crashes = books >>> crashShift;
    for (let worker = 0; worker < this.#size.workers; worker++) {
      const up = 1 << (upShift + worker);
      if ((books & up) === 0) put(out, books | up, orders, reports);
      else if (crashes < this.#size.crashes) {
        put(out, (books & ~up) + (1 << crashShift), orders & ~this.#ofWorker[worker]!, reports);
      }
    }
  }
}

function committed(books: number, task: number): number {
  const byte = (books >> (8 * task)) & 255;
  const next = (byte & ~3) + (1 << commitShift) + done;
  return (books & ~(255 << (8 * task))) | (next << (8 * task));
}

function put(out: Successors, books: number, orders: number, reports: number): void {
  const at = out.push();
  const { data } = out;
  data[at] = books;
  data[at + 1] = orders;
  data[at + 2] = reports;
}

function bitIndex(bit: number): number {
  return 31 - Math.clz32(bit);
}

// ---- symmetry ---------------------------------------------------------------------------------------------------

/** Renames tasks and workers. */
interface Permutation {
  /** New place of each task, new number of each worker. */
  readonly tasks: readonly number[];
  readonly workers: readonly number[];
  /** Where a set of messages goes, by chunks of 8 bits: index chunk × 256 + bits. */
  readonly messages: Int32Array;
}

function permutationsOf(size: YardstickSize, messages: readonly Message[]): Permutation[] {
  const index = ({ task, worker, attempt }: Message): number =>
    (task * size.workers + worker) * size.attempts + attempt - 1;
  return orders(size.tasks).flatMap((tasks) =>
    orders(size.workers).map((workers) => {
      const moved = messages.map((message) =>
        index({ ...message, task: tasks[message.task]!, worker: workers[message.worker]! }),
      );
      const table = new Int32Array(4 * 256);
      for (let at = 0; at < table.length; at++) {
        for (let bit = 0; bit < 8; bit++) {
          const to = moved[(at >> 8) * 8 + bit];
          if ((at >> bit) & 1 && to !== undefined) table[at]! |= 1 << to;
        }
      }
      return { tasks, workers, messages: table };
    }),
  );
}

/** The least of all renamed states stands for them all. */
function toLeast(permutations: readonly Permutation[], states: Int32Array, offset: number): void {
  const books = states[offset]!;
  const told = states[offset + 1]!;
  const reports = states[offset + 2]!;
  let [leastBooks, leastOrders, leastReports] = [books, told, reports];
  for (const permutation of permutations) {
    const first = renamedBooks(permutation, books);
    if (first > leastBooks) continue;
    const second = renamedMessages(permutation.messages, told);
    if (first === leastBooks && second > leastOrders) continue;
    const third = renamedMessages(permutation.messages, reports);
    if (first === leastBooks && second === leastOrders && third >= leastReports) continue;
    [leastBooks, leastOrders, leastReports] = [first, second, third];
  }
  states[offset] = leastBooks;
  states[offset + 1] = leastOrders;
  states[offset + 2] = leastReports;
}

function renamedBooks({ tasks, workers }: Permutation, books: number): number {
  let renamed = (books >>> crashShift) << crashShift;
  for (let task = 0; task < tasks.length; task++) {
    const byte = (books >> (8 * task)) & 255;
    const owner = (byte >> ownerShift) & 3;
    const next = owner === 0 ? byte : (byte & ~(3 << ownerShift)) | ((workers[owner - 1]! + 1) << ownerShift);
    renamed |= next << (8 * tasks[task]!);
  }
  for (let worker = 0; worker < workers.length; worker++) {
    renamed |= ((books >> (upShift + worker)) & 1) << (upShift + workers[worker]!);
  }
  return renamed;
}

function renamedMessages(table: Int32Array, bits: number): number {
  return (
    table[bits & 255]! |
    table[256 + ((bits >> 8) & 255)]! |
    table[512 + ((bits >> 16) & 255)]! |
    table[768 + ((bits >> 24) & 255)]!
  );
}
