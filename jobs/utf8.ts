/**
 * UTF-8 facts about JavaScript strings, without encoding them. The order of keys everywhere is that of their UTF-8
 * bytes; `<` on strings compares UTF-16 units, which differs above U+FFFF.
 */

const LONE_SURROGATE = /\p{Surrogate}/gu;
const SURROGATE_FIRST = 0xd800;
const SURROGATE_LAST = 0xdfff;

/** The string with each lone surrogate, which has no UTF-8 form, replaced by U+FFFD. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATE, '\ufffd');
}

/** Negative, zero or positive, as the UTF-8 bytes of two well-formed strings compare. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const unitA = a.charCodeAt(i);
    const unitB = b.charCodeAt(i);
    if (unitA !== unitB) return rank(unitA) - rank(unitB);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others, but their units lie below U+E000. */
function rank(unit: number): number {
  return unit >= SURROGATE_FIRST && unit <= SURROGATE_LAST ? unit + 0x10000 : unit;
}

/** Number of bytes that a well-formed string takes in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A surrogate pair is two units and four bytes: two bytes a unit, as for U+0080 to U+07FF.
    bytes += unit < 0x800 || (unit >= SURROGATE_FIRST && unit <= SURROGATE_LAST) ? 1 : 2;
  }
  return bytes;
}
