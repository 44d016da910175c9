/**
 * What every job promises, as properties: that its functions throw nothing, that `map` answers the same each time, that values
 * survive their way through files, that values are put in one order, that the combiner may be called on any groups in any
 * nesting, and that the output does not depend on how the input was cut. Each is tried on the user's own records; a
 * counterexample is made as small as it can be.
 */
import fc from 'fast-check';
import { formatterOf } from '../../jobs/output-format.js';
import { partitionerOf } from '../../jobs/partition.js';
import { type PlainOutput, type PlainRecord, runPlain } from '../../jobs/plain.js';
import type { Job } from '../../jobs/types.js';
import { canonicalValue, encodeValue, showKey } from '../../jobs/values.js';
import { bytesAreTheSame } from './bytes.js';
import { Broken, bounded, emittedBy, emittedInTasks, placeOf, type Subject } from './mapped.js';
import { thrownText } from './thrown.js';

export interface Checked {
  readonly property: string;
  /** Absent when the property holds; else what was given, what came out, and why that is wrong. */
  readonly broken?: string;
  /** There was nothing to try it on. */
  readonly skipped?: string;
}

/** What the properties share. */
interface Trial extends Subject {
  /** By record, what `map` emitted when it was called with it for the first time, as JSON. */
  readonly firstEmitted: Map<PlainRecord, string>;
}

type Property = (trial: Trial) => Promise<string | undefined>;

/** In the order in which they are tried: what throws is known first. */
const properties: Readonly<Record<string, Property>> = {
  "the job's functions throw nothing": functionsThrowNothing,
  'map answers the same each time': mapIsDeterministic,
  'mapBytes emits what map emits': bytesAreTheSame,
  'values survive their way through files': valuesSurvive,
  'partition gives a number from 0 to reduces - 1, the same each time': partitionIsSound,
  'orderValues puts any values in one order': orderIsSound,
  'combine is associative': combineIsAssociative,
  'reduce gives the same with and without combine': combineIsHarmless,
  'the output does not depend on how the input is cut': cutsAreInvisible,
};

/** Tries all properties. Where a function is known to throw, what cannot be asked for that is skipped. */
export async function checkJob(subject: Subject): Promise<Checked[]> {
  const results: Checked[] = [];
  const trial: Trial = { ...subject, firstEmitted: new Map() };
  for (const [property, check] of Object.entries(properties)) {
    try {
      const skipped = await check(trial);
      results.push(skipped === undefined ? { property } : { property, skipped });
    } catch (error) {
      if (error instanceof Broken) results.push({ property, broken: error.message });
      else if (results[0]?.broken !== undefined) results.push({ property, skipped: notAsked });
      else results.push({ property, broken: thrownText(error, subject.directory) });
    }
  }
  return results;
}

const notAsked = 'not asked, since a function threw';

/** `map` on every record alone and on all of them, and then what follows it, so that it is known what threw. */
async function functionsThrowNothing(subject: Trial): Promise<undefined> {
  const { job, records, firstEmitted } = subject;
  for (const one of records) {
    await tried(subject, `for the record at ${placeOf(one)} map`, async () => {
      firstEmitted.set(one, JSON.stringify(await emittedBy(subject, one)));
    });
  }
  await tried(subject, 'map', () => emittedInTasks(subject, [records]));
  let lastKey = '';
  const { reduce } = job;
  const watched: Job['reduce'] =
    reduce === 'none' ? reduce : (key, ...rest) => reduce((lastKey = key), ...rest);
  await tried(
    subject,
    () => `for the key ${showKey(lastKey)} reduce`,
    () => outputOf(subject, { combine: undefined, reduce: watched }),
  );
  await tried(subject, 'combine', () => outputOf(subject, {}));
  return undefined;
}

async function tried(
  { directory }: Subject,
  who: string | (() => string),
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const name = typeof who === 'string' ? who : who();
    throw new Broken(`${name} threw ${thrownText(error, directory)}`);
  }
}

/** Against the very first time: what a job remembers of records may differ from then only. */
async function mapIsDeterministic(subject: Trial): Promise<string | undefined> {
  for (const one of subject.records) {
    const first = subject.firstEmitted.get(one);
    const again = JSON.stringify(await emittedBy(subject, one));
    if (first !== undefined && first !== again) {
      throw new Broken(
        `for the record at ${placeOf(one)} map emitted ${bounded(first)}, and then ${bounded(again)}: a task that is run again must give the same`,
      );
    }
  }
  return undefined;
}

