/**
 * The shape of a job as its author sees it.
 *
 * Keys are strings. Values are whatever survives JSON: `map` decides their type, by what it emits or yields, and
 * `combine` and `reduce` follow. `defineJob` in define.ts is where these types are inferred.
 */
import type { InputFormat, InputRecords } from './input-format.js';
import type { OutputFormat } from './output-format.js';
import type { StandardSchema } from './standard-schema.js';
import type { WordKind } from './words.js';

/** Hands one pair to the job. Only legal while the call of `map` that received it is running. */
export type Emit<K extends string = string, V = number> = (key: K, value: V) => void;

/** What `--param name=value` gave. */
export type Params = Readonly<Record<string, string>>;

/** What a job's schema has made of them: whatever JSON is. */
export type ParamValues = Readonly<Record<string, unknown>>;

interface MinimalAbortSignal {
  readonly aborted: boolean;
  readonly reason?: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** The platform's own `AbortSignal` where its types are loaded, so that `fetch(url, { signal })` compiles. */
export type TaskSignal = typeof globalThis extends { AbortSignal: { prototype: infer Signal } }
  ? Signal
  : MinimalAbortSignal;

/** What every function of a job may ask of the task that it runs in. `P` is what the job's `params` give. */
export interface TaskContext<P = Params> {
  readonly params: P;
  /** Name of the task, `map-0` or `reduce-3`: the same for every attempt of it. */
  readonly task: string;
  /**
   * Aborted when the attempt is no longer wanted, for code that waits for something. A tenth of a second later the attempt
   * is ended with its thread, whatever it does.
   */
  readonly signal: TaskSignal;
  /** Adds `by` (default 1, a safe integer) to a counter of the job. */
  count(name: string, by?: number): void;
  /** Says in a few words what the task is doing. */
  status(text: string): void;
  /** A number in [0, 1). The sequence depends on the job's seed and the task alone, so every attempt draws the same. */
  random(): number;
}

/** Where the current line lies. One object for the whole task: copy what is kept. */
export interface MapInput {
  readonly name: string;
  /** Bytes from the start of the (decompressed) input to the start of the line. */
  readonly offset: number;
}

export interface MapContext<P = Params> extends TaskContext<P> {
  readonly input: MapInput;
}

export type ReduceContext<P = Params> = TaskContext<P>;

/**
 * The second argument of `map`: it emits, and it is the context. So `map(line, emit)` and `*map(line, ctx)` have one
 * signature, and TypeScript infers both.
 */
export type MapEmit<K extends string = string, V = number, P = Params> = Emit<K, V> & MapContext<P>;

/** Pairs that a `map` yields or returns instead of emitting them. */
export type Pairs<K extends string, V> = Iterable<readonly [K, V]> | AsyncIterable<readonly [K, V]>;

/** Nothing (`undefined`: no line), one value (one line), or a generator whose values become a line each. */
export type ReduceResult<R> =
  | R
  | undefined
  | Promise<R | undefined>
  | Generator<R | undefined, void, undefined>
  | AsyncGenerator<R | undefined, void, undefined>;

/**
 * A job. Every function must be deterministic: what a task produces may depend on its input, the params and
 * `ctx.random()` only, since a task may be run again, elsewhere, and must then give the same bytes.
 *
 * `E`, the second parameter of `map`, is only there to be inferred.
 */
export interface JobDefinition<
  K extends string = string,
  V = number,
  R = unknown,
  E = MapEmit<K, V>,
  I extends InputFormat = 'lines',
  P = Params,
> {
  readonly name: string;
  /** What `--param name=value` may be, and what `ctx.params` is then: a schema of zod, valibot, arktype or your own. */
  readonly params?: StandardSchema<P> | undefined;
  /** What one call of `map` gets: a line without its end (`lines`, the default), a whole file, a JSON value, a CSV row. */
  readonly inputFormat?: I | undefined;
  /**
   * Of a job with `inputFormat: 'ndjson'`: all that `map` needs of a record. It gets objects with these fields only, which
   * is much faster than parsing everything.
   */
  readonly fields?: readonly string[] | undefined;
  /** How records of the output are written; `text` unless given. */
  readonly outputFormat?: OutputFormat | undefined;
  /**
   * The records are the words of the lines, not the lines. What `map` makes of a word must depend on nothing but the
   * word, the params and the name of the input, so that it need not be asked each time.
   */
  readonly words?: WordKind | undefined;
  /** The records are JSON objects, grouped by this field of theirs; `aggregates` says what is made of a group. */
  readonly groupBy?: string | undefined;
  readonly aggregates?: Aggregates | undefined;
  /** Called once per record of the input. */
  readonly map: (record: InputRecords[I], emit: E, ctx: MapContext<P>) => void | Promise<void> | Pairs<K, V>;
  /**
   * `map` once more for lines as bytes, which is faster: it is given many whole lines of well-formed UTF-8, each with a line
   * feed as its end, and must emit what `map` emits for them, in that order. `combine` is then sum, min or max. It is asked
   * instead of `map` wherever that can be; `check` holds one against the other.
   */
  readonly mapBytes?:
    | ((lines: Uint8Array, emit: EmitBytes, ctx: BytesContext<NoInfer<P>>) => void)
    | undefined;
  /**
   * Makes one value of several of one key, any number of times and in any grouping that keeps their order: it must be
   * associative. Synchronous. Unlike those of `reduce`, `values` are an array, and may be read more than once.
   */
  readonly combine?: ((key: K, values: Iterable<NoInfer<V>>) => NoInfer<V>) | undefined;
  /**
   * Called once per key, in the order of the keys' UTF-8 bytes. `values` come in input order and can be read once.
   * With `none` there is no reduce phase: what `map` emits is the output, a part per map task, in input order.
   */
  readonly reduce:
    | ((key: NoInfer<K>, values: Iterable<NoInfer<V>>, ctx: ReduceContext<NoInfer<P>>) => ReduceResult<R>)
    | 'none';
  /**
   * The order of a key's values, negative when `a` comes first (a secondary sort). Values that compare equal stay in
   * input order, which is the order of all without it. Must be a total preorder that does not change.
   */
  orderValues?(a: NoInfer<V>, b: NoInfer<V>): number;
  /**
   * The partition of a key, an integer in [0, reduces); or `range`: keys are spread by their order, so that the parts,
   * one after the other, are sorted as a whole. By default a hash of the key.
   */
  readonly partition?: ((key: NoInfer<K>, reduces: number) => number) | 'range' | undefined;
  /** Before the first record of each task. */
  readonly setup?: ((ctx: TaskContext<NoInfer<P>>) => void | Promise<void>) | undefined;
  /** After the last record of each task that did not fail. */
  readonly teardown?: ((ctx: TaskContext<NoInfer<P>>) => void | Promise<void>) | undefined;
}

/** All that the `map` of a word may know besides the word. */
export interface WordContext<P = Params> {
  readonly params: P;
  readonly input: { readonly name: string };
}

/**
 * Hands one pair to the job: the key is what lies between two places of the lines, whole characters; at most 64 KiB. Only
 * legal while the call of `mapBytes` that received it is running.
 */
export type EmitBytes = (from: number, to: number, value: number) => void;

/** All that `mapBytes` may know besides the lines, which are its own only while it runs. */
export interface BytesContext<P = Params> extends Pick<TaskContext<P>, 'params' | 'count' | 'status'> {
  readonly input: { readonly name: string };
}

/** What is made of the records of a group: how many there are, or the sum, the least or the greatest of a field. */
export type Aggregate =
  | 'count'
  | { readonly sum: string }
  | { readonly min: string }
  | { readonly max: string };

/** A list gives an array of numbers for each group, names give an object. */
export type Aggregates = readonly Aggregate[] | Readonly<Record<string, Aggregate>>;

/** A job that is given words. Without `map` each word counts 1. */
export interface WordJobDefinition<V = number, R = unknown, P = Params>
  extends Omit<
    JobDefinition<string, V, R, MapEmit<string, V, P>, 'lines', P>,
    'map' | 'mapBytes' | 'inputFormat' | 'fields' | 'words'
  > {
  readonly words: WordKind;
  readonly map?: ((word: string, emit: Emit<string, V>, ctx: WordContext<NoInfer<P>>) => void) | undefined;
}

/**
 * A job that groups records by a field, and has no functions. Its records are lines of JSON objects. One that is no object,
 * lacks the field or lacks a number is left out and counted as `lines not understood`; with `inputFormat: 'ndjson'` a
 * line that is not JSON at all is a bad record, as it is elsewhere.
 */
export interface GroupJobDefinition<A extends Aggregates = Aggregates>
  extends Pick<JobDefinition, 'name' | 'outputFormat'> {
  readonly params?: StandardSchema | undefined;
  readonly inputFormat?: 'lines' | 'ndjson' | undefined;
  readonly groupBy: string;
  /** A list gives an array of numbers for each group, names give an object. */
  readonly aggregates: A;
}

/** A job whose types no longer matter: what the machinery runs. */
// biome-ignore lint/suspicious/noExplicitAny: the one type to which a job of any K, V and R can be assigned
export type Job = JobDefinition<any, any, any, MapEmit<any, any, any>, any, any>;

/** What a task needs to know besides its job; plain data and callbacks of the driver. */
export interface TaskSetting {
  /** `map-<index>` or `reduce-<partition>`; keys `ctx.random()`. */
  readonly task: string;
  /**
   * Name of the attempt at the task, which no other attempt has, of whatever run. Programs are told, for the names of
   * their scratch files; a job's functions are not, since what they make must not depend on it.
   */
  readonly attempt?: string | undefined;
  /** What the job's functions find as `ctx.params`. */
  readonly params: ParamValues;
  /** Of the job, not of the attempt. */
  readonly seed: string;
  readonly onStatus?: ((text: string) => void) | undefined;
  /** Called when user code asks for its signal; without it, the signal is one that is never aborted. */
  readonly signal?: (() => TaskSignal) | undefined;
}

/** Counters sorted by the UTF-8 bytes of their names. */
export type Counters = readonly (readonly [name: string, value: number])[];

/** One key and its values, in the order in which they were emitted. */
export interface KeyedValues {
  readonly key: string;
  readonly values: readonly unknown[];
}

/** One record between map and reduce. */
export type KeyValue = readonly [key: string, value: unknown];
