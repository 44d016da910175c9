import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import {
  attemptsPath,
  PUBLISH_STEPS,
  type PublishResult,
  type PublishStep,
  prepareWorkspace,
  publishOutput,
  removeWorkspace,
  VOID_STEPS,
  workspacePath,
} from '../../../runtime/data/publish.js';
import { temporaryDirectory } from './temporary.js';

/** How many files were open at once is counted. */
const system = vi.hoisted(() => ({ open: 0, openAtOnceMax: 0 }));
vi.mock('node:fs/promises', async (importOriginal) => {
  const own = await importOriginal<typeof import('node:fs/promises')>();
  const open: typeof own.open = async (...args) => {
    const file = await own.open(...args);
    system.openAtOnceMax = Math.max(system.openAtOnceMax, ++system.open);
    const close = file.close.bind(file);
    file.close = () => {
      system.open--;
      return close();
    };
    return file;
  };
  return { ...own, open };
});

const PARTS = 2;
const OLD = { 'old.txt': 'old', 'sub/deep.txt': 'deep' };

class Crash extends Error {}

interface Job {
  readonly output: string;
  readonly runId: string;
  readonly overwrite: boolean;
}

/** All files below a directory with their content; empty directories too. */
function snapshot(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(directory, name);
    if (statSync(path).isFile()) found[name] = readFileSync(path, 'utf8');
    else if (readdirSync(path).length === 0) found[`${name}/`] = '';
  }
  return found;
}

/** As `find -type d -empty -delete` does. */
function removeEmptyFolders(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const path = join(directory, entry.name);
    removeEmptyFolders(path);
    if (readdirSync(path).length === 0) rmdirSync(path);
  }
}

function put(directory: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, name, '..'), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
}

async function prepare(job: Job): Promise<void> {
  await prepareWorkspace(job.output, job.runId);
  for (let partition = 0; partition < PARTS; partition++) {
    writeFileSync(partPath(job, partition), `${job.runId} ${partition}\n`);
  }
}

function partPath(job: Job, partition: number): string {
  return join(attemptsPath(job.output, job.runId), `reduce-${partition}`);
}

function expected(job: Job): Record<string, string> {
  const parts = Array.from({ length: PARTS }, (_, partition) => [
    `part-0000${partition}`,
    `${job.runId} ${partition}\n`,
  ]);
  return Object.fromEntries([['_SUCCESS.json', `{"job":"${job.runId}"}`], ...parts]);
}

function publish(
  job: Job,
  publisher: string,
  step?: (name: PublishStep) => void | Promise<void>,
): Promise<PublishResult> {
  return publishOutput({
    ...job,
    publisher,
    parts: Array.from({ length: PARTS }, (_, partition) => ({ partition, path: partPath(job, partition) })),
    success: `{"job":"${job.runId}"}`,
    ...(step === undefined ? {} : { step }),
  });
}

/** Where to stop a publisher: before the n-th step it takes, or before the first of a name. */
type Stop = number | PublishStep | 'nowhere';

/** A publisher that is stopped until it is let go. */
interface Halted {
  /** Resolves with the name of the step, or with undefined when the publisher was done before. */
  readonly reached: Promise<PublishStep | undefined>;
  readonly letGo: () => void;
  readonly result: Promise<PublishResult>;
}

type Plant = (name: PublishStep, job: Job) => void;

interface Script {
  readonly stop: Stop;
  /** Dies before this step of its own, counted like `stop`. */
  readonly crash?: number | undefined;
  /** A bug: what it does besides at each step. */
  readonly plant?: Plant | undefined;
}

function publishHalting(job: Job, publisher: string, script: Script): Halted {
  let letGo = (): void => {};
  const released = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let arrive: (name: PublishStep | undefined) => void = () => {};
  const reached = new Promise<PublishStep | undefined>((resolve) => {
    arrive = resolve;
  });
  let taken = 0;
  let { stop } = script;
  const result = publish(job, publisher, async (name) => {
    const index = taken++;
    if (name === stop || index === stop) {
      stop = 'nowhere';
      arrive(name);
      await released;
    }
    if (index === script.crash) throw new Crash(name);
    script.plant?.(name, job);
  });
  const ended = (): void => arrive(undefined);
  result.then(ended, ended);
  return { reached, letGo, result };
}

