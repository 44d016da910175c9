/**
 * Breadth-first exploration of a model: every state once, level by level, so that the first broken rule is reached by a
 * shortest path.
 *
 * Counted as TLC does: `generated` are the initial states and all successors, repetitions included; `distinct` are those
 * that differ. Reduction by ample sets: a state is expanded by its ample steps alone when one of these leads to a state
 * that is new, so that no step is put off for ever on a cycle. That is a strong form of condition C3, good for
 * breadth-first search: Bošnački and Holzmann, Improving Spin's Partial-Order Reduction for Breadth-First Search, SPIN 2005.
 */
import { doubled, type Model, Successors } from './model.js';
import { StateSet, takeFingerprint } from './state-set.js';

export interface ExploreOptions {
  /** Whole states are compared, and so kept. */
  readonly exact?: boolean;
  /** No ample sets: every step of every state. */
  readonly noReduction?: boolean;
  /** More distinct states than this are not looked at. */
  readonly statesMax?: number;
  /** Bytes that tables and states may take. */
  readonly memoryMax?: number;
  /** Called now and then. */
  readonly onProgress?: (counts: Counts) => void;
}

export interface Counts {
  readonly generated: number;
  readonly distinct: number;
  /** Steps from an initial state to the farthest. */
  readonly depth: number;
  /** States of which only an ample set of steps was taken. */
  readonly reduced: number;
  /** Distinct states without any step. */
  readonly terminal: number;
  /** Distinct states known and not expanded yet. */
  readonly waiting: number;
}

export interface Exploration extends Counts {
  /** `holds`: all states were seen and none breaks a rule. `inconclusive`: a limit came first. */
  readonly verdict: 'holds' | 'broken' | 'inconclusive';
  readonly limit?: 'states' | 'memory';
  readonly bytes: number;
  readonly counterexample?: Counterexample;
}

export interface Counterexample {
  /** What is broken. */
  readonly rule: string;
  readonly path: Path;
}

export interface Path {
  /** Of a concrete run, one state after another, `words` each: the initial one first. */
  readonly states: Int32Array;
  /** One fewer than states. */
  readonly steps: readonly string[];
  /** For each step the number among the successors of the state before it. */
  readonly ordinals: readonly number[];
}

const progressEvery = 1 << 15;
const memoryMaxDefault = 2 ** 31;
const statesMaxDefault = 2 ** 30;

export function explore(model: Model, options: ExploreOptions = {}): Exploration {
  return new Search(model, options).run();
}

class Search {
  readonly #model: Model;
  readonly #options: ExploreOptions;
  readonly #seen: StateSet;
  readonly #out: Successors;
  /** States from index `#base` on; with `exact` all of them. */
  #states: Int32Array;
  #base = 0;
  /** By index: the state from which it was reached first, -1 for an initial one, and the number of that step. */
  #parents: Int32Array = new Int32Array(1024);
  #ordinals: Int32Array = new Int32Array(1024);
  #head = 0;
  #tail = 0;
  #levelEnd = 0;
  #depth = 0;
  #generated = 0;
  #reduced = 0;
  #terminal = 0;
  #brokenAt = -1;

  constructor(model: Model, options: ExploreOptions) {
    this.#model = model;
    this.#options = options;
    this.#seen = new StateSet(options.exact ?? false);
    this.#out = new Successors(model.words);
    this.#states = new Int32Array(1024 * model.words);
  }

