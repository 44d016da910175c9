/**
 * What a scenario's job computes: its splits, and the real map and reduce functions run in memory. A pure function of
 * (task, generation), remembered, so that attempts and the oracle share the results.
 *
 * The generation of a task is 0; user code that answers differently each time has another generation per attempt: above
 * 0 it emits something else, below 0 its partitioner sends the same keys elsewhere.
 */
import { stateDigest } from '../core/canonical.js';
import {
  addGeneration,
  type Generation,
  generationText,
  mixGeneration,
  newGeneration,
} from '../core/generation.js';
import { taskName } from '../core/ids.js';
import type { Counters, Output } from '../core/records.js';
import type { Builtin } from '../jobs/builtin/builtin.js';
import { builtinJobs } from '../jobs/builtin/registry.js';
import { partitionOf } from '../jobs/murmur3.js';
import {
  addCounters,
  type PlainMapOutput,
  type PlainRecord,
  type RecordSite,
  runPlainMap,
  runPlainReduce,
} from '../jobs/plain.js';
import { poisoned } from '../jobs/poison.js';
import type { Job } from '../jobs/types.js';
import { utf8Length } from '../jobs/utf8.js';
import { splitBytesOf } from './cost-model.js';
import type { Range } from './random.js';
import { matchesTask } from './scenario/triggers.js';
import type { Misbehaviour, ScenarioJob, TaskTime } from './scenario/types.js';
import { thrownText } from './thrown-text.js';

export interface MapResult {
  readonly generation: number;
  /** The records that were left out. */
  readonly skip: readonly string[];
  readonly partitions: PlainMapOutput['partitions'];
  readonly output: Output;
  /** What its output adds to the generation that a reduce has read. */
  readonly share: Generation;
  readonly counters: Counters;
}

export interface ReduceResult {
  readonly generation: number;
  readonly skip: readonly string[];
  readonly text: string;
  readonly output: Output;
  readonly counters: Counters;
}

/** Jobs by name, as scenarios call them: with params, the job may be another. */
export type JobRegistry = ReadonlyMap<string, Pick<Builtin, 'job' | 'jobOf'>>;

const budgetBytes = 1 << 20;

interface Results {
  /** Or the record that the task cannot stand. */
  readonly maps: Map<string | number, MapResult | BadRecordError>;
  readonly reduces: Map<string, ReduceResult>;
  /** Of the sequential run in which every task answers as it should and leaves nothing out. */
  plain: SequentialResult | undefined;
}

export interface SequentialResult {
  readonly parts: readonly string[];
  readonly counters: Counters;
}

/**
 * Of jobs run before: the same work on another seed gives the same results. Only of our own code, which is known to
 * answer the same each time, and only of so many tasks.
 */
let remembered = new Map<string, Results>();
let rememberedTasks = 0;
const rememberedTasksMax = 16_384;

function resultsOf(job: Job, hash: string, { maps, reduces, poison }: ScenarioJob): Results {
  const none: Results = { maps: new Map(), reduces: new Map(), plain: undefined };
  const tasks = maps + reduces;
  if (tasks > rememberedTasksMax || job !== builtinJobs.get(job.name)?.job) return none;
  const key = JSON.stringify([job.name, hash, maps, reduces, poison]);
  const known = remembered.get(key);
  if (known) return known;
  if (rememberedTasks + tasks > rememberedTasksMax) {
    remembered = new Map();
    rememberedTasks = 0;
  }
  rememberedTasks += tasks;
  remembered.set(key, none);
  return none;
}

export class Work {
  /** What the machines know it by. Where the file of a user's job lies, and how it is written, is no part of it. */
  readonly hash: string;
  readonly name: string;
  /** Place in the scenario's list, from 0. */
  readonly index: number;
  readonly scenario: ScenarioJob;
  readonly #job: Job;
  readonly #seed: string;
  #splits: readonly (readonly PlainRecord[])[] | undefined;
  readonly #results: Results;
  /** By task, once one was asked for. */
  readonly #times = new Map<number, TaskTime[]>();
  readonly #generations = new WeakMap<readonly MapResult[], string>();

  /** `seed` keys what user code draws; without one, the simulator's. */
  constructor(index: number, scenario: ScenarioJob, registry: JobRegistry, seed?: string) {
    const found = scenario.own ?? registry.get(scenario.run);
    if (!found) throw new Error(`the registry has no job "${scenario.run}"`);
    this.name = scenario.own?.job.name ?? scenario.run;
    this.index = index;
    this.scenario = scenario;
    const job = 'jobOf' in found ? found.jobOf?.(scenario.parameters) : undefined;
    this.#job = poisoned(job ?? found.job, scenario.poison);
    this.hash = stateDigest({
      index,
      run: this.name,
      parameters: scenario.parameters,
      input: scenario.input,
      ...(scenario.cost ? { cost: JSON.stringify(scenario.cost) } : {}),
    });
    this.#seed = seed ?? this.hash;
    this.#results = resultsOf(found.job, this.hash, scenario);
  }