const before = ['no output', 'an empty output', 'an old output'] as const;

function place(kind: (typeof before)[number]): { directory: string; output: string } {
  const directory = temporaryDirectory();
  const output = join(directory, 'out');
  if (kind !== 'no output') mkdirSync(output);
  if (kind === 'an old output') put(output, OLD);
  return { directory, output };
}

async function expectNothingLeft(directory: string, jobs: Job[]): Promise<void> {
  for (const job of jobs) await removeWorkspace(job.output, job.runId);
  expect(readdirSync(directory)).toEqual(['out']);
}

describe('publishing without disturbance', () => {
  it.each(before)('replaces %s as a whole when overwriting', async (kind) => {
    const { directory, output } = place(kind);
    const job = { output, runId: 'b', overwrite: true };
    await prepare(job);
    expect(await publish(job, 'p1')).toEqual({ outcome: 'published' });
    expect(snapshot(output)).toEqual(expected(job));
    expect(await publish(job, 'p2')).toEqual({ outcome: 'already' });
    expect(snapshot(output)).toEqual(expected(job));
    await expectNothingLeft(directory, [job]);
  });

  it('keeps of the old output only the marker of its tomb, until the workspace goes', async () => {
    const { output } = place('an old output');
    const job = { output, runId: 'b', overwrite: true };
    await prepare(job);
    await publish(job, 'p1');
    expect(readdirSync(join(workspacePath(output, 'b'), 'tomb'))).toEqual(['.rehearse-tomb']);
  });

  it('takes its steps in the order of the exported list', async () => {
    const { output } = place('an old output');
    const steps: PublishStep[] = [];
    const job = { output, runId: 'b', overwrite: true };
    await prepare(job);
    await publish(job, 'p1', (name) => void steps.push(name));
    const positions = steps.map((name) => (PUBLISH_STEPS as readonly string[]).indexOf(name));
    expect(positions).toEqual([...positions].sort((left, right) => left - right));
    expect(steps).toContain('publish.before_tomb');
  });

  it('reaches every step of both lists in some way', async () => {
    const seen = new Set<PublishStep>();
    for (const kind of before) {
      for (const lost of [false, true]) {
        const { output } = place(kind);
        const job = { output, runId: 'b', overwrite: true };
        await prepare(job);
        if (lost) rmSync(partPath(job, 1));
        await publish(job, 'p1', (name) => void seen.add(name));
      }
    }
    expect([...seen].sort()).toEqual([...PUBLISH_STEPS, ...VOID_STEPS].sort());
  });

  it('is made at once: what a signal removes while it is being synced does not come back', async () => {
    const { directory, output } = place('no output');
    const preparing = prepareWorkspace(output, 'b').catch((error) => error);
    expect(readdirSync(workspacePath(output, 'b'))).toEqual(['attempts', 'staging']);
    rmSync(workspacePath(output, 'b'), { recursive: true });
    await preparing;
    expect(snapshot(directory)).toEqual({});
  });

  it.each(PUBLISH_STEPS)('survives those who remove empty folders, at %s', async (step) => {
    for (const kind of before) {
      const { directory, output } = place(kind);
      const job = { output, runId: 'b', overwrite: true };
      await prepareWorkspace(output, 'b');
      removeEmptyFolders(workspacePath(output, 'b'));
      for (const partition of [0, 1]) writeFileSync(partPath(job, partition), `b ${partition}\n`);
      let tidied = false;
      const result = await publish(job, 'p1', (name) => {
        if (name === step && !tidied) removeEmptyFolders(workspacePath(output, 'b'));
        tidied ||= name === step;
      });
      expect(result).toEqual({ outcome: 'published' });
      expect(snapshot(output)).toEqual(expected(job));
      await expectNothingLeft(directory, [job]);
    }
  });

  it('refuses a workspace that exists, and names that would leave the directory', async () => {
    const { output } = place('no output');
    await prepareWorkspace(output, 'b');
    await expect(prepareWorkspace(output, 'b')).rejects.toThrow(/EEXIST/);
    await expect(prepareWorkspace(output, '../b')).rejects.toThrow(TypeError);
  });
});

