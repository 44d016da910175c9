/**
 * Which code points are letters, or white space. Letters are what the JavaScript engine says they are: it is asked
 * for a block of code points when the first of them turns up.
 */
import { LETTER_BLOCK, LETTERS, LETTERS_KNOWN } from './memory';

/** Sets the bits of the letters among the code points of a block, at `address`. */
@external('kernel', 'fillLetters')
declare function fillLetters(block: i32, address: i32): void;

/** Whether a code point beyond ASCII is a letter. */
@inline
export function isLetter(codePoint: i32): bool {
  const block = codePoint / LETTER_BLOCK;
  if (!load<u8>(LETTERS_KNOWN + block)) learn(block);
  return ((load<u8>(LETTERS + (codePoint >> 3)) >> (<u8>codePoint & 7)) & 1) !== 0;
}

function learn(block: i32): void {
  fillLetters(block, LETTERS + block * (LETTER_BLOCK / 8));
  store<u8>(LETTERS_KNOWN + block, 1);
}

/** Whether a code point beyond ASCII is white space to a regular expression's `\s`. */
export function isSpace(codePoint: i32): bool {
  if (codePoint < 0x1680) return codePoint === 0xa0;
  return (
    (codePoint >= 0x2000 && codePoint <= 0x200a) ||
    codePoint === 0x1680 ||
    codePoint === 0x2028 ||
    codePoint === 0x2029 ||
    codePoint === 0x202f ||
    codePoint === 0x205f ||
    codePoint === 0x3000 ||
    codePoint === 0xfeff
  );
}

/** The code point whose well-formed UTF-8 begins at `address`; not for ASCII. */
@inline
export function decode(address: i32): i32 {
  const lead = <i32>load<u8>(address);
  const second = <i32>load<u8>(address, 1) & 63;
  if (lead < 0xe0) return ((lead & 31) << 6) | second;
  const third = <i32>load<u8>(address, 2) & 63;
  if (lead < 0xf0) return ((lead & 15) << 12) | (second << 6) | third;
  return ((lead & 7) << 18) | (second << 12) | (third << 6) | (<i32>load<u8>(address, 3) & 63);
}
