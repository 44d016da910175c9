import { describe, expect, it } from 'vitest';
import { builtinJobs } from '../../../jobs/builtin/registry.js';
import { scenarioErrorText } from '../../../sim/scenario/error.js';
import { jobFilesIn, loadScenarios } from '../../../sim/scenario/load.js';
import { faultKinds } from '../../../sim/scenario/read-fault.js';
import { scenarioJsonSchema } from '../../../sim/scenario/schema.js';
import { simulate } from '../../../sim/simulate.js';

/** The errors of a text, as people see them. */
function errors(text: string): string[] {
  const loaded = loadScenarios(text, 'scenarios/some.yaml');
  return loaded.ok ? [] : loaded.errors.map(scenarioErrorText);
}

function codes(text: string): string[] {
  const loaded = loadScenarios(text, 'some.yaml');
  return loaded.ok ? [] : loaded.errors.map(({ code, line, column }) => `${code} ${line}:${column}`);
}

function only(text: string) {
  const loaded = loadScenarios(text, 'some.yaml');
  if (!loaded.ok) throw new Error(loaded.errors.map(scenarioErrorText).join('\n'));
  expect(loaded.scenarios).toHaveLength(1);
  return loaded.scenarios[0]!;
}

it('an unknown fault kind is shown with its place, what is allowed, and what was meant', () => {
  const text = ['name: x', 'expect: {}', 'faults:', '  - kind: crsh'].join('\n');
  expect(errors(text)).toEqual([
    [
      'error[S014]: unknown fault kind "crsh"',
      '  --> scenarios/some.yaml:4:11',
      '   4 |   - kind: crsh',
      `     |           ^^^^ one of: ${faultKinds.join(', ')}`,
      '  did you mean "crash"?',
    ].join('\n'),
  ]);
});

it.each([
  ['faults: [{ at: 1s, crash: leader, restartAfter: 2 }]', '"2" is not a duration', '500ms, 10s or 2m'],
  ['job: { cost: { inputs: [1GB], split: 64 } }', '"64" is not a size', '64MB'],
  ['job: { cost: { inputs: [1GB], scan: 50MB } }', '"50MB" is not a rate', '50MB/s'],
  ['starts: noon', '"noon" is not a time of day', '12:00 or 12:00:30'],
])('a text of another form is told how it is written: %s', (line, message, like) => {
  const [error] = errors(`name: x\n${line}\nexpect: {}`);
  expect(error).toContain(`error[S006]: ${message}\n`);
  expect(error).toMatch(new RegExp(`\\^ write it like ${like}$`));
});

it.each([
  ['vary: { x: [1] }', 'item 1 of "x" has the wrong type'],
  ['faults: [{ at: 1s, partition: [leader, 5] }]', 'item 2 of "partition" has the wrong type'],
])('what stands in a list is named by its place: %s', (line, message) => {
  expect(errors(`name: "{x}"\n${line}\nexpect: {}`)[0]).toContain(`error[S002]: ${message}\n`);
});

it.each([
  ['', 'the file is empty'],
  ['# nothing yet\n', 'the file is empty'],
  ['word', 'this is no scenario'],
])('a file without a scenario says so: %j', (text, message) => {
  expect(errors(text)[0]).toMatch(new RegExp(`^error\\[S002\\]: ${message}\\n.* one of: name, `, 's'));
});

it.each([
  ['job: { run: *nope }', '2:13'],
  ['vary: &x { a: [*x] }', '2:16'],
  [
    `job: [&a [x], ${'bcdefgh'.replaceAll(/./g, (to) => `&${to} [${`*${String.fromCharCode(to.charCodeAt(0) - 1)}, `.repeat(9)}], `)}]`,
    '1:1',
  ],
])('an alias that cannot be is told at its place: %#', (line, place) => {
  const text = `name: x\n${line}\nexpect: {}\n`;
  expect(codes(text)).toEqual([`S001 ${place}`]);
  expect(jobFilesIn(text)).toEqual([]);
});