describe('a job that cannot be published', () => {
  it('leaves an existing output alone unless told to overwrite', async () => {
    const { directory, output } = place('an old output');
    const job = { output, runId: 'b', overwrite: false };
    await prepare(job);
    expect(await publish(job, 'p1')).toMatchObject({
      ...{ outcome: 'failed', definite: true, code: 'exists' },
      message: expect.stringMatching(/another place with -o, or --overwrite/),
    });
    expect(snapshot(output)).toEqual(OLD);
    await expectNothingLeft(directory, [job]);
    expect(snapshot(output)).toEqual(OLD);
  });

  it.each([true, false])('replaces neither a file nor a link (overwrite %s)', async (overwrite) => {
    const { directory, output } = place('no output');
    put(directory, { 'target/precious': 'x' });
    for (const make of [() => writeFileSync(output, 'file'), () => symlinkSync('target', output)]) {
      make();
      const job = { output, runId: 'b', overwrite };
      await prepare(job);
      expect(await publish(job, 'p1')).toMatchObject({
        outcome: 'failed',
        definite: true,
        code: 'not-a-directory',
        message: expect.stringContaining('give another place with -o'),
      });
      await removeWorkspace(output, 'b');
      expect(snapshot(join(directory, 'target'))).toEqual({ precious: 'x' });
      expect(existsSync(output)).toBe(true);
      rmSync(output);
    }
  });

  it('names the part that is missing, and can never be published afterwards', async () => {
    const { directory, output } = place('an old output');
    const job = { output, runId: 'b', overwrite: true };
    await prepare(job);
    rmSync(partPath(job, 1));
    const failure = { outcome: 'failed', definite: true, code: 'missing-part', place: partPath(job, 1) };
    expect(await publish(job, 'p1')).toMatchObject(failure);
    writeFileSync(partPath(job, 1), 'back again');
    expect(await publish(job, 'p2')).toMatchObject({ outcome: 'failed', definite: true, code: 'voided' });
    expect(snapshot(output)).toEqual(OLD);
    await expectNothingLeft(directory, [job]);
  });

  it.each(PUBLISH_STEPS)('is tried again when too many files are open at %s', async (step) => {
    const { directory, output } = place('an old output');
    const job = { output, runId: 'b', overwrite: true };
    await prepare(job);
    const result = await publish(job, 'p1', (name) => {
      if (name === step) throw Object.assign(new Error('EMFILE'), { code: 'EMFILE', syscall: 'open' });
    });
    if (result.outcome === 'failed') expect(result).toMatchObject({ definite: false, code: 'disk' });
    expect((await publish(job, 'p2')).outcome).not.toBe('failed');
    expect(snapshot(output)).toEqual(expected(job));
    await expectNothingLeft(directory, [job]);
  });

  it('has few files open at once, however many parts there are', async () => {
    const { output } = place('no output');
    await prepareWorkspace(output, 'b');
    const parts = Array.from({ length: 60 }, (_, partition) => {
      const path = join(attemptsPath(output, 'b'), String(partition));
      writeFileSync(path, '');
      return { partition, path };
    });
    system.openAtOnceMax = 0;
    await publishOutput({ output, runId: 'b', overwrite: false, publisher: 'p', parts, success: '' });
    expect(system.openAtOnceMax).toBeLessThanOrEqual(4);
  });

  it('puts the old output back when something else gets in the way at the last moment', async () => {
    const { directory, output } = place('an old output');
    const job = { output, runId: 'b', overwrite: true };
    await prepare(job);
    const result = await publish(job, 'p1', (name) => {
      if (name === 'publish.before_rename') put(output, { intruder: 'x' });
      if (name === 'publish.before_restore_rename') rmSync(output, { recursive: true });
    });
    expect(result).toMatchObject({
      ...{ outcome: 'failed', definite: true, code: 'exists' },
      message: expect.not.stringContaining('--overwrite'),
    });
    expect(snapshot(output)).toEqual(OLD);
    await expectNothingLeft(directory, [job]);
  });

  it('is called published when its workspace is gone, and its output is there', async () => {
    const { output } = place('an old output');
    const job = { output, runId: 'b', overwrite: true };
    await prepare(job);
    await publish(job, 'p1');
    await removeWorkspace(output, 'b');
    expect(await publish(job, 'p2')).toEqual({ outcome: 'already' });
    expect(snapshot(output)).toEqual(expected(job));
  });

  it('is not called published when its workspace is gone', async () => {
    const { output } = place('no output');
    const job = { output, runId: 'b', overwrite: true };
    await prepare(job);
    await removeWorkspace(output, 'b');
    expect(await publish(job, 'p1')).toMatchObject({
      outcome: 'failed',
      definite: false,
      code: 'workspace-missing',
    });
    expect(existsSync(output)).toBe(false);
  });
});

