/**
 * All states of a model with all steps between them, in flat arrays: what a search for cycles stands on. No symmetry and
 * no reduction: a fair run must remain one. States in which a run has got what it wanted are not gone beyond.
 */
import type { ExploreOptions } from './explore.js';
import { doubled, type Model, Successors } from './model.js';
import { StateSet, takeFingerprint } from './state-set.js';

export interface Graph {
  readonly count: number;
  /** Initial states and all successors, repetitions included. */
  readonly generated: number;
  readonly words: number;
  readonly states: Int32Array;
  /** Steps of state i are those from `rows[i]` to before `rows[i + 1]`. */
  readonly rows: Int32Array;
  readonly targets: Int32Array;
  readonly classes: Int32Array;
  /** Two words of bits for each state: the fairness classes that wait in it. */
  readonly pending: Int32Array;
  /** Reached first from here, by the step of this number; -1 for an initial state. */
  readonly parents: Int32Array;
  readonly ordinals: Int32Array;
  /** By state: 1 where a run has got what it wanted. */
  readonly goals: Uint8Array;
}

export type GraphResult =
  | { readonly kind: 'graph'; readonly graph: Graph }
  | ({ readonly kind: 'broken'; readonly rule: string; readonly ordinals: readonly number[] } & Size)
  | ({ readonly kind: 'limit'; readonly limit: 'states' | 'memory' } & Size);

/** How much was looked at until then. */
type Size = Pick<Graph, 'count' | 'generated'>;

/** Stops at the first state that breaks a rule. */
export function graphOf(model: Model, options: ExploreOptions = {}): GraphResult {
  const building = new Building(model);
  const { statesMax = 2 ** 30, memoryMax = 2 ** 31 } = options;
  building.begin();
  while (building.head < building.count) {
    building.expand();
    if (building.broken) return { ...building.broken, ...building.size };
    if (building.count > statesMax) return { kind: 'limit', limit: 'states', ...building.size };
    if (building.head % 1024 === 0 && building.bytes > memoryMax) {
      return { kind: 'limit', limit: 'memory', ...building.size };
    }
  }
  return { kind: 'graph', graph: building.finish() };
}

class Building {
  head = 0;
  count = 0;
  broken: Omit<GraphResult & { kind: 'broken' }, keyof Size> | undefined;
  readonly #model: Model;
  readonly #out: Successors;
  readonly #seen = new StateSet(true);
  #states: Int32Array;
  #rows: Int32Array = new Int32Array(1024);
  #targets: Int32Array = new Int32Array(4096);
  #classes: Int32Array = new Int32Array(4096);
  #pending: Int32Array = new Int32Array(2048);
  #parents: Int32Array = new Int32Array(1024);
  #ordinals: Int32Array = new Int32Array(1024);
  #goals: number[] = [];
  #edges = 0;
  #initial = 0;

  constructor(model: Model) {
    this.#model = model;
    this.#out = new Successors(model.words);
    this.#states = new Int32Array(1024 * model.words);
  }

  get bytes(): number {
    const flat = this.#states.byteLength + 2 * this.#targets.byteLength + 5 * this.#rows.byteLength;
    return 2 * (flat + this.#seen.bytes);
  }

  get size(): Size {
    return { count: this.count, generated: this.#initial + this.#edges };
  }

  begin(): void {
    this.#model.initial(this.#out);
    this.#initial = this.#out.count;
    for (let ordinal = 0; ordinal < this.#initial; ordinal++) this.#reach(ordinal, -1);
  }

  expand(): void {
    const index = this.head++;
    const out = this.#out;
    out.clear();
    this.#rows[index] = this.#edges;
    const at = index * this.#model.words;
    const isGoal = this.#model.goal?.(this.#states, at) ?? false;
    this.#goals.push(isGoal ? 1 : 0);
    if (isGoal) return;
    this.#model.expand(this.#states, at, out);
    this.#pending[2 * index] = out.pending[0]!;
    this.#pending[2 * index + 1] = out.pending[1]!;
    for (let ordinal = 0; ordinal < out.count && !this.broken; ordinal++) {
      const target = this.#reach(ordinal, index);
      if (this.#edges === this.#targets.length) {
        this.#targets = doubled(this.#targets);
        this.#classes = doubled(this.#classes);
      }
      this.#targets[this.#edges] = target;
      this.#classes[this.#edges++] = out.classes[ordinal]!;
    }
  }

  finish(): Graph {
    this.#rows[this.count] = this.#edges;
    return {
      ...this.size,
      words: this.#model.words,
      states: this.#states,
      rows: this.#rows,
      targets: this.#targets,
      classes: this.#classes,
      pending: this.#pending,
      parents: this.#parents,
      ordinals: this.#ordinals,
      goals: Uint8Array.from(this.#goals),
    };
  }

  #reach(ordinal: number, parent: number): number {
    const { words } = this.#model;
    const { data } = this.#out;
    const from = ordinal * words;
    takeFingerprint(data, from, words);
    const known = this.#seen.add((index) => this.#isState(index, from));
    if (known >= 0) return known;
    const index = this.count++;
    if ((index + 1) * words > this.#states.length) this.#states = doubled(this.#states);
    if (index + 1 === this.#rows.length) this.#growRows();
    for (let word = 0; word < words; word++) this.#states[index * words + word] = data[from + word]!;
    this.#parents[index] = parent;
    this.#ordinals[index] = ordinal;
    const rule = this.#model.broken?.(this.#states, index * words);
    if (rule !== undefined)
      this.broken = { kind: 'broken', rule, ordinals: ordinalsTo(this.#parents, this.#ordinals, index) };
    return index;
  }

  #growRows(): void {
    this.#rows = doubled(this.#rows);
    this.#pending = doubled(this.#pending);
    this.#parents = doubled(this.#parents);
    this.#ordinals = doubled(this.#ordinals);
  }

  #isState(index: number, from: number): boolean {
    const { words } = this.#model;
    for (let word = 0; word < words; word++) {
      if (this.#states[index * words + word] !== this.#out.data[from + word]) return false;
    }
    return true;
  }
}

/** Numbers of the initial state and of the steps that lead to a state. */
export function ordinalsTo(parents: Int32Array, ordinals: Int32Array, index: number): number[] {
  const path: number[] = [];
  for (let at = index; at >= 0; at = parents[at]!) path.unshift(ordinals[at]!);
  return path;
}
