/** Jobs of files, as a scenario takes those that it is handed. */
import { describe, expect, it } from 'vitest';
import { sum } from '../../../jobs/aggregates.js';
import { defineJob } from '../../../jobs/define.js';
import { definePipeline, type Program } from '../../../jobs/pipeline.js';
import type { Job } from '../../../jobs/types.js';
import type { ScenarioError } from '../../../sim/scenario/error.js';
import type { JobFile } from '../../../sim/scenario/job-files.js';
import { jobFilesIn, loadScenarios } from '../../../sim/scenario/load.js';
import type { Scenario } from '../../../sim/scenario/types.js';
import { writeScenario } from '../../../sim/scenario/write.js';
import { shrink } from '../../../sim/shrink/shrink.js';
import { simulate } from '../../../sim/simulate.js';
import { TraceRecorder } from '../../../sim/traced.js';
import { Work } from '../../../sim/work.js';

const module = { code: '', hash: 'ab' };
const lines = defineJob({ name: 'lines', map: (line, emit) => emit(line, 1), reduce: sum });

function load(program: Program | JobFile, job = 'run: lines.ts', rest = 'expect: {}') {
  const file = 'problem' in program || 'program' in program ? program : { program, module };
  return loadScenarios(`name: x\njob: { ${job} }\n${rest}\n`, 'x.yaml', new Map([['lines.ts', file]]));
}

function scenarioOf(...given: Parameters<typeof load>): Scenario {
  const loaded = load(...given);
  if (!loaded.ok) throw new Error(loaded.errors[0]!.message);
  return loaded.scenarios[0]!;
}

function errorOf(...given: Parameters<typeof load>): Partial<ScenarioError> {
  const loaded = load(...given);
  if (loaded.ok) throw new Error('nothing is wrong');
  const { code, message, line, column } = loaded.errors[0]!;
  return { code, message, line, column };
}

const place = { line: 2, column: 13 };

it('finds the files that a text names, in every variant, and nothing else', () => {
  const text =
    'name: x\njobs: [{ run: "{job}.ts" }, { run: sort }, { run: 3 }, {}]\nvary: { job: [a, b/c] }\n';
  expect(jobFilesIn(text)).toEqual(['a.ts', 'b/c.ts']);
  expect(jobFilesIn('job: { run: a.ts }')).toEqual(['a.ts']);
  for (const none of ['', '- a.ts', 'job: { run: word-count }', 'job: [', 'job: null', 'jobs: a.ts'])
    expect(jobFilesIn(none), none).toEqual([]);
});

describe('refused, with its place', () => {
  const twice = definePipeline({ name: 'twice', stages: [lines, lines] });
  const csv: Job = { ...lines, inputFormat: 'csv' };
  const later = { ...lines, map: async () => {} } as Job;
  const laterAtTheEnd = { ...lines, reduce: async () => 1 } as Job;
  const needy: Program = ({ n }) => {
    throw new Error(`n is ${n}`);
  };
  it.each<[string, Program | JobFile, string, RegExp]>([
    ['what could not be loaded', { problem: 'no such job file: lines.ts' }, 'S019', /^no such job file/],
    ['a function that gives no job', needy, 'S019', /gives no job: n is undefined$/],
    ['a pipeline', twice, 'S016', /is a pipeline/],
    ['rows of CSV', csv, 'S021', /reads csv/],
    ['no reduce', { ...lines, reduce: 'none' }, 'S021', /has no reduce/],
    ['a map that answers later', later, 'S021', /answers with promises/],
    ['a reduce that answers later', laterAtTheEnd, 'S021', /answers with promises/],
  ])('%s', (_, program, code, message) => {
    expect(errorOf(program)).toEqual({ code, message: expect.stringMatching(message), ...place });
  });

  it('a file where nobody has loaded any', () => {
    const loaded = loadScenarios('name: x\njob: { run: other.ts }\nexpect: {}\n', 'x.yaml');
    expect(loaded).toMatchObject({ ok: false, errors: [{ code: 'S016', message: /is a file/, ...place }] });
  });
});