describe('a mistake is pointed at by line and column', () => {
  it.each([
    ['S002 1:3', '? [a, b]\n: c\nname: x\nexpect: {}'],
    ['S026 3:1', 'name: x\nexpect: {}\n---\nname: y\nexpect: {}'],
    ['S001 3:1', 'name: x\nseed: [1\nexpect: {}'],
    ['S002 1:7', 'name: [x]\nexpect: {}'],
    ['S003 3:1', 'name: x\nexpect: {}\nfualts: []'],
    ['S003 2:12', 'name: x\ncluster: { wrokers: 3 }\nexpect: {}'],
    ['S004 1:1', 'name: x'],
    ['S005 2:27', 'name: x\npolicy: { lateReports:    never }\nexpect: {}'],
    ['S005 2:21', 'name: x\ncluster: { workers: 0 }\nexpect: {}'],
    ['S006 2:18', 'name: x\njob: { mapTime:  5 seconds }\nexpect: {}'],
    ['S006 2:17', 'name: x\njob: { mapTime: 9s..3s }\nexpect: {}'],
    ['S010 2:19', 'name: x\nfaults: [ { when: "map-0@1 strated", crash: leader } ]\nexpect: {}'],
    ['S010 2:20', 'name: x\nfaults: [ { point: publish.befor_rename, crash: it } ]\nexpect: {}'],
    ['S010 2:23', 'name: x\nexpect: { exercised: [late-reprot-refused] }'],
    ['S011 2:29', 'name: x\nfaults: [ { at: 1s, crash:  worker-9 } ]\nexpect: {}'],
    ['S011 2:19', 'name: x\nfaults: [ { when: "map-7 started", crash: leader } ]\nexpect: {}'],
    ['S011 2:22', 'name: x\nexpect: { commits: { map-9: 1 } }'],
    ['S012 2:11', 'name: x\nfaults: [ { crash: leader } ]\nexpect: {}'],
    ['S012 2:36', 'name: x\nfaults: [ { at: 1s, crash: leader, pause: worker-1 } ]\nexpect: {}'],
    ['S012 2:36', 'name: x\nfaults: [ { at: 1s, crash: leader, for: 2s } ]\nexpect: {}'],
    ['S012 2:36', 'name: x\nfaults: [ { at: 1s, crash: leader, gap: 2s } ]\nexpect: {}'],
    ['S012 2:21', 'name: x\nfaults: [ { at: 1s, flap: worker-1 } ]\nexpect: {}'],
    ['S005 2:56', 'name: x\nfaults: [ { at: 1s, loss: [leader, worker-1], percent: 101 } ]\nexpect: {}'],
    ['S005 2:56', 'name: x\nfaults: [ { at: 1s, hold: [leader, worker-1], message: beat } ]\nexpect: {}'],
    ['S011 2:29', 'name: x\nfaults: [ { at: 1s, delay: [all wrokers, leader], extra: 1s } ]\nexpect: {}'],
    ['S012 2:13', 'name: x\nfaults: [ { at: "12:01", crash: leader } ]\nexpect: {}'],
    ['S012 3:13', 'name: x\nstarts: "12:00"\nfaults: [ { at: "11:59", crash: leader } ]\nexpect: {}'],
    ['S012 2:14', 'name: x\njobs: [{ at: "12:01" }]\nexpect: {}'],
    ['S012 3:14', 'name: x\nstarts: "12:00"\njobs: [{ at: "11:59" }]\nexpect: {}'],
    ['S013 2:11', 'name: x\nexpect: { reason: nondeterministic }'],
    ['S014 2:21', 'name: x\nfaults: [ { at: 1s, crahs: leader } ]\nexpect: {}'],
    ['S015 2:9', 'name: x\nvary: { pint: [a] }\nexpect: {}'],
    ['S015 2:9', 'name: x\nvary: { pint: [a] } # {pint}\nexpect: {}'],
    [
      'S011 3:19',
      'name: x\njobs: [{ maps: 3, output: a }, {}]\nfaults: [ { when: "job-2 map-2 started", crash: it } ]\nexpect: {}',
    ],
    [
      'S011 3:56',
      'name: x\njobs: [{ maps: 3, output: a }, {}]\nfaults: [ { point: attempt.before_write, job: 2, task: map-2, crash: it } ]\nexpect: {}',
    ],
    ['S011 2:46', 'name: x\nfaults: [ { point: publish.before_sync, job: 2, crash: it } ]\nexpect: {}'],
    [
      'S010 2:48',
      'name: x\nfaults: [ { at: 1s, pause: worker-1,    until: "map-0 job published" } ]\nexpect: {}',
    ],
    ['S010 2:19', 'name: x\nfaults: [ { when: job-1 worker-joined, crash: leader } ]\nexpect: {}'],
    [
      'S012 2:42',
      'name: x\nfaults: [ { point: attempt.before_write, on: its worker, pause: it, for: 1s } ]\nexpect: {}',
    ],
    [
      'S012 2:42',
      'name: x\nfaults: [ { point: attempt.before_write, on: it, pause: it, for: 1s } ]\nexpect: {}',
    ],
    ['S012 2:27', 'name: x\nfaults: [ { at: 1s, slow: leader } ]\nexpect: {}'],
    ['S012 2:27', 'name: x\nfaults: [ { at: 1s, slow: client-1 } ]\nexpect: {}'],
    ['S012 2:45', 'name: x\nfaults: [ { at: 1s, blackout: leader, torn: true } ]\nexpect: {}'],
    ['S012 2:36', 'name: x\nfaults: [ { at: 1s, halt: store-1, restartAfter: 2s, for: 2s } ]\nexpect: {}'],
    ['S012 2:38', 'name: x\nfaults: [ { at: 1s, pause: worker-1, for: 0s } ]\nexpect: {}'],
    ['S012 2:36', 'name: x\nfaults: [ { at: 1s, halt: store-1, restartAfter: 0ms } ]\nexpect: {}'],
    ['S012 2:47', 'name: x\nfaults: [ { at: 1s, halt: store-1, every: 5s, restartAfter: 0ms } ]\nexpect: {}'],
    ['S012 2:36', 'name: x\nfaults: [ { at: 1s, halt: store-1, every: 0s } ]\nexpect: {}'],
    ['S012 2:37', 'name: x\nfaults: [ { at: 1s, flap: worker-1, every: 0s } ]\nexpect: {}'],
    ['S012 2:37', 'name: x\nfaults: [ { at: 1s, slow: worker-1, by: 1 } ]\nexpect: {}'],
    ['S012 2:38', 'name: x\nfaults: [ { at: 1s, drift: worker-1, by: 1 } ]\nexpect: {}'],
    ['S012 2:39', 'name: x\nfaults: [ { at: 1s, lag: all masters, by: 0.5 } ]\nexpect: {}'],
    ['S012 2:37', 'name: x\nfaults: [ { at: 1s, jump: worker-1, ahead: 0s } ]\nexpect: {}'],
    ['S012 2:48', 'name: x\nfaults: [ { at: 1s, delay: [worker-1, leader], extra: 0s..0ms } ]\nexpect: {}'],
    ['S012 2:47', 'name: x\nfaults: [ { at: 1s, clog: [worker-1, leader], gap: 0s } ]\nexpect: {}'],
    ['S013 2:21', 'name: x\nexpect: { job: any, within: 1s }'],
    ['S013 2:24', 'name: x\nexpect: { job: failed, output: any }'],
  ])('%s', (expected, text) => {
    expect(codes(text)).toEqual([expected]);
  });
});

