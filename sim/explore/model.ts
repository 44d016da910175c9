/**
 * What the explorer explores: a model hands out packed states, fixed numbers of 32-bit words, and their successors. The
 * engine knows nothing of what the words mean.
 *
 * Rule: everything is a function of the words. What must not be forgotten, a broken rule included, stands in them.
 */

export interface Model {
  /** Words of a state. */
  readonly words: number;
  initial(out: Successors): void;
  /**
   * Pushes every successor of the state at `states[offset…]`, in an order that depends on nothing else.
   *
   * `out.ample` may be set to n > 0: the first n successors are an ample set, and their steps invisible to `broken`
   * (conditions C0 to C2 of Clarke, Grumberg and Peled, Model Checking, chapter 10). C3 is the engine's, unless
   * `ampleEnds`.
   */
  expand(states: Int32Array, offset: number, out: Successors): void;
  /** Steps of ample sets alone never come back to a state: each of them uses something up. Then C3 holds by itself. */
  readonly ampleEnds?: boolean;
  /** The rule that the state breaks, with what was seen; undefined when it is well. */
  broken?(states: Int32Array, offset: number): string | undefined;
  /** Turns the state in place into the one that stands for all that are symmetric to it. */
  canonical?(states: Int32Array, offset: number): void;
  /** Where a run has got what it wanted: what every fair run must come to. */
  goal?(states: Int32Array, offset: number): boolean;
  /** The step to the n-th successor that `expand` pushes, for people. */
  describe(states: Int32Array, offset: number, ordinal: number): string;
}

/** No fairness is asked of a step: it may happen, and need not. */
export const unfair = -1;

/** Successors of one state, pushed by the model and read by the engine. One is made and reused: nothing is allocated. */
export class Successors {
  readonly words: number;
  data: Int32Array;
  /** Fairness class of each step: 0 … 63, or `unfair`. What stays enabled in a class must at some time be taken. */
  classes: Int32Array;
  /** The classes that have a step here, as two words of bits; with those that `await` names. */
  readonly pending = new Int32Array(2);
  count = 0;
  /** How many of the first successors are an ample set; 0 when none is known. */
  ample = 0;

  constructor(words: number) {
    this.words = words;
    this.data = new Int32Array(64 * words);
    this.classes = new Int32Array(64);
  }

  clear(): void {
    this.count = 0;
    this.ample = 0;
    this.pending.fill(0);
  }

  /** A step of this class is due, though something has to come before it: whatever waits in every state must be taken. */
  await(fairness: number): void {
    this.pending[fairness >> 5]! |= 1 << (fairness & 31);
  }

  /** Makes room for one more and answers where in `data` its words go. */
  push(fairness: number = unfair): number {
    const at = this.count++;
    if (at === this.classes.length) {
      this.data = doubled(this.data);
      this.classes = doubled(this.classes);
    }
    this.classes[at] = fairness;
    if (fairness >= 0) this.await(fairness);
    return at * this.words;
  }
}

export function doubled(array: Int32Array): Int32Array {
  const larger = new Int32Array(2 * array.length);
  larger.set(array);
  return larger;
}
