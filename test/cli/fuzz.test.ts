/** `rehearse fuzz` and `rehearse sim --shrink` as a user has them, and the parts that need a failure to show. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Corpus, fuzzCommand, keepFailures } from '../../cli/fuzz/corpus.js';
import { Findings, type Outcome } from '../../cli/fuzz/outcome.js';
import { reporters } from '../../cli/fuzz/reporters.js';
import { nothingCovered } from '../../sim/coverage/coverage.js';
import type { FoundFailure } from '../../sim/fuzz/campaign.js';
import { Campaign } from '../../sim/fuzz/campaign.js';
import { runChunk } from '../../sim/fuzz/chunk.js';
import { loadScenarios } from '../../sim/scenario/load.js';
import { newFolder, rehearse, start, succeed } from './command.js';

const quick = ['--profile', 'size=tiny,most=2'];

describe('rehearse fuzz', () => {
  it('runs a range of seeds: exit 0, one document, the same however many threads there are', async () => {
    const cwd = newFolder();
    const args = ['fuzz', '--seeds', '1..120', '--json', ...quick];
    const one = JSON.parse((await succeed([...args, '--jobs', '1'], { cwd })).out);
    const two = JSON.parse((await succeed([...args, '--jobs', '2'], { cwd })).out);
    expect(one).toMatchObject({ verdict: 'passed', runs: 120, findings: [], missing: [], inconclusive: [] });
    expect(two.coverage).toEqual(one.coverage);
    expect(two.steps).toBe(one.steps);
    expect(existsSync(join(cwd, '.rehearse'))).toBe(false);
  });

  it('says how much it has run and covered', async () => {
    const { err, out } = await succeed(['fuzz', '--seeds', '5', ...quick], { cwd: newFolder() });
    expect(err).toMatch(
      /^ok {4}1 seed in .* steps, 0 findings\n(?: {2}1 seed had .*\n)? {2}covered: \d+ steps, \d+ of \d+ faults by phase\n$/,
    );
    expect(out).toBe('');
  });

  it('says how many seeds had a fault that hit nothing', async () => {
    const args = ['fuzz', '--seeds', '1..20', '--json', ...quick];
    const { err, out } = await succeed(args, { cwd: newFolder() });
    const idle = JSON.parse(out).verdicts['tested-nothing'];
    expect(idle).toBeGreaterThan(1);
    expect(err).toContain(` findings\n  ${idle} seeds had a fault that hit nothing\n  covered: `);
  });

  it('fails when what can be reached was not reached: exit 1, and a report for CI', async () => {
    const cwd = newFolder({
      'reachable.txt': '# all there is\nmaster standby <- node.started\nmaster asleep <- dream\n',
      'beyond.txt': 'master standby <- node.started\nworker asleep <- dream\n',
    });
    const lists = ['--coverage', 'reachable.txt', '--coverage', 'beyond.txt'];
    const args = ['fuzz', '--seeds', '1..10', ...quick, ...lists];
    const { code, err, out } = await rehearse([...args, '--reporter', 'github'], { cwd });
    expect(code).toBe(1);
    expect(err).toContain('not reached: master asleep <- dream');
    expect(err).toContain('not reached: worker asleep <- dream');
    expect(err).not.toContain('not reached: master standby <- node.started');
    expect(out).toContain('::error title=coverage::reachable, and not reached: master asleep <- dream\n');
    const file = await rehearse([...args, '--reporter', 'junit', '--report-file', 'r.xml', '--json'], {
      cwd,
    });
    expect(JSON.parse(file.out).verdict).toBe('failed');
    expect(readFileSync(join(cwd, 'r.xml'), 'utf8')).toContain('name="master asleep &lt;- dream"');
  });

  it('stops when the time is over: exit 3 when seeds were asked for, else it goes on there the next time', async () => {
    const cwd = newFolder();
    const many = await rehearse(['fuzz', '--seeds', '1..100000000', '--time', '200ms', ...quick], { cwd });
    expect(many.code).toBe(3);
    expect(many.err).toContain('the time was over before seed 100000000');
    await succeed(['fuzz', '--time', '200ms', '--corpus', 'kept', ...quick], { cwd });
    const { next } = JSON.parse(readFileSync(join(cwd, 'kept', 'progress.json'), 'utf8'));
    expect(next).toBeGreaterThan(1);
    await succeed(['fuzz', '--time', '200ms', '--corpus', 'kept', ...quick], { cwd });
    expect(JSON.parse(readFileSync(join(cwd, 'kept', 'progress.json'), 'utf8')).next).toBeGreaterThan(next);
  });

  it('leaves out no seed when it goes on after its time was over', async () => {
    const cwd = newFolder();
    let before = 1;
    for (let time = 0; time < 3; time++) {
      const args = ['fuzz', '--time', '300ms', '--corpus', 'kept', '--jobs', '2', '--json', ...quick];
      const { runs } = JSON.parse((await succeed(args, { cwd })).out);
      const { next } = JSON.parse(readFileSync(join(cwd, 'kept', 'progress.json'), 'utf8'));
      expect(next - before).toBeLessThanOrEqual(runs);
      before = next;
    }
  });

  it.each([
    ['no number', { next: 'soon', coverage: nothingCovered }],
    ['a fraction', { next: 1.5, coverage: nothingCovered }],
    ['no coverage', { next: 7 }],
    ['coverage of another form', { next: 7, coverage: { tuples: { a: 'x' }, strikes: {} } }],
  ])('refuses progress with %s', async (_, progress) => {
    const cwd = newFolder({ 'progress.json': JSON.stringify({ version: 'fuzz.v1', ...progress }) });
    const args = ['fuzz', '--time', '200ms', '--corpus', '.', ...quick];
    const { code, err } = await rehearse(args, { cwd });
    expect(err).toMatch(
      /^error\[U013\]: the progress of the corpus cannot be read\n {2}--> progress\.json\n/,
    );
    expect(code).toBe(2);
  });

  it.each([
    ['--report-file', 'no/x', 'there is no such folder', '--reporter', 'junit'],
    ['--report-file', 'kept', 'this is a folder', '--reporter', 'junit'],
    ['--corpus', 'afile', 'a file stands where a folder should be'],
    ['--corpus', 'afile/below', 'a file stands where a folder should be'],
    ['--corpus', '/proc/none', 'this folder cannot be made'],
  ])('refuses %s %s before anything is run: exit 4', async (flag, place, why, ...more) => {
    const cwd = newFolder({ afile: '' });
    mkdirSync(join(cwd, 'kept'));
    const args = ['fuzz', '--seeds', '1..2', flag, place, ...more];
    const { code, err, out } = await rehearse(args, { cwd });
    expect(err).toBe(`error[U025]: ${flag}: ${why}\n  --> ${place}\n  choose another place with ${flag}\n`);
    expect([code, out]).toEqual([4, '']);
    expect(readdirSync(cwd).sort()).toEqual(['afile', 'kept']);
  });

  it('ends with one error when its corpus goes meanwhile', async () => {
    const cwd = newFolder({ afile: '' });
    const kept = join(cwd, 'kept');
    mkdirSync(join(cwd, 'folder'));
    symlinkSync('folder', kept);
    const { ended } = start(['fuzz', '--time', '60s', '--corpus', 'kept', ...quick], { cwd });
    while (!existsSync(join(kept, 'progress.json'))) await new Promise((resolve) => setTimeout(resolve, 5));
    renameSync(join(cwd, 'afile'), kept); // in one step: there is never nothing
    const { code, err } = await ended;
    expect(err).toMatch(/^error\[U025\]: --corpus: a file stands where a folder should be\n {2}--> kept\n/);
    expect(code).toBe(4);
  });

  it('leaves no folder of a corpus in which nothing was kept', async () => {
    const cwd = newFolder();
    await succeed(['fuzz', '--seeds', '1..2', '--corpus', 'a/b/c', ...quick], { cwd });
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('leaves a whole corpus when it is killed, and goes on from it', async () => {
    const cwd = newFolder();
    const args = ['fuzz', '--time', '60s', '--corpus', 'kept', ...quick];
    const progress = join(cwd, 'kept', 'progress.json');
    for (let time = 0; time < 3; time++) {
      const before = existsSync(progress) ? readFileSync(progress, 'utf8') : '';
      const { child, ended } = start(args, { cwd });
      while (!existsSync(progress) || readFileSync(progress, 'utf8') === before) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      child.kill('SIGKILL');
      await ended;
      expect(JSON.parse(readFileSync(progress, 'utf8')).version).toBe('fuzz.v1');
    }
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends well on the first %s: exit %d, and says what it has', async (signal, exit) => {
    const cwd = newFolder();
    const args = ['fuzz', '--time', '60s', '--corpus', 'kept', '--progress', 'none', ...quick];
    const { child, ended } = start(args, { cwd });
    while (!existsSync(join(cwd, 'kept', 'progress.json')))
      await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill(signal);
    const { code, err } = await ended;
    expect(code).toBe(exit);
    expect(err).toMatch(/^stopping: no more seeds are begun \(once more to stop at once\)\nok .* seeds in /);
  });

  it.each([
    [['--seeds', '9..1'], 'U008', '"9..1" is no range'],
    [['--time', 'soon'], 'U008', '"soon" is no duration'],
    [['--jobs', '0'], 'U008', '--jobs must be a number from 1'],
    [['--profile', 'like=7+x'], 'U008', '"x" is no seed'],
    [['--profile', 'faults=crsh'], 'U008', '"crsh" is no faults'],
    [['--coverage', 'nowhere.txt'], 'U008', 'there is no such file'],
    [['--coverage', process.execPath], 'U008', 'this is no list of steps'],
    [['--reporter', 'xml'], 'U008', 'there is no "xml"'],
    [['--reporter', 'junit', '--json'], 'U008', 'both want standard output'],
    [['--report-file', 'x'], 'U008', '--report-file needs --reporter'],
  ])('refuses %j: exit 2', async (args, code, text) => {
    const ended = await rehearse(['fuzz', ...args], { cwd: newFolder() });
    expect(ended.code).toBe(2);
    expect(`${ended.err}${ended.out}`).toContain(code);
    expect(`${ended.err}${JSON.stringify(ended.out)}`).toContain(
      args.includes('--json') ? 'both want' : text,
    );
  });
});

describe('rehearse sim --shrink', () => {
  const file = `
name: much ado
cluster: { masters: 2, workers: 3 }
job: { maps: 5, reduces: 2, misbehave: { map-1: throws } }
faults:
  - { at: 300ms, drop: worker-2 }
  - { when: "map-0 started", pause: "its worker", for: 2s }
expect: { job: succeeded }
`;

  it('writes the smallest scenario that fails as this one, with its time line, and it fails again', async () => {
    const cwd = newFolder({ 'ado.yaml': file });
    const { code, err } = await rehearse(['sim', 'ado.yaml', '--shrink'], { cwd });
    expect(code).toBe(1);
    expect(err).toMatch(/shrunk to 0 faults and 3 tasks in \d+ runs: ado\.shrunk\.yaml/);
    const loaded = loadScenarios(readFileSync(join(cwd, 'ado.shrunk.yaml'), 'utf8'), 'ado.shrunk.yaml');
    expect(loaded.ok && loaded.scenarios[0]).toMatchObject({
      name: expect.stringMatching(/^job 1 was expected to have succeeded, .*: much ado$/),
      cluster: { masters: 1, workers: 1 },
      faults: [],
      jobs: [{ maps: 2, reduces: 1, misbehaviours: [{ task: { kind: 'map', index: 1 }, how: 'throws' }] }],
    });
    expect(readFileSync(join(cwd, 'ado.shrunk.txt'), 'utf8')).toMatch(
      /^# job 1 was expected to have succeeded, but .*\n.*leader-began/,
    );
    expect((await rehearse(['sim', 'ado.shrunk.yaml'], { cwd })).code).toBe(1);
  });

  it('writes nothing when nothing fails', async () => {
    const cwd = newFolder({ 'calm.yaml': 'name: calm\nexpect: {}\n' });
    const { out } = await succeed(['sim', 'calm.yaml', '--shrink', '--json'], { cwd });
    expect(JSON.parse(out).shrunk).toEqual([]);
    expect(readdirSync(cwd)).toEqual(['calm.yaml']);
  });
});

describe('findings', () => {
  /** What a planted bug gives. */
  const failures: readonly FoundFailure[] = runChunk(
    new Campaign({ from: 1, to: 12, given: { size: 'tiny', vary: ['standbys'] } }).take()!,
    { plants: () => ({ acknowledgeBeforeSync: true }) },
  ).failures;

  it('are one where the rule and the shrunk scenario are the same, and are kept once', () => {
    const folder = newFolder();
    const corpus = new Corpus(folder);
    const findings = new Findings();
    for (const failure of failures) findings.add(failure, failure.scenario && corpus.keep(failure));
    expect(failures.length).toBeGreaterThan(4);
    const files = readdirSync(folder).sort();
    expect(files.filter((name) => name.endsWith('.yaml'))).toHaveLength(findings.all.length);
    expect(findings.all.length).toBeLessThan(3);
    expect(findings.all.flatMap(({ seeds }) => seeds).sort()).toEqual(
      failures.map(({ seed }) => seed).sort(),
    );
    const again = new Corpus(folder);
    expect(again.keep(failures[0]!).isNew).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(files);
    expect(again.scenarioFiles()).toHaveLength(findings.all.length);
  });

  it('are scenario files that say how they were found, with their story beside them', () => {
    const folder = newFolder();
    const { path } = new Corpus(folder).keep(failures[0]!);
    const loaded = loadScenarios(readFileSync(path, 'utf8'), path);
    if (!loaded.ok) throw new Error(loaded.errors[0]!.message);
    expect(loaded.scenarios[0]!.about).toBe(
      `Found by: ${fuzzCommand(failures[0]!.seed, failures[0]!.given)}`,
    );
    expect(readFileSync(path.replace(/yaml$/, 'txt'), 'utf8')).toMatch(/^# C2: /);
  });

  it('are said before they are kept: a disk that refuses takes none away', () => {
    const said: string[] = [];
    const corpus = new Corpus(join(newFolder({ afile: '' }), 'afile'));
    const keep = () =>
      keepFailures(failures, { corpus, findings: new Findings(), found: ({ id }) => said.push(id) });
    expect(keep).toThrow(/--corpus/);
    expect(said).toEqual(['C2']);
  });

  const outcome: Outcome = {
    runs: 12,
    steps: 1000,
    seconds: 1.5,
    verdicts: {},
    findings: [
      {
        id: 'C2',
        message: 'C2: a "slot" < 3 & lost\nsecond line',
        profile: 'size=tiny',
        command: 'rehearse fuzz --seeds 3..3 --profile focus=crash@map',
        file: 'corpus/C2-1.yaml',
        isNew: true,
        minimal: true,
        seeds: [3, 5],
      },
    ],
    inconclusive: [],
    coverage: nothingCovered,
    missing: [],
    cut: undefined,
  };

  it('are told to JUnit with the commands that repeat them, escaped', () => {
    const xml = reporters.junit(outcome);
    expect(xml).toContain('<testsuites tests="2" failures="1" time="1.500">');
    expect(xml).toContain('message="C2: a &quot;slot&quot; &lt; 3 &amp; lost"');
    expect(xml).toContain('again: rehearse sim corpus/C2-1.yaml');
    expect(xml).toContain('again: rehearse fuzz --seeds 3..3 --profile focus=crash@map');
    const spaced = { ...outcome.findings[0]!, file: 'my corpus/C2-1.yaml' };
    const report = reporters.junit({ ...outcome, findings: [spaced] });
    expect(report).toContain("again: rehearse sim 'my corpus/C2-1.yaml'");
  });

  it('are told to GitHub as annotations of the scenario file, on one line each', () => {
    expect(reporters.github(outcome).split('\n')).toEqual([
      '::error file=corpus/C2-1.yaml,title=C2::C2: a "slot" < 3 & lost%0Aagain: rehearse sim corpus/C2-1.yaml' +
        '%0Aagain: rehearse fuzz --seeds 3..3 --profile focus=crash@map',
      '::notice title=rehearse fuzz::12 seeds, 1 findings',
      '',
    ]);
  });
});
