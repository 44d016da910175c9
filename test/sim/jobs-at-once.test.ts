/** Scenarios in which jobs run at once: who submits when, which job a trigger means, and what a drain or a lost client does. */
import { describe, expect, it } from 'vitest';
import type { Fact } from '../../sim/scenario/facts.js';
import { loadScenarios } from '../../sim/scenario/load.js';
import type { Scenario } from '../../sim/scenario/types.js';
import { type SimulationResult, simulate } from '../../sim/simulate.js';

function play(text: string): SimulationResult {
  return simulate(load(text), { keepsFacts: true });
}

function load(text: string): Scenario {
  const loaded = loadScenarios(text, 'x.yaml');
  if (!loaded.ok) throw new Error(loaded.errors.map(({ message }) => message).join('\n'));
  return loaded.scenarios[0]!;
}

/** When these facts of the scenario's job came about. */
function times({ facts }: SimulationResult, name: Fact['name'], job: number): number[] {
  return facts.filter((fact) => fact.name === name && fact.ofJob === job).map(({ atUs }) => atUs);
}

const first = '{ maps: 6, reduces: 2, output: first }';

describe('a job with a time of its own', () => {
  it('is submitted then, whatever the job before it does', () => {
    const result = play(`{ name: x, jobs: [${first}, { output: second, at: 500ms }], expect: {} }`);
    expect(result.verdict).toBe('passed');
    expect(times(result, 'started', 2)[0]).toBeGreaterThan(500_000);
    expect(times(result, 'started', 2)[0]).toBeLessThan(times(result, 'job-published', 1)[0]!);
  });

  it('holds up none of the jobs that come one after another, nor is it held up by them', () => {
    const jobs = `[${first}, { output: second, at: 300ms, reduces: 3 }, { output: third }]`;
    const result = play(`{ name: x, jobs: ${jobs}, expect: {} }`);
    expect(result.verdict).toBe('passed');
    expect(times(result, 'job-accepted', 3)[0]).toBeGreaterThan(times(result, 'job-published', 2)[0]!);
  });

  it('is waited for, however late it comes', () => {
    const result = play(
      `{ name: x, jobs: [{ output: a }, { output: b, at: 20m }], expect: { within: 30m } }`,
    );
    expect(result).toMatchObject({ verdict: 'passed', jobs: [{}, { outcome: 'succeeded' }] });
  });

  it('is meant by its place in the file, whatever number the journal has for it', () => {
    const faults = '[{ when: "job-1 map-0 started", crash: its worker, restartAfter: 1s }]';
    const result = play(`{ name: x, jobs: [{ output: a, at: 400ms, maps: 1 }, { output: b, at: 0s, maps: 9 }],
      faults: ${faults}, expect: { attempts: { map-0: 2 } } }`);
    expect(result.verdict).toBe('passed');
    const crashed = result.facts.find(({ name }) => name === 'node-crashed')!;
    expect(crashed.atUs).toBe(times(result, 'started', 1)[0]);
    expect(result.facts.find(({ ofJob }) => ofJob === 1)).toMatchObject({ job: 2 });
  });

  it('is refused when its output overlaps that of one that has not ended', () => {
    const jobs = `[${first}, { output: first/inner, at: 500ms }, { output: first-of-all, at: 500ms }]`;
    const result = play(`{ name: x, jobs: ${jobs}, expect: { jobs: [succeeded, refused, succeeded] } }`);
    expect(result.verdict).toBe('passed');
  });

  it('says of each attempt in the time line whose it is', () => {
    const { timeline } = play(`{ name: x, jobs: [${first}, { output: second, at: 0s }], expect: {} }`);
    for (const job of [1, 2]) expect(timeline.join('\n')).toMatch(`started              job-${job} map-0@1`);
  });
});

describe('a drain while two jobs run', () => {
  it('is asked for by both clients, and leaves out the jobs to come', () => {
    const jobs = `[${first}, { output: second, at: 100ms, maps: 9 }, { output: third, at: 1m }]`;
    const faults = '[{ when: "job-2 map-0 started", drain: run }]';
    const { jobs: outcomes, violation } = play(
      `{ name: x, jobs: ${jobs}, faults: ${faults}, expect: { job: any } }`,
    );
    expect(violation).toBeUndefined();
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['drained', 'drained', 'unfinished']);
  });
});

describe('a client that dies for good', () => {
  it('takes along nobody else, and its job is not called late', () => {
    const jobs = `[${first}, { output: second, at: 0s, maps: 5 }]`;
    const faults = '[{ when: "job-1 map-0 started", crash: client-1 }]';
    const { jobs: outcomes, violation } = play(
      `{ name: x, jobs: ${jobs}, faults: ${faults}, expect: { job: any } }`,
    );
    expect(violation).toBeUndefined();
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['unfinished', 'succeeded']);
  });
});
