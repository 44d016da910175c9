/**
 * Hashes of the texts that data is full of: names of fields, kinds, nodes, digests. Each is computed once and kept, as
 * long as there are not too many. What is kept is only ever what would be computed again, so nothing depends on it.
 *
 * Names of fields come in sequences that repeat themselves. A `FieldName` knows which name came after it last time: one
 * comparison finds the next, and nothing is looked up.
 */

/** A text's hash, in two lanes. */
export interface TextHash {
  readonly a: number;
  readonly b: number;
}

export interface FieldName extends TextHash {
  readonly name: string;
  /** Whether its value, a list or an object, is hashed by itself, once, and remembered. */
  readonly remembered: boolean;
  /** The field that came after this one last time. */
  next: FieldName | undefined;
  /** All that ever came after it, by name. */
  readonly others: Map<string, FieldName>;
  /** Stands before the first field of an object that is this field's value. */
  within: FieldName | undefined;
}

interface KnownText extends TextHash {
  readonly text: string;
}

/** Longer texts are not kept. */
const keptLength = 64;
/** A power of two. */
const places = 4096;
/** Far more than our own data has. */
const keptFields = 16_384;

/** Each at the place that its ends give, where it was the last to come: a table of texts by their hash is slower. */
const texts: (KnownText | undefined)[] = new Array(places).fill(undefined);
let fields = 0;

/** A new beginning: stands where no field is. */
export function noField(): FieldName {
  return newField('', { a: 0, b: 0 }, false);
}

export function textHash(text: string): TextHash {
  const { length } = text;
  if (length > keptLength) return computeTextHash(text);
  const place = placeOf(text, length);
  const known = texts[place];
  if (known !== undefined && known.text === text) return known;
  const { a, b } = computeTextHash(text);
  const kept: KnownText = { text, a, b };
  texts[place] = kept;
  return kept;
}

/** Texts of one kind mostly differ in their last characters, and these in their low bits: `worker-12`, a digest. */
function placeOf(text: string, length: number): number {
  let place = length << 7;
  if (length > 2) {
    const end = text.charCodeAt(length - 1) ^ (text.charCodeAt(length - 2) << 4);
    place ^= end ^ (text.charCodeAt(length - 3) << 8) ^ (text.charCodeAt(0) << 5);
  }
  return place & (places - 1);
}

/** The field `name` after `before`. */
export function fieldAfter(before: FieldName, name: string, remembered: ReadonlySet<string>): FieldName {
  let field = before.others.get(name);
  if (field === undefined) {
    field = newField(name, computeTextHash(name), remembered.has(name));
    if (fields < keptFields) {
      fields++;
      before.others.set(name, field);
    }
  }
  before.next = field;
  return field;
}

function newField(name: string, { a, b }: TextHash, remembered: boolean): FieldName {
  return { name, a, b, remembered, next: undefined, others: new Map(), within: undefined };
}

/** Two multiplicative hashes over the characters, each finished by a xorshift-multiply of its own. */
function computeTextHash(text: string): TextHash {
  let a = 0x9e3779b9 | 0;
  let b = text.length;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    a = Math.imul(a ^ character, 0x5bd10193);
    b = Math.imul(b + character, 0x85ebca6b);
    b ^= b >>> 15;
  }
  a = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d);
  b = Math.imul(b ^ (b >>> 16), 0x297a2d39);
  return { a: a ^ (a >>> 13), b: b ^ (b >>> 16) };
}
