/**
 * Words out of text, 64 bytes at a time: a mask with a bit for each byte of a word, whose changes are where words
 * begin and end.
 *
 * The text is well-formed UTF-8 and ends where no word goes on; see kernel.ts for who cares for that.
 */
import { full, mightFill } from './budget';
import { decode, isLetter, isSpace } from './letters';
import { BATCH, POSITIONS } from './memory';
import { isShort, queue, reserve, takeOnes } from './table';

/** How many words were taken by `countWords`. */
export let wordsTaken: i32 = 0;

/** A character that began in one block and ends in the next: the bits that the next block owes to it. */
let carriedWord: u64 = 0;
let carriedOther: u64 = 0;

/** Counts the letter words in [from, to). Returns where to go on: `to`, unless the table is full before. */
export function countLetterWords(from: i32, to: i32): i32 {
  return countAll(from, to, true);
}

/** The same for words between white space. */
export function countSpacedWords(from: i32, to: i32): i32 {
  return countAll(from, to, false);
}

@inline
function countAll(from: i32, to: i32, letters: bool): i32 {
  carriedWord = 0;
  carriedOther = 0;
  wordsTaken = 0;
  let inWord: u64 = 0;
  let positions = POSITIONS;
  const batchEnd = POSITIONS + BATCH * 8;
  for (let block = from; block < to; block += 64) {
    // What lies beyond the end is left from before, and need not even be characters.
    const valid: u64 = to - block < 64 ? ((<u64>1) << (<u64>(to - block))) - 1 : ~(<u64>0);
    const mask = (letters ? letterMask(block, valid) : spacedMask(block, valid)) & valid;
    let changes = mask ^ ((mask << 1) | inWord);
    inWord = mask >> 63;
    while (changes !== 0) {
      store<u32>(positions, block + <i32>ctz(changes));
      positions += 4;
      changes &= changes - 1;
    }
    if (positions >= batchEnd) {
      const open = (positions - POSITIONS) & 4;
      const words = (positions - open - POSITIONS) >> 3;
      const taken = countBatch(words);
      if (full) return end(taken);
      if (open) store<u32>(POSITIONS, load<u32>(positions - 4));
      positions = POSITIONS + open;
    }
  }
  if ((positions - POSITIONS) & 4) {
    store<u32>(positions, to);
    positions += 4;
  }
  const taken = countBatch((positions - POSITIONS) >> 3);
  return full ? end(taken) : to;
}

/** The end of word `taken` of the batch, counted from 1. */
@inline
function end(taken: i32): i32 {
  return load<u32>(POSITIONS + taken * 8 - 4);
}

/** Takes so many words. Returns how many until the table was full. */
function countBatch(words: i32): i32 {
  if (words === 0) return 0;
  const bytes = <i32>load<u32>(POSITIONS + words * 8 - 4) - <i32>load<u32>(POSITIONS);
  if (mightFill(words, bytes)) return countOneByOne(words);
  reserve(words);
  let shorts = 0;
  let longs = 0;
  for (let index = 0; index < words; index++) {
    const begin = <i32>load<u32>(POSITIONS + index * 8);
    const length = <i32>load<u32>(POSITIONS + index * 8, 4) - begin;
    queue(shorts, longs, begin, length);
    const short = isShort(length);
    shorts += short;
    longs += 1 - short;
  }
  takeOnes(shorts, longs);
  wordsTaken += words;
  return words;
}

function countOneByOne(words: i32): i32 {
  for (let index = 0; index < words; index++) {
    const begin = <i32>load<u32>(POSITIONS + index * 8);
    const length = <i32>load<u32>(POSITIONS + index * 8, 4) - begin;
    reserve(1);
    queue(0, 0, begin, length);
    takeOnes(isShort(length), 1 - isShort(length));
    wordsTaken++;
    if (full) return index + 1;
  }
  return words;
}

