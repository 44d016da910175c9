/**
 * What a scenario's job computes: its splits, and the real map and reduce functions run in memory. A pure function of
 * (task, generation), remembered, so that attempts and the oracle share the results.
 *
 * The generation of a task is 0; user code that answers differently each time has another generation per attempt.
 */
import { stateDigest } from '../core/canonical.js';
import { generationText, mixGeneration, newGeneration } from '../core/generation.js';
import type { Counters, Output } from '../core/records.js';
import {
  addCounters,
  type PlainMapOutput,
  type PlainRecord,
  runPlainMap,
  runPlainReduce,
} from '../jobs/plain.js';
import type { Job } from '../jobs/types.js';
import { matchesTask } from './scenario/triggers.js';
import type { Misbehaviour, ScenarioJob } from './scenario/types.js';

export interface MapResult {
  readonly generation: number;
  readonly partitions: PlainMapOutput['partitions'];
  readonly output: Output;
  readonly counters: Counters;
}

export interface ReduceResult {
  readonly generation: number;
  readonly text: string;
  readonly output: Output;
  readonly counters: Counters;
}

/** Jobs by name, as scenarios call them. */
export type JobRegistry = ReadonlyMap<string, { readonly job: Job }>;

/** The scenario asks for a job that the registry does not know: the user's mistake. */
export class UnknownJobError extends Error {
  constructor(name: string, known: readonly string[]) {
    super(`no job is called "${name}"; there are ${known.join(', ')}`);
    this.name = 'UnknownJobError';
  }
}

const budgetBytes = 1 << 20;

export class Work {
  /** What the machines know it by. */
  readonly hash: string;
  /** Place in the scenario's list, from 0. */
  readonly index: number;
  readonly scenario: ScenarioJob;
  readonly #job: Job;
  readonly #splits: readonly (readonly PlainRecord[])[];
  readonly #mapResults = new Map<string, MapResult>();
  readonly #reduceResults = new Map<string, ReduceResult>();

  constructor(index: number, scenario: ScenarioJob, registry: JobRegistry) {
    const found = registry.get(scenario.run);
    if (!found) throw new UnknownJobError(scenario.run, [...registry.keys()]);
    this.index = index;
    this.scenario = scenario;
    this.#job = found.job;
    this.#splits = splitLines(scenario.input, scenario.maps);
    this.hash = stateDigest({
      index,
      run: scenario.run,
      parameters: scenario.parameters,
      input: scenario.input,
    });
  }

  /** What user code does in the n-th attempt of a task (index among all tasks of the job). */
  misbehaviour(task: number, ordinal: number): Misbehaviour['how'] | undefined {
    const found = this.scenario.misbehaviours.find(({ task: pattern }) =>
      matchesTask(pattern, { task: this.#name(task), ordinal } as Parameters<typeof matchesTask>[1]),
    );
    return found?.how;
  }

  map(task: number, generation: number): MapResult {
    const key = `${task}.${generation}`;
    const known = this.#mapResults.get(key);
    if (known) return known;
    const { reduces, parameters } = this.scenario;
    const context = { task: this.#name(task), params: parameters, seed: this.hash };
    const job = generation === 0 ? this.#job : different(this.#job, generation);
    const split = this.#splits[task]!;
    const { partitions, counters } = settled(
      runPlainMap({ job, records: split, reduces, budgetBytes, context }),
    );
    const records = partitions.reduce((sum, partition) => sum + partition.length, 0);
    const bytes = JSON.stringify(partitions).length;
    const output = { digest: stateDigest(partitions), bytes, records, inputs: '' };
    const result = { generation, partitions, counters, output };
    this.#mapResults.set(key, result);
    return result;
  }

  reduce(partition: number, generation: number, inputs: readonly MapResult[]): ReduceResult {
    const read = newGeneration();
    for (const [task, input] of inputs.entries()) mixGeneration(read, task, input.output.digest, 1);
    const key = `${partition}.${generation}.${generationText(read)}`;
    const known = this.#reduceResults.get(key);
    if (known) return known;
    const task = this.scenario.maps + partition;
    const context = { task: this.#name(task), params: this.scenario.parameters, seed: this.hash };
    const sources = inputs.map((input) => input.partitions[partition]!);
    const reduced = settled(runPlainReduce({ job: this.#job, sources, context }));
    const text = generation === 0 ? reduced.text : `${reduced.text}generation ${generation}\n`;
    const output = {
      digest: stateDigest(text),
      bytes: text.length,
      records: text.split('\n').length - 1,
      inputs: generationText(read),
    };
    const result = { generation, text, counters: reduced.counters, output };
    this.#reduceResults.set(key, result);
    return result;
  }

  /** The sequential run, with the given generation of each task. */
  sequential(generations: readonly number[]): {
    readonly parts: readonly string[];
    readonly counters: Counters;
  } {
    const { maps, reduces } = this.scenario;
    const mapped = Array.from({ length: maps }, (_, task) => this.map(task, generations[task]!));
    const reduced = Array.from({ length: reduces }, (_, partition) =>
      this.reduce(partition, generations[maps + partition]!, mapped),
    );
    return {
      parts: reduced.map((result) => result.text),
      counters: addCounters([...mapped, ...reduced].map((result) => result.counters)),
    };
  }

  #name(task: number): string {
    const { maps } = this.scenario;
    return task < maps ? `map-${task}` : `reduce-${task - maps}`;
  }
}

/** Cuts the lines of all inputs into as many runs of neighbours as there are maps. */
function splitLines(input: readonly string[], maps: number): PlainRecord[][] {
  const lines: PlainRecord[] = [];
  for (const [index, text] of input.entries()) {
    let offset = 0;
    for (const line of text.split('\n')) {
      if (line !== '' || offset + line.length < text.length)
        lines.push({ record: line, offset, input: `input-${index}` });
      offset += line.length + 1;
    }
  }
  const cut = (map: number): number => Math.floor((map * lines.length) / maps);
  return Array.from({ length: maps }, (_, map) => lines.slice(cut(map), cut(map + 1)));
}

/** A job that emits one pair more, another one in each generation. */
function different(job: Job, generation: number): Job {
  const map: Job['map'] = (line, emit, context) => {
    emit(`generation-${generation}`, 1);
    return job.map(line, emit, context);
  };
  return { ...job, map };
}

function settled<T>(result: T | Promise<T>): T {
  if (result instanceof Promise) throw new TypeError('a job that answers later cannot be simulated');
  return result;
}