it('a fault that changes nothing is told so in one sentence', () => {
  const [error] = errors('name: x\nfaults: [ { at: 1s, slow: worker-1, by: 1 } ]\nexpect: {}');
  expect(error).toContain('error[S012]: slow by 1 changes nothing\n');
});

it('several mistakes are all reported', () => {
  const text = 'name: x\ncluster: { wrokers: 3 }\npolicy: { lease: 5 }\nexpect: {}';
  expect(
    codes(text)
      .map((code) => code.slice(0, 4))
      .sort(),
  ).toEqual(['S003', 'S006']);
});

it('fills in every default', () => {
  const scenario = only('{ name: x, expect: {} }');
  expect(scenario.cluster).toMatchObject({
    masters: 1,
    workers: 2,
    slots: 1,
    beatUs: 1_000_000,
    workerLeaseUs: 10_000_000,
  });
  expect(scenario.jobs).toHaveLength(1);
  expect(scenario.jobs[0]).toMatchObject({
    run: 'modelled',
    maps: 2,
    reduces: 1,
    output: 'out',
    overwrite: false,
  });
  expect(scenario.jobs[0]!.input).toHaveLength(2);
  expect(scenario.expect.jobs).toEqual([{ outcome: 'succeeded' }]);
});

it('ends of links are nodes, roles or groups, and every parameter is read', () => {
  const { faults } = only(`
name: x
faults:
  - { at: 1s, delay: [all workers, leader], extra: 10ms..2s, for: 3s }
  - { at: 1s, loss: [worker-1, all masters], oneWay: true, percent: 5 }
  - { at: 1s, hold: [its worker, leader], message: attempt.completed, until: map-0 committed }
  - { at: 1s, blackout: any worker, torn: true, restartAfter: 2s }
  - { at: 1s, misbehave: map-0@2, how: exhausts }
expect: {}`);
  const workers = { kind: 'all', of: 'worker' };
  expect(faults.map(({ action }) => action)).toEqual([
    {
      kind: 'delay',
      link: { from: workers, to: { kind: 'leader' }, oneWay: false },
      extraUs: { min: 10_000, max: 2_000_000 },
    },
    {
      kind: 'loss',
      link: { from: { kind: 'node', node: 'worker-1' }, to: { kind: 'all', of: 'master' }, oneWay: true },
      percent: 5,
    },
    {
      kind: 'hold',
      link: { from: { kind: 'its-worker' }, to: { kind: 'leader' }, oneWay: false },
      message: 'attempt.completed',
    },
    { kind: 'blackout', target: { kind: 'any', of: 'worker' }, torn: true, restartAfterUs: 2_000_000 },
    {
      kind: 'misbehave',
      attempt: { kind: 'attempt', task: { kind: 'map', index: 0, ordinal: 2 } },
      how: 'exhausts',
    },
  ]);
});