const stepsToMove = PUBLISH_STEPS.slice(0, PUBLISH_STEPS.indexOf('publish.after_rename'));

it('a publisher that has moved the output itself knows that it did, whatever lies there now', async () => {
  const { output } = place('no output');
  const job = { output, runId: 'b', overwrite: true };
  await prepare(job);
  const result = await publish(job, 'p1', (name) => {
    if (name !== 'publish.before_empty' || !existsSync(join(output, 'part-00000'))) return;
    rmSync(output, { recursive: true });
    throw Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'fsync' });
  });
  expect(result).toEqual({ outcome: 'already' });
});

describe('a job whose staging folder a stranger has removed', () => {
  const removeStaging = (job: Job): void => {
    rmSync(join(workspacePath(job.output, job.runId), 'staging'), { recursive: true });
  };

  it.each(stepsToMove)(
    'at %s is called failed by every publisher, and the old output stays',
    async (step) => {
      for (const kind of before) {
        const { directory, output } = place(kind);
        const job = { output, runId: 'b', overwrite: true };
        await prepare(job);
        const steps: PublishStep[] = [];
        const result = await publish(job, 'p1', (name) => {
          if (name === step && !steps.includes(name)) removeStaging(job);
          steps.push(name);
        });
        if (!steps.includes(step)) expect(result).toEqual({ outcome: 'published' });
        else {
          expect(result).toMatchObject({ outcome: 'failed', definite: true, code: 'staging-lost' });
          removeEmptyFolders(workspacePath(output, 'b'));
          expect(await publish(job, 'p2')).toMatchObject({ definite: true, code: 'voided' });
          expect(existsSync(output) ? snapshot(output) : {}).toEqual(kind === 'an old output' ? OLD : {});
          await removeWorkspace(output, 'b');
          expect(readdirSync(directory)).toEqual(kind === 'no output' ? [] : ['out']);
        }
      }
    },
  );

  it('is called failed however often publishers crash while they find that out', async () => {
    const crashed = new Set<string>();
    for (let index = 0; index < 12; index++) {
      const { output } = place('an old output');
      const job = { output, runId: 'b', overwrite: true };
      await prepare(job);
      removeStaging(job);
      let taken = 0;
      const first = await publish(job, 'p1', (name) => {
        if (taken++ !== index) return;
        crashed.add(name);
        throw new Crash(name);
      }).catch((error: unknown) => error);
      const second = await publish(job, 'p2');
      expect(second, String(first)).toMatchObject({ outcome: 'failed', definite: true });
      expect(snapshot(output)).toEqual(OLD);
    }
    expect(crashed).toContain('publish.after_void');
  });
});

