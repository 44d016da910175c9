/**
 * The checks that every value from outside passes before the core sees it. Each takes the field's name, so that a
 * refusal says what was wrong, and returns the value, so that a decoder is one expression.
 */
import { digestLengthMax, listLengthMax, nameLengthMax, pathLengthMax, textLengthMax } from './limits.js';

/** The peer sent what it must not send. `field` is the path of the offending field, such as `workerHello.running[3].n`. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly field: string;
  /** What is wrong with it. */
  readonly problem: string;

  constructor(field: string, problem: string, options?: ErrorOptions) {
    super(`${field} ${problem}`, options);
    this.field = field;
    this.problem = problem;
  }
}

/** An integer from `min` to 2^53 - 1. */
export function count(value: number, field: string, min = 0): number {
  if (!Number.isSafeInteger(value)) throw new ProtocolError(field, 'is not an integer below 2^53');
  if (value < min) throw new ProtocolError(field, `is ${value}, and the least is ${min}`);
  return value;
}

/** Any number but NaN and the infinities. */
export function finite(value: number, field: string): number {
  if (!Number.isFinite(value)) throw new ProtocolError(field, 'is not a finite number');
  return value;
}

/** Words for people, or quoted from the user's data; may be empty. */
export function text(value: string, field: string): string {
  return bounded(value, field, 0, textLengthMax);
}

/** The name of a thing of the user: a job, a counter, a place for output. Not empty. */
export function path(value: string, field: string): string {
  if (value.includes('\0')) throw new ProtocolError(field, 'has a NUL character');
  return bounded(value, field, 1, pathLengthMax);
}

/** A node's name or a request id: letters, digits, `.`, `_` and `-`, and a letter or digit first. */
export function name(value: string, field: string): string {
  bounded(value, field, 1, nameLengthMax);
  if (!/^[A-Za-z0-9][\w.-]*$/.test(value)) throw new ProtocolError(field, 'is not a plain name');
  return value;
}

/** Lowercase hexadecimal digits. */
export function digest(value: string, field: string): string {
  bounded(value, field, 1, digestLengthMax);
  if (!/^[0-9a-f]+$/.test(value)) throw new ProtocolError(field, 'is not lowercase hexadecimal');
  return value;
}

/** A message that must be there. */
export function required<T>(value: T | null | undefined, field: string): T {
  if (value === null || value === undefined) throw new ProtocolError(field, 'is missing');
  return value;
}

/** A list whose entries pass `entry`. */
export function list<W, C>(values: readonly W[], field: string, entry: (value: W, field: string) => C): C[] {
  if (values.length > listLengthMax) {
    throw new ProtocolError(field, `has ${values.length} entries, and the most is ${listLengthMax}`);
  }
  return values.map((value, index) => entry(value, `${field}[${index}]`));
}

function bounded(value: string, field: string, lengthMin: number, lengthMax: number): string {
  if (value.length < lengthMin) throw new ProtocolError(field, 'is missing');
  if (value.length > lengthMax) {
    throw new ProtocolError(field, `has ${value.length} characters, and the most is ${lengthMax}`);
  }
  return value;
}