async function valuesSurvive(subject: Subject): Promise<string | undefined> {
  for (const one of subject.records) {
    for (const [key, value] of await emittedBy(subject, one)) {
      if (typeof value !== 'object' || value === null) continue;
      const back = canonicalValue(value, key);
      if (!sameShape(value, back)) {
        throw new Broken(
          `for the record at ${placeOf(one)} the value of key ${showKey(key)} becomes ${encodeValue(back)} on its way to reduce: it holds something that JSON has not`,
        );
      }
    }
  }
  return undefined;
}

/** Whether JSON kept everything: no field is gone, no Date became a string, no NaN became null. */
function sameShape(value: unknown, back: unknown): boolean {
  if (typeof value !== 'object' || value === null)
    return Object.is(value, back) || (value === 0 && back === 0);
  if (typeof back !== 'object' || back === null || Array.isArray(value) !== Array.isArray(back)) return false;
  const keys = Object.keys(value);
  if (keys.length !== Object.keys(back).length) return false;
  return keys.every((key) =>
    sameShape((value as Record<string, unknown>)[key], (back as Record<string, unknown>)[key]),
  );
}

async function partitionIsSound(subject: Subject): Promise<string | undefined> {
  const { job } = subject;
  if (typeof job.partition !== 'function') return 'the job has no partition of its own';
  const keys = new Set<string>();
  for (const one of subject.records) for (const [key] of await emittedBy(subject, one)) keys.add(key);
  for (const key of keys) {
    for (const reduces of [1, 2, 7]) {
      const partition = partitionerOf(job, reduces);
      const [first, second] = [partition(key), partition(key)];
      if (first !== second) {
        throw new Broken(`partition(${showKey(key)}, ${reduces}) gave ${first}, and then ${second}`);
      }
    }
  }
  return undefined;
}

/** The values of each key that has several, in the order in which they were emitted. */
async function groupsOf(subject: Subject): Promise<[key: string, values: unknown[]][]> {
  const groups = new Map<string, unknown[]>();
  for (const one of subject.records) {
    for (const [key, value] of await emittedBy(subject, one)) {
      const values = groups.get(key) ?? [];
      groups.set(key, values);
      values.push(canonicalValue(value, key));
    }
  }
  return [...groups].filter(([, values]) => values.length > 1);
}

const nothingToCombine = 'no key has two values in these records';

/** Of any two values and any three: as `sort` needs it, whatever it compares with what. */
async function orderIsSound(subject: Subject): Promise<string | undefined> {
  if (subject.job.orderValues === undefined) return 'the job has no orderValues';
  const groups = await groupsOf(subject);
  if (groups.length === 0) return nothingToCombine;
  const property = fc.property(
    fc.constantFrom(...groups),
    fc.nat(),
    fc.nat(),
    fc.nat(),
    ([key, values], ...places) => {
      const [a, b, c] = places.map((place) => values[place % values.length]);
      const compare = (first: unknown, second: unknown): number => orderOf(subject.job, key, first, second);
      const [ab, ba] = [compare(a, b), compare(b, a)];
      if (Math.sign(ab) !== -Math.sign(ba)) {
        throw new Broken(
          `key ${showKey(key)}: orderValues(${show(a)}, ${show(b)}) is ${ab}, and the other way round it is ${ba}: one must be negative and the other positive, or both 0`,
        );
      }
      if (ab <= 0 && compare(b, c) <= 0 && compare(a, c) > 0) {
        throw new Broken(
          `key ${showKey(key)}: orderValues puts ${show(a)} before ${show(b)}, or with it, and that before ${show(c)}, but this before ${show(a)}`,
        );
      }
    },
  );
  run(property, subject.cases);
  return undefined;
}

/** What `orderValues` says of copies of two values. */
function orderOf({ orderValues }: Job, key: string, a: unknown, b: unknown): number {
  const order: unknown = orderValues!(canonicalValue(a, key), canonicalValue(b, key));
  if (typeof order !== 'number' || Number.isNaN(order)) {
    throw new Broken(
      `key ${showKey(key)}: orderValues(${show(a)}, ${show(b)}) is ${String(order)}: it must be a number, negative when the first value comes first`,
    );
  }
  return order;
}