describe('a publisher that crashes', () => {
  it.each(before)('at any step leaves the rest to the next one (%s)', async (kind) => {
    const crashed: PublishStep[] = [];
    for (let index = 0; ; index++) {
      const { directory, output } = place(kind);
      const job = { output, runId: 'b', overwrite: true };
      await prepare(job);
      let taken = 0;
      const first = await publish(job, 'p1', (name) => {
        if (taken++ !== index) return;
        crashed.push(name);
        throw new Crash(name);
      }).catch((error: unknown) => error);
      if (!(first instanceof Crash)) break;
      const second = await publish(job, 'p2');
      const already =
        PUBLISH_STEPS.indexOf(crashed.at(-1) as 'publish.after_rename') >=
        PUBLISH_STEPS.indexOf('publish.after_rename');
      expect(second, crashed.at(-1)).toEqual({ outcome: already ? 'already' : 'published' });
      expect(snapshot(output), crashed.at(-1)).toEqual(expected(job));
      expect(readdirSync(join(workspacePath(output, 'b'), 'tomb'))).toEqual(['.rehearse-tomb']);
      await expectNothingLeft(directory, [job]);
    }
    expect(new Set(crashed).size).toBeGreaterThan(10);
  });

  it('while it gives up leaves a job that stays unpublished, with the old output in its place', async () => {
    for (const index of Array.from({ length: 30 }, (_, at) => at)) {
      const { directory, output } = place('an old output');
      const job = { output, runId: 'b', overwrite: true };
      await prepare(job);
      let taken = 0;
      // The last move fails, after the old output was taken: the hardest moment to give up.
      const first = await publish(job, 'p1', (name) => {
        if (name === 'publish.before_rename') put(output, { intruder: 'x' });
        if (name === 'publish.before_void') rmSync(output, { recursive: true, force: true });
        if (taken++ === index) throw new Crash(name);
      }).catch((error: unknown) => error);
      const second = await publish(job, 'p2', (name) => {
        if (name === 'publish.before_links') rmSync(join(output, 'intruder'), { force: true });
      });
      const voided = !(first instanceof Crash) || /after_void|marker|tomb$|restore/.test(first.message);
      if ((second as { outcome: string }).outcome === 'failed') {
        expect(voided, String(first)).toBe(true);
        expect(second).toMatchObject({ code: 'voided', definite: true });
        expect(snapshot(output), String(first)).toEqual(OLD);
      } else expect(snapshot(output), String(first)).toEqual(expected(job));
      await expectNothingLeft(directory, [job]);
    }
  });
});

interface Play {
  /** Before which step publisher A of job b is stopped. */
  readonly stopA: number;
  /** Before which step it crashes once it has gone on. */
  readonly crashA?: number;
  /** Where the later job c is stopped while A goes on. */
  readonly stopC: Stop | 'not run';
  readonly plant?: Plant;
}

interface Ending {
  readonly wrong: string | undefined;
  readonly stoppedA: PublishStep | undefined;
  readonly stoppedC: PublishStep | undefined;
}

/**
 * Publisher A of job b is stopped; B publishes the same job; a later job c publishes to the same output; A goes on,
 * at the latest when c is done. Returns what is wrong in the end.
 */