  run(): Exploration {
    this.#model.initial(this.#out);
    for (let ordinal = 0; ordinal < this.#out.count; ordinal++) this.#reach(ordinal, -1);
    this.#generated = this.#out.count;
    this.#levelEnd = this.#tail;
    const { statesMax = statesMaxDefault, memoryMax = memoryMaxDefault, onProgress } = this.#options;
    while (this.#head < this.#tail && this.#brokenAt < 0) {
      if (this.#head === this.#levelEnd) this.#nextLevel();
      this.#expand();
      if (this.#tail > statesMax) return this.#result('states');
      if (this.#head % 1024 === 0 && this.#bytesSoon() > memoryMax) return this.#result('memory');
      if (onProgress && this.#head % progressEvery === 0) onProgress(this.#counts());
    }
    return this.#result();
  }

  #nextLevel(): void {
    this.#depth++;
    this.#levelEnd = this.#tail;
    if (this.#options.exact) return;
    // What was expanded is known by its fingerprint: the rest moves to the front.
    const { words } = this.#model;
    this.#states.copyWithin(0, (this.#head - this.#base) * words, (this.#tail - this.#base) * words);
    this.#base = this.#head;
  }

  #expand(): void {
    const out = this.#out;
    const index = this.#head++;
    out.clear();
    this.#model.expand(this.#states, (index - this.#base) * this.#model.words, out);
    if (out.count === 0) this.#terminal++;
    const before = this.#tail;
    let ordinal = 0;
    if (out.ample > 0 && out.ample < out.count && !this.#options.noReduction) {
      for (; ordinal < out.ample; ordinal++) this.#reach(ordinal, index);
      if (this.#tail > before || this.#model.ampleEnds) {
        this.#generated += ordinal;
        this.#reduced++;
        return;
      }
    }
    for (; ordinal < out.count; ordinal++) this.#reach(ordinal, index);
    this.#generated += ordinal;
  }

  #reach(ordinal: number, parent: number): void {
    const model = this.#model;
    const { words } = model;
    const { data } = this.#out;
    const from = ordinal * words;
    model.canonical?.(data, from);
    takeFingerprint(data, from, words);
    if (this.#seen.add(this.#options.exact ? (index) => this.#isState(index, from) : undefined) >= 0) return;
    const index = this.#tail++;
    const to = (index - this.#base) * words;
    if (to + words > this.#states.length) this.#states = doubled(this.#states);
    if (index === this.#parents.length) {
      this.#parents = doubled(this.#parents);
      this.#ordinals = doubled(this.#ordinals);
    }
    const states = this.#states;
    for (let word = 0; word < words; word++) states[to + word] = data[from + word]!;
    this.#parents[index] = parent;
    this.#ordinals[index] = ordinal;
    if (this.#brokenAt < 0 && model.broken?.(states, to) !== undefined) this.#brokenAt = index;
  }

  #isState(index: number, from: number): boolean {
    const { words } = this.#model;
    const { data } = this.#out;
    for (let word = 0; word < words; word++) {
      if (this.#states[index * words + word] !== data[from + word]) return false;
    }
    return true;
  }

  #bytesNow(): number {
    return this.#seen.bytes + this.#states.byteLength + 2 * this.#parents.byteLength;
  }

  /** With what the next growth will take. */
  #bytesSoon(): number {
    const full = (this.#tail - this.#base + 4096) * this.#model.words > this.#states.length;
    return this.#bytesNow() + this.#seen.growthBytes + (full ? 2 * this.#states.byteLength : 0);
  }

  #counts(): Counts {
    return {
      generated: this.#generated,
      distinct: this.#tail,
      depth: this.#depth,
      reduced: this.#reduced,
      terminal: this.#terminal,
      waiting: this.#tail - this.#head,
    };
  }

  #result(limit?: 'states' | 'memory'): Exploration {
    const counts = { ...this.#counts(), bytes: this.#bytesNow() };
    if (this.#brokenAt >= 0) {
      const to = (this.#brokenAt - this.#base) * this.#model.words;
      const rule = this.#model.broken!(this.#states, to)!;
      return { ...counts, verdict: 'broken', counterexample: { rule, path: this.#pathTo(this.#brokenAt) } };
    }
    return limit ? { ...counts, verdict: 'inconclusive', limit } : { ...counts, verdict: 'holds' };
  }

  #pathTo(index: number): Path {
    const ordinals: number[] = [];
    for (let at = index; at >= 0; at = this.#parents[at]!) ordinals.unshift(this.#ordinals[at]!);
    return concretePath(this.#model, ordinals);
  }
}

/**
 * The run behind a path of representatives. `ordinals` name the initial state and the steps, each counted among the
 * successors of a representative; so representatives are followed first, then a concrete state that each stands for.
 */
export function concretePath(model: Model, ordinals: readonly number[]): Path {
  const { words } = model;
  const out = new Successors(words);
  model.initial(out);
  const states = new Int32Array(ordinals.length * words);
  states.set(wordsAt(out, ordinals[0]!));
  const taken: number[] = [];
  const steps: string[] = [];
  const representative = states.slice(0, words);
  model.canonical?.(representative, 0);
  for (const [index, ordinal] of ordinals.slice(1).entries()) {
    out.clear();
    model.expand(representative, 0, out);
    representative.set(wordsAt(out, ordinal));
    model.canonical?.(representative, 0);
    const at = index * words;
    out.clear();
    model.expand(states, at, out);
    const next = ordinalTo(model, out, representative);
    states.set(wordsAt(out, next), at + words);
    taken.push(next);
    steps.push(model.describe(states, at, next));
  }
  return { states, steps, ordinals: taken };
}

function wordsAt(out: Successors, ordinal: number): Int32Array {
  return out.data.slice(ordinal * out.words, (ordinal + 1) * out.words);
}

function ordinalTo(model: Model, out: Successors, representative: Int32Array): number {
  for (let ordinal = 0; ordinal < out.count; ordinal++) {
    const state = wordsAt(out, ordinal);
    model.canonical?.(state, 0);
    if (state.every((word, index) => word === representative[index])) return ordinal;
  }
  throw new Error('symmetric states have steps that are not: the model’s `canonical` is wrong');
}