@inline
function letterMask(block: i32, valid: u64): u64 {
  const beyondAscii = highBits(block) & valid;
  const mask =
    (<u64>letters16(block)) |
    ((<u64>letters16(block + 16)) << 16) |
    ((<u64>letters16(block + 32)) << 32) |
    ((<u64>letters16(block + 48)) << 48);
  return (beyondAscii | carriedWord) === 0 ? mask : mask | letterBits(block, beyondAscii);
}

@inline
function letters16(address: i32): u32 {
  const lower = v128.or(v128.load(address), i8x16.splat(0x20));
  return i8x16.bitmask(i8x16.lt_u(i8x16.sub(lower, i8x16.splat(0x61)), i8x16.splat(26)));
}

@inline
function highBits(block: i32): u64 {
  return (
    (<u64>(<u32>i8x16.bitmask(v128.load(block)))) |
    ((<u64>(<u32>i8x16.bitmask(v128.load(block, 16)))) << 16) |
    ((<u64>(<u32>i8x16.bitmask(v128.load(block, 32)))) << 32) |
    ((<u64>(<u32>i8x16.bitmask(v128.load(block, 48)))) << 48)
  );
}

/** The bits of letters beyond ASCII, also of one that began in the block before. */
function letterBits(block: i32, beyondAscii: u64): u64 {
  let bits = carriedWord;
  carriedWord = 0;
  for (let rest = beyondAscii; rest !== 0; rest &= rest - 1) {
    const at = ctz(rest);
    const lead = load<u8>(block + <i32>at);
    if (lead < 0xc0 || !isLetter(decode(block + <i32>at))) continue;
    const character = lengthBits(lead);
    bits |= character << at;
    if (at > 60) carriedWord |= character >> (64 - at);
  }
  return bits;
}

@inline
function spacedMask(block: i32, valid: u64): u64 {
  const beyondAscii = highBits(block) & valid;
  const spaces =
    (<u64>spaces16(block)) |
    ((<u64>spaces16(block + 16)) << 16) |
    ((<u64>spaces16(block + 32)) << 32) |
    ((<u64>spaces16(block + 48)) << 48);
  return ~((beyondAscii | carriedOther) === 0 ? spaces : spaces | spaceBits(block, beyondAscii));
}

@inline
function spaces16(address: i32): u32 {
  const bytes = v128.load(address);
  const controls = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(9)), i8x16.splat(5));
  return i8x16.bitmask(v128.or(controls, i8x16.eq(bytes, i8x16.splat(0x20))));
}

/** The bits of white space beyond ASCII, also of a character that began in the block before. */
function spaceBits(block: i32, beyondAscii: u64): u64 {
  let bits = carriedOther;
  carriedOther = 0;
  for (let rest = beyondAscii; rest !== 0; rest &= rest - 1) {
    const at = ctz(rest);
    const lead = load<u8>(block + <i32>at);
    if (lead < 0xc0 || !isSpace(decode(block + <i32>at))) continue;
    const character = lengthBits(lead);
    bits |= character << at;
    if (at > 60) carriedOther |= character >> (64 - at);
  }
  return bits;
}

/** As many bits as the character that begins with `lead` has bytes. */
@inline
function lengthBits(lead: u8): u64 {
  return lead < 0xe0 ? 3 : lead < 0xf0 ? 7 : 15;
}

/** How many line feeds there are in [from, to). */
export function countLineFeeds(from: i32, to: i32): i32 {
  let count = 0;
  let at = from;
  const lineFeed = i8x16.splat(10);
  for (; at + 64 <= to; at += 64) {
    const bits =
      (<u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at), lineFeed)))) |
      ((<u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at, 16), lineFeed)))) << 16) |
      ((<u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at, 32), lineFeed)))) << 32) |
      ((<u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at, 48), lineFeed)))) << 48);
    count += <i32>popcnt(bits);
  }
  for (; at < to; at++) count += load<u8>(at) === 10 ? 1 : 0;
  return count;
}