async function zombie(kind: (typeof before)[number], play: Play): Promise<Ending> {
  const { stopA, crashA, stopC, plant } = play;
  const { directory, output } = place(kind);
  const jobB = { output, runId: 'b', overwrite: true };
  const jobC = { output, runId: 'c', overwrite: true };
  await prepare(jobB);
  const halted = publishHalting(jobB, 'a', { stop: stopA, crash: crashA, plant });
  const stoppedA = await halted.reached;
  await publish(jobB, 'b', (name) => plant?.(name, jobB));

  let stoppedC: PublishStep | undefined;
  let late: PublishResult | undefined;
  if (stopC === 'not run') {
    halted.letGo();
    late = (await halted.result.catch(expectCrash)) ?? undefined;
  } else {
    await prepare(jobC);
    const later = publishHalting(jobC, 'c', { stop: stopC, plant });
    stoppedC = await later.reached;
    halted.letGo();
    late = (await halted.result.catch(expectCrash)) ?? undefined;
    later.letGo();
    await later.result;
  }
  const wanted = expected(stopC === 'not run' ? jobB : jobC);
  const there = existsSync(output) ? snapshot(output) : {};
  for (const job of [jobB, jobC]) await removeWorkspace(job.output, job.runId);
  const left = readdirSync(directory).filter((name) => name !== 'out');
  let wrong: string | undefined;
  if (!isDeepStrictEqual(there, wanted)) wrong = `the output is ${JSON.stringify(there)}`;
  else if (left.length > 0) wrong = `left over ${left.join(' ')}`;
  else if (late?.outcome === 'failed') wrong = `A says of what B published: ${late.message}`;
  if (wrong !== undefined) wrong = `A stopped ${stoppedA}, C stopped ${stoppedC ?? stopC}: ${wrong}`;
  return { wrong, stoppedA, stoppedC };
}

function expectCrash(error: unknown): void {
  expect(error).toBeInstanceOf(Crash);
}

/** Every step of A against C not run, C run to its end, and C stopped at each of its steps. */
async function everyZombie(
  kind: (typeof before)[number],
): Promise<{ wrong: string[]; stops: Set<PublishStep> }> {
  const wrong: string[] = [];
  const stops = new Set<PublishStep>();
  const note = (ending: Ending): Ending => {
    if (ending.wrong !== undefined) wrong.push(ending.wrong);
    return ending;
  };
  for (let stopA = 0; ; stopA++) {
    const { stoppedA } = note(await zombie(kind, { stopA, stopC: 'not run' }));
    if (stoppedA === undefined) return { wrong, stops };
    stops.add(stoppedA);
    note(await zombie(kind, { stopA, stopC: 'nowhere' }));
    for (let stopC = 0; note(await zombie(kind, { stopA, stopC })).stoppedC !== undefined; ) stopC++;
  }
}

/** The steps of A at which a planted bug shows. */
async function noticed(plant: Plant, stopC: Stop = 'nowhere'): Promise<PublishStep[]> {
  const at: PublishStep[] = [];
  for (let stopA = 0; ; stopA++) {
    const { wrong, stoppedA } = await zombie('an old output', { stopA, stopC, plant });
    if (stoppedA === undefined) return at;
    if (wrong !== undefined) at.push(stoppedA);
  }
}

/**
 * Publisher A is stopped before its `stopA`-th step, B gives the job up, a later job c publishes, A goes on and, if
 * told so, crashes. Returns where A was stopped, or undefined if it had no such step.
 */
async function zombieOfFailure(
  stopA: number,
  crashA?: number,
  plant?: Plant,
): Promise<PublishStep | undefined> {
  const { directory, output } = place('an old output');
  const jobB = { output, runId: 'b', overwrite: true };
  const jobC = { output, runId: 'c', overwrite: true };
  await prepare(jobB);
  const halted = publishHalting(jobB, 'a', { stop: stopA, crash: crashA });
  const stopped = await halted.reached;
  if (stopped === undefined) return undefined;
  const gaveUp = await publishOutput({
    ...jobB,
    publisher: 'b',
    parts: [{ partition: PARTS, path: join(directory, 'nowhere') }],
    success: '',
    step: (name) => plant?.(name, jobB),
  });
  const published = existsSync(join(output, '_SUCCESS.json'));
  if (!published) {
    expect(gaveUp, stopped).toMatchObject({ outcome: 'failed', definite: true });
    expect(snapshot(output), stopped).toEqual(OLD);
  }
  await prepare(jobC);
  expect(await publish(jobC, 'c')).toEqual({ outcome: 'published' });
  halted.letGo();
  const result = await halted.result.catch(expectCrash);
  if (!published && result !== undefined) {
    expect(result, stopped).toMatchObject({ outcome: 'failed', definite: true, code: 'voided' });
  }
  expect(existsSync(output) ? snapshot(output) : {}, stopped).toEqual(expected(jobC));
  await expectNothingLeft(directory, [jobB, jobC]);
  return stopped;
}

