/**
 * A `mapBytes` must emit and count what `map` does: tried on the user's own lines, alone and together, and on texts that are
 * drawn from pieces of them and from what else text may hold.
 */
import fc from 'fast-check';
import { sortedCounters, taskContext } from '../../jobs/context.js';
import type { PlainRecord } from '../../jobs/plain.js';
import type { Counters } from '../../jobs/types.js';
import { wellFormed } from '../../jobs/utf8.js';
import { canonicalValue } from '../../jobs/values.js';
import { isKey } from '../../runtime/data/byte-collector.js';
import { Broken, bounded, type Emitted, mapped, placeOf, type Subject } from './mapped.js';
import { thrownText } from './thrown.js';

/** A job has no names like these. */
const OUR_COUNTER = /^(map|reduce)\./;
const LINES_MAX = 6;
const LETTER = 0x78;
const PIECES_MAX = 8;

export async function bytesAreTheSame(subject: Subject): Promise<string | undefined> {
  const { job, records, cases } = subject;
  if (job.mapBytes === undefined) return 'the job has no mapBytes';
  for (const one of records) await expectSame(subject, [one], (text) => `${text} at ${placeOf(one)}`);
  for (const input of new Set(records.map((one) => one.input))) {
    const lines = records.filter((one) => one.input === input);
    await expectSame(
      subject,
      lines,
      (text, at) => `${text} at ${placeOf(lines[at]!)}, together with the others,`,
    );
  }
  const property = fc.asyncProperty(fc.array(lineLike(records), { maxLength: LINES_MAX }), async (lines) => {
    const drawn = lines.map((record) => ({ record, offset: 0, input: 'drawn' }));
    const among = lines.length === 1 ? '' : ` of the lines ${bounded(JSON.stringify(lines))}`;
    if (await isTaken(subject, drawn)) await expectSame(subject, drawn, (text) => text + among);
  });
  const details = await fc.check(property, { numRuns: cases });
  if (details.failed) throw details.errorInstance ?? new Broken('broken');
  return undefined;
}

/** What a line may be made of. */
function lineLike(records: readonly PlainRecord[]): fc.Arbitrary<string> {
  const own = records.map(({ record }) => String(record));
  const piece = fc.tuple(fc.constantFrom('', ...own), fc.nat(), fc.nat(40)).map(([line, from, length]) => {
    const start = line.length === 0 ? 0 : from % line.length;
    return wellFormed(line.slice(start, start + length));
  });
  const any = fc.oneof(
    { weight: 3, arbitrary: piece },
    { weight: 1, arbitrary: fc.constantFrom('', ...own) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(' ', '\t', '"', ',', '\0', '0', 'é', '漢', '\u{1f600}', '\ufffd', '\ufeff'),
    },
  );
  // What ends at CR ends there: the next byte is a line feed.
  return fc.array(any, { maxLength: PIECES_MAX }).map((parts) => parts.join('').replace(/\n|\r+$/g, ''));
}

/** Whether `map` takes these lines at all: where it throws, so may the other. */
async function isTaken(subject: Subject, lines: readonly PlainRecord[]): Promise<boolean> {
  return await mapped(subject, [lines]).then(
    () => true,
    () => false,
  );
}

/** `say` tells of which line a message is: its text, and which of the lines it is. */
async function expectSame(
  subject: Subject,
  lines: readonly PlainRecord[],
  say: (text: string, at: number) => string,
): Promise<void> {
  const each: Emitted[][] = [];
  for (const line of lines) each.push((await mapped(subject, [[line]])).emitted);
  const expected = each.flatMap((pairs, at) => pairs.map((pair) => ({ pair, at })));
  const { emitted, counters, error } = byBytes(subject, lines);
  const place = expected.findIndex(({ pair }, index) => !isSame(pair, emitted[index]));
  const lineOf = (at: number): string =>
    say(`for the line ${bounded(JSON.stringify(String(lines[at]?.record ?? '')))}`, at);
  if (error !== undefined) {
    const at = expected[emitted.length]?.at ?? lines.length - 1;
    throw new Broken(`${lineOf(at)} mapBytes threw ${thrownText(error, subject.directory)}`);
  }
  if (place >= 0) {
    throw new Broken(
      `${lineOf(expected[place]!.at)} map emits ${show(expected[place]!.pair)}, and mapBytes ${show(emitted[place])}`,
    );
  }
  if (emitted.length > expected.length) {
    throw new Broken(`${lineOf(lines.length - 1)} mapBytes emits ${show(emitted[expected.length])} too`);
  }
  const counted = (await mapped(subject, [lines])).counters.filter(([name]) => !OUR_COUNTER.test(name));
  if (JSON.stringify(counted) !== JSON.stringify(counters)) {
    throw new Broken(
      `${lineOf(lines.length - 1)} map counts ${JSON.stringify(counted)}, and mapBytes ${JSON.stringify(counters)}`,
    );
  }
}

interface Heard {
  readonly emitted: readonly Emitted[];
  readonly counters: Counters;
  readonly error?: unknown;
}

/** What `mapBytes` makes of lines: as the lane of a run hands them over. */
function byBytes({ job, params, seed }: Subject, lines: readonly PlainRecord[]): Heard {
  const counted = new Map<string, number>();
  const context = taskContext({ task: 'map-0', params, seed }, counted);
  const emitted: Emitted[] = [];
  if (lines.length === 0) return { emitted, counters: [] };
  const bytes = Buffer.from(lines.map(({ record }) => `${record}\n`).join(''));
  const emit = (from: number, to: number, value: number): void => {
    const call = `emit(${String(from)}, ${String(to)}, ${String(value)})`;
    if (!isKey(bytes, from, to)) {
      throw new RangeError(
        `${call}: a key is whole characters of the ${bytes.length} bytes that were given, at most 64 KiB`,
      );
    }
    if (!Number.isFinite(value)) throw new TypeError(`${call}: the value must be a finite number`);
    emitted.push([bytes.toString('utf8', from, to), value]);
  };
  try {
    const { count, status } = context;
    const input = { name: lines[0]!.input };
    const result: unknown = job.mapBytes!(amongOthers(bytes), emit, { params, count, status, input });
    if (result !== undefined) throw new TypeError('mapBytes gave something: it must emit, and not be async');
  } catch (error) {
    return { emitted, counters: [], error };
  }
  return { emitted, counters: sortedCounters(counted) };
}

/** In the midst of a larger memory, as in a run: who looks at all of `lines.buffer` sees what is none of theirs. */
function amongOthers(bytes: Uint8Array): Uint8Array {
  const before = 3 * 8 + 1;
  const memory = new Uint8Array(before + bytes.length + before).fill(LETTER);
  memory.set(bytes, before);
  return memory.subarray(before, before + bytes.length);
}

function isSame(pair: Emitted, other: Emitted | undefined): boolean {
  return other !== undefined && pair[0] === other[0] && canonicalValue(pair[1], pair[0]) === other[1];
}

function show(pair: Emitted | undefined): string {
  return pair === undefined ? 'nothing' : bounded(JSON.stringify(pair));
}
