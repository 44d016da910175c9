/**
 * Where the fields of lines lie, for who makes values of them. To the output goes for each line its end in the input (u32,
 * and four bytes of nothing), and for each field its kind, begin and end (u32, and four bytes of nothing) and number (f64).
 */
import { fieldAt, fieldCount, kindOf, numberOf, scanLine, textBegin, textLength } from './fields';
import { ODD } from './json';
import { INPUT, OUTPUT, OUTPUT_END } from './memory';

const LINE_BYTES: i32 = 8;
const SPAN_BYTES: i32 = 24;

/** How many lines the last `scanFields` took, and whether it stopped at one that it cannot take. */
export let linesScanned: i32 = 0;
export let stoppedAtOdd: bool = false;

/** Scans lines of [from, to), each of which ends with a line feed, as many as fit the output. Returns where to go on. */
export function scanFields(from: i32, to: i32): i32 {
  const fields = fieldCount();
  const lineBytes = LINE_BYTES + fields * SPAN_BYTES;
  let at = from;
  let place = OUTPUT;
  linesScanned = 0;
  stoppedAtOdd = false;
  while (at < to && place + lineBytes <= OUTPUT_END) {
    const next = scanLine(at);
    if (next === ODD) {
      stoppedAtOdd = true;
      break;
    }
    at = next;
    store<u32>(place, at - INPUT);
    place += LINE_BYTES;
    for (let index = 0; index < fields; index++) {
      const field = fieldAt(index);
      const begin = textBegin(field) - INPUT;
      store<u32>(place, kindOf(field));
      store<u32>(place, begin, 4);
      store<u32>(place, begin + textLength(field), 8);
      store<f64>(place, numberOf(field), 16);
      place += SPAN_BYTES;
    }
    linesScanned++;
  }
  return at;
}
