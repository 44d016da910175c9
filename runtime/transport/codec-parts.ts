/**
 * How a codec is built. A codec is a pair of total functions between a type of the core and its message on the wire;
 * `encode` trusts what our own core made but for its numbers, which codec.ts asserts; `decode` checks every field of
 * what came from outside.
 */
import { ProtocolError } from './check.js';

export interface Codec<C, W> {
  encode(value: C): W;
  /** @throws ProtocolError naming the field that is wrong; `field` is where `wire` itself stands. */
  decode(wire: W, field: string): C;
}

/** A codec for a closed list of words, from the name that each has on the wire. */
export function words<C extends string, W extends string>(names: { readonly [K in C]: W }): Codec<C, W> {
  const byName = new Map(Object.entries(names).map(([word, name]) => [name, word as C]));
  return {
    encode: (word) => names[word],
    decode: (name, field) => {
      const word = byName.get(name);
      if (word === undefined) throw new ProtocolError(field, `has the unknown value ${name}`);
      return word;
    },
  };
}

/** `{ [key]: value }`, or `{}` when there is no value: an absent optional stays absent. */
export function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}

/** The same for a field of `wire`, whose value has to pass `check`. */
export function checked<K extends string, W, C>(
  wire: { readonly [P in K]?: W | null },
  key: K,
  check: (value: W, field: string) => C,
  field: string,
): { readonly [P in K]?: C } {
  const value = wire[key];
  return optional(key, value === null || value === undefined ? undefined : check(value, `${field}.${key}`));
}

/** `convert(value)` when there is a value. */
export function given<A, B>(value: A | undefined, convert: (value: A) => B): B | undefined {
  return value === undefined ? undefined : convert(value);
}
