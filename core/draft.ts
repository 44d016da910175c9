/**
 * A value while it is being made: what it may have is set on it, one after the other. Spread into a new object with one
 * more field (`{ ...value, more }`), each result would get a hidden class of its own from V8, which costs microseconds,
 * and everything that reads such objects becomes slow.
 */
export type Draft<T> = { -readonly [Field in keyof T]: T[Field] };
