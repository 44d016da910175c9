/**
 * Finds what is not deterministic. The same scenario is run twice; both runs note a digest of every step. At the first
 * step that differs both values are needed, so the runs are repeated, and this time they keep that step in full. What
 * leaks in differs from run to run, so the place may move a little: the search goes on until it holds still.
 *
 * The chain of a run covers events and effects. Here the state after the step counts too: a leak is often in the state
 * long before it shows.
 */
import { canonicalText, stateDigest } from '../core/canonical.js';
import type { WorldStep } from './observer.js';
import type { Plants } from './plants.js';
import type { Scenario } from './scenario/types.js';
import { simulate } from './simulate.js';
import type { JobRegistry } from './work.js';

export interface Difference {
  /** Counted from 1 over the whole world. */
  readonly step: number;
  readonly node: string;
  /** Type of the event, in the first run. */
  readonly event: string;
  /** `effects[1].message.epoch`, `state.leading.workers[0]`, `event.session`. */
  readonly field: string;
  /** As canonical text, cut to a bounded length; absent where one run has nothing there. */
  readonly values: readonly [first: string | undefined, second: string | undefined];
}

export interface DeterminismOptions {
  readonly registry?: JobRegistry;
  /** Anew for every run. */
  readonly plants?: () => Plants;
  readonly stepsMax?: number;
}

/** One step in full, as plain data that later steps do not change. */
interface KeptStep {
  readonly step: number;
  readonly node: string;
  readonly event: unknown;
  readonly effects: unknown;
  readonly state: unknown;
}

/** A leak that shows only now and then is given so many pairs of runs. */
const pairsMax = 8;
/** Steps kept in full around the place where the last pair differed. */
const keptSteps = 64;

/** Undefined when no pair of runs differed. */
export function firstDifference(
  scenario: Scenario,
  options: DeterminismOptions = {},
): Difference | undefined {
  let around: number | undefined;
  for (let pair = 0; pair < pairsMax; pair++) {
    const first = record(scenario, options, around);
    const second = record(scenario, options, around);
    const step = firstUnequal(first.digests, second.digests);
    if (step === undefined) continue;
    const [one, other] = [first.kept.get(step), second.kept.get(step)];
    if (one && other) return compare(one, other);
    around = step;
  }
  return undefined;
}

export function differenceText({ step, node, event, field, values }: Difference): string {
  const [first, second] = values.map((value) => value ?? 'nothing');
  return `step ${step}, ${node}, ${event}: ${field} was ${first} in one run and ${second} in another`;
}

function record(
  scenario: Scenario,
  options: DeterminismOptions,
  around: number | undefined,
): { readonly digests: readonly string[]; readonly kept: ReadonlyMap<number, KeptStep> } {
  const { registry, plants, stepsMax } = options;
  const digests: string[] = [];
  const kept = new Map<number, KeptStep>();
  const onStep = ({ index, life, event, effects }: WorldStep): void => {
    const { state } = life.machine;
    digests.push(stateDigest([life.node.name, event, effects, state]));
    if (around === undefined || Math.abs(index - around) > keptSteps) return;
    kept.set(index, { step: index, node: life.node.name, ...copy({ event, effects, state }) });
  };
  simulate(scenario, {
    ...(registry ? { registry } : {}),
    ...(plants ? { plants: plants() } : {}),
    ...(stepsMax === undefined ? {} : { stepsMax }),
    onStep,
  });
  return { digests, kept };
}

/** Number of the step, from 1. */
function firstUnequal(first: readonly string[], second: readonly string[]): number | undefined {
  const length = Math.min(first.length, second.length);
  for (let index = 0; index < length; index++) if (first[index] !== second[index]) return index + 1;
  return first.length === second.length ? undefined : length + 1;
}

function compare(one: KeptStep, other: KeptStep): Difference {
  const event = (one.event as { type: string }).type;
  const base = { step: one.step, node: one.node, event };
  for (const field of ['node', 'event', 'effects', 'state'] as const) {
    const found = deepDifference(one[field], other[field], field);
    if (found) return { ...base, field: found.path, values: [shown(found.first), shown(found.second)] };
  }
  return { ...base, field: 'nothing', values: [undefined, undefined] };
}

interface Found {
  readonly path: string;
  readonly first: unknown;
  readonly second: unknown;
}

/** The first place at which two values of plain data differ; Maps and Sets by the order of their entries. */
export function deepDifference(first: unknown, second: unknown, path: string): Found | undefined {
  const [one, other] = [entriesOf(first), entriesOf(second)];
  if (!one || !other || Array.isArray(first) !== Array.isArray(second)) {
    return Object.is(first, second) && !one === !other ? undefined : { path, first, second };
  }
  for (const [index, [key, value]] of one.entries()) {
    const match = isOrdered(first) ? other[index] : other.find(([name]) => name === key);
    const place = isOrdered(first) ? `${path}[${index}]` : `${path}.${key}`;
    if (!match) return { path: place, first: value, second: undefined };
    if (match[0] !== key) return { path: place, first: key, second: match[0] };
    const inside = isMap(first) ? `${path}.${key}` : place;
    const found = deepDifference(value, match[1], inside);
    if (found) return found;
  }
  const more = isOrdered(first)
    ? other[one.length]
    : other.find(([name]) => !one.some(([key]) => key === name));
  if (!more) return undefined;
  const place = isOrdered(first) ? `${path}[${one.length}]` : `${path}.${more[0]}`;
  return { path: place, first: undefined, second: more[1] };
}

/** Lists, and Maps and Sets: a machine that iterates one depends on the order of its entries. */
function isOrdered(value: unknown): boolean {
  return Array.isArray(value) || value instanceof Map || value instanceof Set;
}

function isMap(value: unknown): boolean {
  return value instanceof Map;
}

/** Undefined for what is no container. Absent fields and `undefined` are one. */
function entriesOf(value: unknown): [string, unknown][] | undefined {
  if (value === null || typeof value !== 'object') return undefined;
  if (value instanceof Map) return [...value].map(([key, item]) => [String(key), item]);
  if (value instanceof Set) return [...value].map((item) => [String(item), item]);
  if (Array.isArray(value)) return value.map((item, index) => [String(index), item]);
  return Object.entries(value).filter(([, item]) => item !== undefined);
}

/** Plain data, copied: states are changed in place. */
function copy<T>(value: T): T {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, copy(item)])) as T;
  if (value instanceof Set) return new Set([...value].map(copy)) as T;
  if (Array.isArray(value)) return value.map(copy) as T;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copy(item)])) as T;
}

function shown(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = canonicalText(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