async function combineIsAssociative(subject: Subject): Promise<string | undefined> {
  const { combine } = subject.job;
  if (!combine) return 'the job has no combine';
  const groups = await groupsOf(subject);
  if (groups.length === 0) return nothingToCombine;
  // Of copies, as everywhere: what was emitted is the job's own, and it may change it.
  const combined = (key: string, values: readonly unknown[]): unknown => {
    const copies = values.map((value) => canonicalValue(value, key));
    return canonicalValue(combine(key, copies), key);
  };
  const property = fc.property(
    fc.constantFrom(...groups),
    fc.nat(),
    fc.nat(),
    fc.integer({ min: 2, max: 40 }),
    ([key, all], from, at, length) => {
      const start = from % all.length;
      const values = all.slice(start, start + length);
      if (values.length < 2) return;
      const cut = 1 + (at % (values.length - 1));
      const whole = combined(key, values);
      const nested = combined(key, [combined(key, values.slice(0, cut)), combined(key, values.slice(cut))]);
      if (close(whole, nested)) return;
      throw new Broken(
        `key ${showKey(key)}: combine of ${show(values)} is ${encodeValue(whole)}, but of its first ${cut} and the rest, combined before, ${encodeValue(nested)}`,
      );
    },
  );
  run(property, subject.cases);
  return undefined;
}

async function combineIsHarmless(subject: Subject): Promise<string | undefined> {
  if (!subject.job.combine) return 'the job has no combine';
  const groups = await groupsOf(subject);
  if (groups.length === 0) return nothingToCombine;
  const plain = await outputOf(subject, { combine: undefined });
  const combined = await outputOf(subject, {});
  compareOutputs(plain, combined, 'without combine', 'with it');
  return undefined;
}

async function cutsAreInvisible(subject: Subject): Promise<string | undefined> {
  const whole = await outputOf(subject, {});
  for (const [maps, budgetBytes] of [
    [2, 1e9],
    [5, 300],
    [subject.records.length, 1e9],
  ] as const) {
    const cut = await outputOf(subject, {}, Math.max(1, maps), budgetBytes);
    compareOutputs(whole, cut, 'in one piece', `in ${maps} pieces with a budget of ${budgetBytes} bytes`);
  }
  return undefined;
}

async function outputOf(
  subject: Subject,
  changes: Partial<Job>,
  maps = 1,
  budgetBytes = 1e9,
): Promise<string> {
  const { records, params, seed } = subject;
  const job: Job = { ...subject.job, partition: undefined, ...changes };
  const cut = (map: number): number => Math.floor((map * records.length) / maps);
  const splits = Array.from({ length: maps }, (_, map) => records.slice(cut(map), cut(map + 1)));
  if (job.reduce === 'none') {
    const format = formatterOf(job.outputFormat);
    const emitted = await emittedInTasks(subject, splits);
    return emitted.map(([key, value]) => format(key, canonicalValue(value, key))).join('');
  }
  const { parts } = (await runPlain({ job, splits, reduces: 1, budgetBytes, params, seed })) as PlainOutput;
  return parts[0]!;
}

function compareOutputs(expected: string, found: string, how: string, otherwise: string): void {
  if (expected === found) return;
  const [left, right] = [expected.split('\n'), found.split('\n')];
  const at = left.findIndex((line, index) => line !== right[index]);
  const line = at < 0 ? left.length - 1 : at;
  throw new Broken(
    `line ${line + 1} of the output is ${JSON.stringify(left[line] ?? '')} ${how}, and ${JSON.stringify(right[line] ?? '')} ${otherwise}`,
  );
}

/** Sums of floating-point numbers may differ in their last digits: that is no broken promise. */
function close(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number' && !(Number.isInteger(a) && Number.isInteger(b))) {
    return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
  }
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The smallest counterexample's own words. */
function run(property: fc.IProperty<unknown>, numRuns: number): void {
  const details = fc.check(property, { numRuns });
  if (details.failed) throw details.errorInstance ?? new Broken('broken');
}

function show(value: unknown): string {
  return bounded(JSON.stringify(value) ?? String(value));
}