it('a fault may come at a time of day, when the scenario starts at one', () => {
  const text = 'name: x\nstarts: "12:00"\nfaults: [ { at: "12:04:30", crash: leader } ]\nexpect: {}';
  expect(only(text).faults[0]!.trigger).toEqual({ kind: 'at', atUs: 270_000_000 });
});

it('beats four times in a short lease', () => {
  expect(only('{ name: x, policy: { lease: 2s }, expect: {} }').cluster.beatUs).toBe(500_000);
});

it('one variant for each value of `vary`, its placeholder replaced everywhere', () => {
  const text = 'name: x\nvary: { when: [1s, 2s] }\nfaults: [ { at: "{when}", crash: leader } ]\nexpect: {}';
  const loaded = loadScenarios(text, 'some.yaml');
  expect(loaded.ok && loaded.scenarios.map(({ name, faults }) => [name, faults[0]!.trigger])).toEqual([
    ['x (1s)', { kind: 'at', atUs: 1_000_000 }],
    ['x (2s)', { kind: 'at', atUs: 2_000_000 }],
  ]);
});

it('facts are read with job, task, attempt and node', () => {
  const patterns = [
    ['map-0@2 committed', { name: 'committed', task: { kind: 'map', index: 0, ordinal: 2 } }],
    ['reduce-0 started', { name: 'started', task: { kind: 'reduce', index: 0 } }],
    ['job publishing', { name: 'job-publishing' }],
    ['job-1 published', { name: 'job-published', job: 1 }],
    ['job-1 map-1 started', { name: 'started', job: 1, task: { kind: 'map', index: 1 } }],
    ['leader began', { name: 'leader-began' }],
    ['maps done', { name: 'maps-done' }],
    ['worker-2 worker-joined', { name: 'worker-joined', node: 'worker-2' }],
  ] as const;
  for (const [text, expected] of patterns) {
    const { faults } = only(`name: x\nfaults: [ { when: "${text}", crash: leader } ]\nexpect: {}`);
    expect(faults[0]!.trigger).toEqual({ kind: 'when', pattern: { ...expected, text } });
  }
});