const CRASHES_LATER = 6;

describe('a publisher that is stopped and goes on after others', () => {
  it.each(before)('never changes what they published (%s)', async (kind) => {
    const { wrong, stops } = await everyZombie(kind);
    expect(wrong).toEqual([]);
    expect(stops.size).toBeGreaterThanOrEqual(kind === 'an old output' ? 12 : 14);
  });

  it('does no harm either when it dies on the way', async () => {
    const wrong: string[] = [];
    for (let stopA = 0, stoppedA: PublishStep | undefined; ; stopA++) {
      for (let crashA = stopA; crashA <= stopA + CRASHES_LATER; crashA++) {
        const ending = await zombie('an old output', { stopA, crashA, stopC: 'nowhere' });
        if (ending.wrong !== undefined) wrong.push(ending.wrong);
        stoppedA = ending.stoppedA;
      }
      if (stoppedA === undefined) break;
    }
    expect(wrong).toEqual([]);
  });

  it('does not take away a later output after another publisher had given the job up', async () => {
    for (let stopA = 0; (await zombieOfFailure(stopA)) !== undefined; stopA++) {
      for (let crashA = stopA; crashA <= stopA + CRASHES_LATER; crashA++)
        await zombieOfFailure(stopA, crashA);
    }
  });

  it('cannot do harm after the workspace was removed under it', async () => {
    for (let stopA = 0; ; stopA++) {
      const { directory, output } = place('an old output');
      const jobB = { output, runId: 'b', overwrite: true };
      const jobC = { output, runId: 'c', overwrite: true };
      await prepare(jobB);
      const halted = publishHalting(jobB, 'a', { stop: stopA });
      if ((await halted.reached) === undefined) break;
      await publish(jobB, 'b');
      await removeWorkspace(output, 'b');
      await prepare(jobC);
      await publish(jobC, 'c');
      halted.letGo();
      await halted.result;
      expect(snapshot(output)).toEqual(expected(jobC));
      await expectNothingLeft(directory, [jobC]);
    }
  });
});

describe('the tests above', () => {
  const inWorkspace = (job: Job, name: string): string => join(workspacePath(job.output, job.runId), name);

  it('notice nothing without a planted bug', async () => {
    expect(await noticed(() => {})).toEqual([]);
  });

  it('notice a publisher that creates staging again', async () => {
    const recreate: Plant = (name, job) => {
      if (name === 'publish.before_links') mkdirSync(inWorkspace(job, 'staging'), { recursive: true });
    };
    expect(await noticed(recreate, 'publish.before_rename')).toContain('publish.before_links');
  });

  it('notice a publisher that makes no tomb before it moves the staging directory', async () => {
    const skipTomb: Plant = (name, job) => {
      if (name === 'publish.before_rename')
        rmSync(inWorkspace(job, 'tomb'), { recursive: true, force: true });
    };
    expect(await noticed(skipTomb)).toContain('publish.before_tomb');
  });

  it('notice a publisher that empties its tomb to the last file', async () => {
    const emptyTomb: Plant = (name, job) => {
      if (name === 'publish.after_empty') rmSync(inWorkspace(job, 'tomb/.rehearse-tomb'), { force: true });
    };
    expect(await noticed(emptyTomb)).toContain('publish.before_tomb');
  });

  it('notice a publisher that gives up without leaving a tomb', async () => {
    const leaveNoTomb: Plant = (name, job) => {
      if (name === 'publish.after_restore')
        rmSync(inWorkspace(job, 'tomb'), { recursive: true, force: true });
    };
    const all = async (): Promise<void> => {
      for (let stopA = 0; (await zombieOfFailure(stopA, stopA + 1, leaveNoTomb)) !== undefined; ) stopA++;
    };
    await expect(all()).rejects.toThrow(/before_tomb/);
  });
});
