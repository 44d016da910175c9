/** Draws of one fuzz seed, by name: a draw depends on the seed, its name and its numbers, never on the draws before it. */
import { draw, drawKey, type Range, type Seed, within } from '../random.js';

/** A choice and how often it is made compared with the others. */
export type Weighted<T> = readonly (readonly [weight: number, value: T])[];

const keys = new Map<string, number>();

function keyOf(name: string): number {
  let key = keys.get(name);
  if (key === undefined) keys.set(name, (key = drawKey(`fuzz ${name}`)));
  return key;
}

export class Dice {
  readonly #seed: Seed;
  readonly #first: number;
  readonly #second: number;

  constructor(seed: Seed, first = 0, second = 0) {
    this.#seed = seed;
    this.#first = first;
    this.#second = second;
  }

  /** The dice of one thing among many: its draws do not depend on how many there are. */
  of(first: number, second = 0): Dice {
    return new Dice(this.#seed, first + 1, second);
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
    return draw(this.#seed, keyOf(name), this.#first, this.#second);
  }
}