it('the JSON Schema names every key of a scenario', () => {
  const schema = scenarioJsonSchema() as {
    properties: Record<string, unknown>;
    additionalProperties: boolean;
  };
  expect(Object.keys(schema.properties)).toContain('faults');
  expect(schema.additionalProperties).toBe(false);
});

it.each([
  [
    'explore: { crash: 1 }',
    'one of: crashes, losses, duplicates, timeouts, unknowns, failures, expiries',
    undefined,
  ],
  ['explore: { foo: 1 }', 'one of: crashes, losses, ', undefined],
  ['job: { cost: { inputs: [1GB], scann: 1MB/s } }', 'one of: inputs, split, startup, scan, ', 'scan'],
  ['jobs: [{ cost: { inputs: [1GB], scann: 1MB/s } }]', 'one of: inputs, split, startup, scan, ', 'scan'],
  ['job: { cost: { inputs: [1GB], stragglers: { percent: 1, bye: "2" } } }', 'one of: percent, by', 'by'],
  ['job: { poison: { line: [a] } }', 'one of: lines, keys', 'lines'],
  ['heal: { at: 1s, nodes: [a, b], node: [] }', 'one of: at, nodes', 'nodes'],
  ['faults: [{ at: 1s, crash: leader, untill: x }]', 'one of: at, when, ', 'until'],
  ['clustr: {}', 'one of: name, about, ', 'cluster'],
])('an unknown key is told what is known where it stands: %s', (line, label, meant) => {
  const error = errors(`name: x\n${line}\nexpect: {}`).find((text) => text.startsWith('error[S003]'))!;
  expect(error).toContain(`^ ${label}`);
  expect(/did you mean "(.*)"/.exec(error)?.[1]).toBe(meant);
});

describe('what can never work is refused, with its reason', () => {
  const outOfReach = 'no master can be reached: ';
  it.each([
    ['S018 2:18', 'policy: { lease: 0s }', 'a beat of 0 µs would never let anything else happen'],
    ['S018 2:18', 'policy: { lease: 3us }', 'a beat of 0 µs'],
    ['S018 2:17', 'policy: { beat: 0s, suspect: 3s }', 'a beat of 0 µs'],
    ['S018 2:24', 'policy: { masterLease: 0s }', 'a lease of 0 µs is over before anybody leads'],
    ['S018 2:24', 'policy: { masterLease: 1999us }', 'a lease of 1.999 ms is over before anybody leads'],
    ['S024 2:41', 'faults: [{ at: 1s, jump: leader, ahead: 3000000h }]', '"3000000h" is too long'],
    ['S024 2:16', 'faults: [{ at: 1001h, crash: leader }]', '"1001h" is too long'],
    ['S024 2:21', 'cluster: { latency: 1ms..3600001s }', '"1ms..3600001s" is too long'],
    ['S024 2:24', 'job: { times: { map-0: 60001m } }', '"60001m" is too long'],
    ['S005 2:38', 'job: { cost: { inputs: [1GB], split: 0MB } }', '"split" must be at least 1B\n'],
    ['S005 2:37', 'job: { cost: { inputs: [1GB], scan: 0.4B/s } }', '"scan" must be at least 1B/s\n'],
    ['S005 2:38', 'job: { cost: { inputs: [1GB], write: 0kB/s } }', '"write" must be at least 1B/s\n'],
    ['S005 2:40', 'job: { cost: { inputs: [1GB], network: 0B/s } }', '"network" must be at least 1B/s\n'],
    ['S024 2:8', 'job: { cost: { inputs: [1TB], write: 1B/s } }', 'takes longer than 1000h'],
    ['S024 2:8', 'job: { cost: { inputs: [1B], output: 1.0e300 } }', 'takes longer than 1000h'],
    ['S005 2:21', `cluster: { workers: ${'9'.repeat(20)} }`, '"workers" must be at most 10000'],
    ...['1..worker-9', `2..worker-${'9'.repeat(23)}`, '0..worker-1'].map((range) => [
      'S011 2:27',
      `faults: [{ at: 1s, crash: worker-${range} }]`,
      `"worker-${range}" are not all there\n`,
    ]),
    ['S018 2:18', 'policy: { lease: 1ms }', `${outOfReach}that takes 4 messages of at least 200 µs each, `],
    ['S018 2:20', 'policy: { suspect: 0s }', `and after 0 µs of silence it is given up`],
    [
      'S018 2:21',
      'cluster: { latency: 20s }',
      `of at least 20 s each, and after 3 s of silence it is given up`,
    ],
    ['S018 2:21', 'cluster: { latency: 760ms }', outOfReach],
    ['S018 2:21', 'cluster: { latency: 760ms..20s }', outOfReach],
    ['S018 2:21', 'cluster: { latency: 1s }\npolicy: { suspect: 3s }', outOfReach],
  ])('%s: %s', (code, line, message) => {
    expect(codes(`name: x\n${line}\nexpect: {}`)).toEqual([code]);
    expect(errors(`name: x\n${line}\nexpect: {}`)[0]).toContain(message);
  });

  it.each([
    'policy: { lease: 4ms, suspect: 10ms }',
    'policy: { masterLease: 100ms }',
    'policy: { masterLease: 2ms }',
    'faults: [{ at: 1s, jump: leader, ahead: 1000h }]',
    'faults: [{ at: 1s, crash: worker-1..worker-2, restartAfter: 1s }]',
    'cluster: { latency: 740ms }',
    'cluster: { latency: 20s }\npolicy: { suspect: 81s, lease: 100s }',
    'cluster: { latency: 0s..2s }',
  ])('what can work is not: %s', (lines) => {
    const scenario = only(`name: x\n${lines}\nexpect: {}`);
    const verdicts = [1, 2, 3].map((seed) => simulate(scenario, { seed: String(seed) }).verdict);
    expect(verdicts).toContain('passed');
  });
});

