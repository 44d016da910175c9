/**
 * Draws of one fuzz seed, by name: a draw depends on the seed, its name and its numbers, never on the draws before it.
 *
 * A seed may descend from others: then each draw is that of the first of them, unless a later one has changed it. So a
 * seed can be nearly like another, as the mutants of a fuzzer that is guided by coverage are.
 */
import { draw, drawKey, expandSeed, type Range, type Seed, within } from '../random.js';

/** A choice and how often it is made compared with the others. */
export type Weighted<T> = readonly (readonly [weight: number, value: T])[];

const keys = new Map<string, number>();

function keyOf(name: string): number {
  let key = keys.get(name);
  if (key === undefined) keys.set(name, (key = drawKey(`fuzz ${name}`)));
  return key;
}

const mutates = drawKey('fuzz mutates');
const mutationRate = drawKey('fuzz mutation rate');
/** Draws in a hundred that a descendant makes itself: a few details, a part, or much. */
const mutationPercents = [3, 10, 30] as const;

/** One that has changed draws of those before it. */
interface Mutant {
  readonly seed: Seed;
  readonly percent: number;
}

/** Texts of seeds, the oldest first. */
export function diceOf(origin: string, ...descendants: readonly string[]): Dice {
  const mutants = descendants.map((text): Mutant => {
    const seed = expandSeed(text);
    return { seed, percent: mutationPercents[draw(seed, mutationRate, 0, 0) % mutationPercents.length]! };
  });
  return new Dice(expandSeed(origin), mutants.toReversed());
}

export class Dice {
  readonly #origin: Seed;
  /** The youngest first. */
  readonly #mutants: readonly Mutant[];
  readonly #first: number;
  readonly #second: number;

  constructor(origin: Seed, mutants: readonly Mutant[] = [], first = 0, second = 0) {
    this.#origin = origin;
    this.#mutants = mutants;
    this.#first = first;
    this.#second = second;
  }

  /** The dice of one thing among many: its draws do not depend on how many there are. */
  of(first: number, second = 0): Dice {
    return new Dice(this.#origin, this.#mutants, first + 1, second);
  }

  /** From 0 to `below` - 1. */
  below(name: string, below: number): number {
    return this.#bits(name) % below;
  }

  within(name: string, range: Range): number {
    return within(range, this.#bits(name));
  }

  between(name: string, min: number, max: number): number {
    return this.within(name, { min, max });
  }

  chance(name: string, percent: number): boolean {
    return this.#bits(name) % 100 < percent;
  }

  pick<T>(name: string, values: readonly T[]): T {
    return values[this.below(name, values.length)]!;
  }

  weighted<T>(name: string, choices: Weighted<T>): T {
    const total = choices.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.below(name, total);
    for (const [weight, value] of choices) {
      if (left < weight) return value;
      left -= weight;
    }
    return choices[0]![1];
  }

  #bits(name: string): number {
    const key = keyOf(name);
    return draw(this.#seedOf(key), key, this.#first, this.#second);
  }

  #seedOf(key: number): Seed {
    for (const { seed, percent } of this.#mutants) {
      if (draw(seed, key ^ mutates, this.#first, this.#second) % 100 < percent) return seed;
    }
    return this.#origin;
  }
}