it('what code of the user throws is the failure of its attempt, whatever it is', () => {
  const said = { null: null, 'a text': 'a text', '{"not":"an error"}': { not: 'an error' } };
  for (const [words, thrown] of Object.entries(said)) {
    const job: Job = {
      ...lines,
      map() {
        throw thrown;
      },
    };
    const scenario = scenarioOf(job, 'run: lines.ts', 'expect: { job: failed, reason: task-failed }');
    const recorder = new TraceRecorder('1', {});
    expect(simulate(scenario, { onStep: (step) => recorder.stepped(step) }).verdict).toBe('passed');
    const told = recorder.traces.flatMap(({ lines }) => lines).map(({ event }) => event);
    const broke = told.find(({ type }) => type === 'attempt.broke');
    expect(broke).toMatchObject({ failure: { kind: 'user', message: `thrown: ${words}`, record: '0' } });
  }
});

it('a reduce that changes the values it is given changes them for nobody else', () => {
  const greedy: Job = {
    name: 'greedy',
    map: (line, emit) => emit('all', [line]),
    reduce(_, values) {
      const [first, ...rest] = values as Iterable<string[]>;
      for (const more of rest) first!.push(...more);
      return first;
    },
  };
  const { jobs } = scenarioOf(greedy, 'run: lines.ts, input: ["a\\nb\\nc\\n"], maps: 3');
  const work = new Work(0, jobs[0]!, new Map());
  const maps = [0, 1, 2].map((task) => work.map(task, 0));
  const { text } = work.reduce(0, 0, maps);
  expect(text).toBe('all ["a","b","c"]\n');
  expect(work.reduce(0, 0, maps, ['another attempt']).text).toBe(text);
});

it('its lines are what a real run reads: CRLF ends them, offsets count bytes', () => {
  const places: Job = { ...lines, map: (line, emit, ctx) => emit(line, ctx.input.offset) };
  const { jobs } = scenarioOf(places, 'run: lines.ts, input: ["äö\\r\\nb\\n\\nlast\\r"], maps: 1');
  const [part] = new Work(0, jobs[0]!, new Map()).sequential([0, 0]).parts;
  expect(part!.split('\n')).toEqual([' 8', 'b 6', 'last\\r 9', 'äö 0', '']);
});

it('a byte-order mark at the start of an input is dropped, and counted in offsets', () => {
  const places: Job = { ...lines, map: (line, emit, ctx) => emit(line, ctx.input.offset) };
  const input = '["\\ufeffa\\n\\ufeffb\\n", "\\ufeff", "\\ufeff\\n"]';
  const { jobs } = scenarioOf(places, `run: lines.ts, input: ${input}, maps: 1`);
  const [part] = new Work(0, jobs[0]!, new Map()).sequential([0, 0]).parts;
  expect(part!.split('\n')).toEqual([' 0', 'a 0', '\ufeffb 5', '']);
});

it('a chain depends on what a job does, and not on its file', () => {
  const chainOf = (program: Program, hash: string): string =>
    simulate(scenarioOf({ program, module: { code: hash, hash } })).chain;
  const chain = chainOf(lines, 'a');
  expect(chainOf({ ...lines }, 'b')).toBe(chain);
  expect(chainOf({ ...lines, map: (line, emit) => emit(`${line}!`, 1) } as Job, 'a')).not.toBe(chain);
});

it('a shrunk scenario is written with the file of its job, and fails with it again', () => {
  const failing = 'faults: [{ when: map-0 started, crash: its worker }]\nexpect: { not: [worker-lost] }';
  const scenario = scenarioOf(lines, 'run: lines.ts, maps: 3, parameters: { a: b }', failing);
  const small = shrink(scenario, '1')!;
  const text = writeScenario(small.scenario);
  const again = loadScenarios(text, 'y.yaml', new Map([['lines.ts', { program: lines, module }]]));
  if (!again.ok) throw new Error(again.errors[0]!.message);
  expect(again.scenarios[0]!.jobs[0]).toMatchObject({ run: 'lines.ts', parameters: { a: 'b' }, maps: 1 });
  expect(simulate(again.scenarios[0]!).verdict).toBe('failed');
});