describe('a job is looked at when it is read', () => {
  const withJob = (job: string): string => `name: x\njob: { ${job} }\nexpect: {}`;

  it.each([
    ['S016 2:14', 'run:  word-cuont', 'no job is called "word-cuont"', 'did you mean "word-count"?'],
    [
      'S016 2:13',
      'run: top-k',
      '"top-k" is a pipeline, and a scenario runs jobs of one stage',
      '^^^^^ one of: ',
    ],
    [
      'S016 2:13',
      'run: ./x.ts',
      '"./x.ts" is a file, and only built-in jobs can be run here',
      'word-count, grep',
    ],
    ['S017 2:33', 'run: grep, parameters: { patern: a }', '"grep" takes no parameter "patern"', '"pattern"?'],
    ['S017 2:13', 'run: grep', '"grep" needs the parameter "pattern"', 'a JavaScript regular expression'],
    ['S017 2:31', 'run: grep, parameters: { pattern: "(" }', 'the pattern does not compile', ''],
    ['S017 2:31', 'run: grep, parameters: { pattern: "" }', 'the pattern is empty', ''],
    ['S017 2:22', 'parameters: { a: b }', '"modelled" takes no parameter "a"', '^ it takes none'],
  ])('%s: %s', (code, job, message, more) => {
    expect(codes(withJob(job))).toEqual([code]);
    expect(errors(withJob(job))[0]).toContain(message);
    expect(errors(withJob(job))[0]).toContain(more);
  });

  it('in a list of jobs the right one is named', () => {
    expect(codes('name: x\njobs:\n  - {}\n  - { run: sorted }\nexpect: {}')).toEqual(['S016 4:12']);
  });

  const parameters: Readonly<Record<string, Record<string, string>>> = {
    grep: { pattern: 'a' },
    join: { right: 'input-1' },
  };

  it.each([...builtinJobs.keys()])('%s can be run', (run) => {
    const scenario = only(withJob(`run: ${run}, parameters: ${JSON.stringify(parameters[run] ?? {})}`));
    expect(simulate(scenario).verdict).toBe('passed');
  });
});