  /** How long the n-th attempt of a task works, where that is said of it. */
  timeUs(task: number, ordinal: number): Range | undefined {
    const { times = [], maps } = this.scenario;
    if (times.length > 0 && this.#times.size === 0) {
      for (const time of times) {
        const index = time.task.kind === 'map' ? time.task.index : maps + time.task.index;
        this.#times.set(index, [...(this.#times.get(index) ?? []), time]);
      }
    }
    return this.#times.get(task)?.find((one) => (one.task.ordinal ?? ordinal) === ordinal)?.timeUs;
  }

  /** What user code does in the n-th attempt of a task (index among all tasks of the job). */
  misbehaviour(task: number, ordinal: number): Misbehaviour['how'] | undefined {
    const found = this.scenario.misbehaviours.find(({ task: pattern }) =>
      matchesTask(pattern, { task: taskName(task, this.scenario.maps), ordinal } as Parameters<
        typeof matchesTask
      >[1]),
    );
    return found?.how;
  }

  /** Throws what user code throws, as `BadRecordError` where it is known which record that was. */
  map(task: number, generation: number, skip: readonly string[] = []): MapResult {
    const key = keyOf(task, generation, skip);
    const { maps } = this.#results;
    let result = maps.get(key);
    if (result === undefined) {
      result = this.scenario.cost
        ? this.#madeUpMap(task, generation, skip)
        : this.#runMap(task, generation, skip);
      maps.set(key, result);
    }
    if (result instanceof BadRecordError) throw result;
    return result;
  }

  #runMap(task: number, generation: number, skip: readonly string[]): MapResult | BadRecordError {
    const { reduces, parameters } = this.scenario;
    const context = { task: taskName(task, this.scenario.maps), params: parameters, seed: this.#seed };
    const job = generation === 0 ? this.#job : different(this.#job, generation);
    this.#splits ??= splitLines(this.scenario.input, this.scenario.maps);
    const split = this.#splits[task]!;
    const site: RecordSite = {};
    const mapped = orBadRecord(() =>
      naming(site, () => runPlainMap({ job, records: split, reduces, budgetBytes, context, skip, site })),
    );
    if (mapped instanceof BadRecordError) return mapped;
    const { partitions, counters } = mapped;
    const records = partitions.reduce((sum, partition) => sum + partition.length, 0);
    const bytes = JSON.stringify(partitions).length;
    const output = { digest: stateDigest(partitions), bytes, records, inputs: '' };
    const share = newGeneration();
    mixGeneration(share, task, output.digest, 1);
    return { generation, skip, partitions, counters, output, share };
  }

  /** Content that stands for bytes nobody has: told apart by task and generation, and counted. */
  #madeUpMap(task: number, generation: number, skip: readonly string[]): MapResult {
    const cost = this.scenario.cost!;
    const bytes = Math.round(splitBytesOf(cost, task) * cost.intermediate);
    const output = {
      digest: stateDigest({ hash: this.hash, task, generation }),
      bytes,
      records: 0,
      inputs: '',
    };
    const share = newGeneration();
    mixGeneration(share, task, output.digest, 1);
    return { generation, skip, partitions: [], counters: [['map output bytes', bytes]], output, share };
  }

  reduce(
    partition: number,
    generation: number,
    inputs: readonly MapResult[],
    skip: readonly string[] = [],
  ): ReduceResult {
    const read = this.#generationOf(inputs);
    const key = `${partition}.${generation}.${read}.${skip.join(' ')}`;
    const known = this.#results.reduces.get(key);
    if (known) return known;
    const reduced = this.scenario.cost
      ? { text: `part ${partition} of what ${read} holds\n`, counters: [] }
      : this.#runReduce(partition, inputs, skip);
    const text = generation === 0 ? reduced.text : `${reduced.text}generation ${generation}\n`;
    const output = {
      digest: stateDigest(text),
      bytes: text.length,
      records: text.split('\n').length - 1,
      inputs: read,
    };
    const result = { generation, skip, text, counters: reduced.counters, output };
    this.#results.reduces.set(key, result);
    return result;
  }

  #runReduce(partition: number, inputs: readonly MapResult[], skip: readonly string[]) {
    const context = {
      task: taskName(this.scenario.maps + partition, this.scenario.maps),
      params: this.scenario.parameters,
      seed: this.#seed,
    };
    const shared = inputs.map((input) => input.partitions[partition]!);
    const sources = this.scenario.own ? copied(shared) : shared; // code of the user's may change what it is given
    const site: RecordSite = {};
    return naming(site, () => runPlainReduce({ job: this.#job, sources, context, skip, site }));
  }

  /** Remembered by list: all reduces of a job mostly read the same few. */
  #generationOf(inputs: readonly MapResult[]): string {
    let text = this.#generations.get(inputs);
    if (text === undefined) {
      const read = newGeneration();
      for (const { share } of inputs) addGeneration(read, share);
      this.#generations.set(inputs, (text = generationText(read)));
    }
    return text;
  }

  /** The sequential run, with the given generation of each task, and without the given records of each. */
  sequential(generations: readonly number[], skips: readonly (readonly string[])[] = []): SequentialResult {
    const isPlain = generations.every((one) => one === 0) && skips.every((skip) => skip.length === 0);
    if (!isPlain) return this.#runSequentially(generations, skips);
    this.#results.plain ??= this.#runSequentially(generations, skips);
    return this.#results.plain;
  }

  #runSequentially(generations: readonly number[], skips: readonly (readonly string[])[]): SequentialResult {
    const { maps, reduces } = this.scenario;
    const mapped = Array.from({ length: maps }, (_, task) => this.map(task, generations[task]!, skips[task]));
    const reduced = Array.from({ length: reduces }, (_, partition) =>
      this.reduce(partition, generations[maps + partition]!, mapped, skips[maps + partition]),
    );
    return {
      parts: reduced.map((result) => result.text),
      counters: addCounters([...mapped, ...reduced].map((result) => result.counters)),
    };
  }

  /** What a run that skips bad records leaves out of each task: whatever user code cannot stand, found one by one. */
  badRecords(): string[][] {
    const { maps, reduces } = this.scenario;
    const bad: string[][] = [];
    const found = <T>(run: (skip: readonly string[]) => T): T => {
      const skip: string[] = [];
      bad.push(skip);
      for (;;) {
        try {
          return run(skip);
        } catch (error) {
          if (!(error instanceof BadRecordError)) throw error;
          skip.push(error.record);
        }
      }
    };
    const mapped = Array.from({ length: maps }, (_, task) => found((skip) => this.map(task, 0, skip)));
    for (let partition = 0; partition < reduces; partition++)
      found((skip) => this.reduce(partition, 0, mapped, skip));
    return bad;
  }
}

/** Nearly all tasks answer as they should and leave nothing out. */
function keyOf(task: number, generation: number, skip: readonly string[]): string | number {
  return generation === 0 && skip.length === 0 ? task : `${task}.${generation}.${skip.join(' ')}`;
}

/** Values between map and reduce are what JSON can say. */
function copied<T>(sources: T): T {
  return JSON.parse(JSON.stringify(sources));
}

const byteOrderMark = '\ufeff';

/** Cuts the lines of all inputs into as many runs of neighbours as there are maps. */
function splitLines(input: readonly string[], maps: number): PlainRecord[][] {
  const lines: PlainRecord[] = [];
  for (const [index, text] of input.entries()) {
    let offset = 0;
    if (text === byteOrderMark) continue;
    for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
      const record = line.slice(offset === 0 && line.startsWith(byteOrderMark) ? 1 : 0).replace(/\r?\n$/, '');
      lines.push({ record, offset, input: `input-${index}` });
      offset += utf8Length(line);
    }
  }
  const cut = (map: number): number => Math.floor((map * lines.length) / maps);
  return Array.from({ length: maps }, (_, map) => lines.slice(cut(map), cut(map + 1)));
}

/** A job that emits one pair more, another one in each generation; or sends its keys elsewhere. */
function different(job: Job, generation: number): Job {
  if (generation < 0) {
    return { ...job, partition: (key, reduces) => (partitionOf(key, reduces) - generation) % reduces };
  }
  const map: Job['map'] = (line, emit, context) => {
    emit(`generation-${generation}`, 1);
    return job.map(line, emit, context);
  };
  return { ...job, map };
}

/** What user code threw at one record. */
export class BadRecordError extends Error {
  readonly record: string;

  constructor(record: string, cause: unknown) {
    super(thrownText(cause), { cause });
    this.record = record;
  }
}

class AnswersLaterError extends TypeError {
  constructor() {
    super('a job that answers later cannot be simulated');
  }
}

/** Whether some function of the user's job gives a promise for some record that it can stand. */
export function answersLater(scenario: ScenarioJob): boolean {
  try {
    new Work(0, scenario, new Map()).badRecords();
  } catch (error) {
    return error instanceof AnswersLaterError; // all else is the failure of an attempt
  }
  return false;
}

function naming<T>(site: RecordSite, run: () => T | Promise<T>): T {
  try {
    return settled(run());
  } catch (error) {
    const record = site.record?.();
    if (record === undefined || error instanceof AnswersLaterError) throw error;
    throw new BadRecordError(record, error);
  }
}

function orBadRecord<T>(run: () => T): T | BadRecordError {
  try {
    return run();
  } catch (error) {
    if (error instanceof BadRecordError) return error;
    throw error;
  }
}

function settled<T>(result: T | Promise<T>): T {
  if (!(result instanceof Promise)) return result;
  result.catch(() => {}); // nobody waits for it
  throw new AnswersLaterError();
}
