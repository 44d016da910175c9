/**
 * Everything that can be wrong is found here, before anything is started or written: the job, its parameters, the
 * inputs, the output.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, relative } from 'node:path';
import { type Accepted, acceptParams } from '../../jobs/accept-params.js';
import { checkParams, ParamsError, programOf } from '../../jobs/builtin/builtin.js';
import { builtinJobs, builtinPipelines, offeredBuiltins } from '../../jobs/builtin/registry.js';
import type { JobDefinitionError } from '../../jobs/define.js';
import { isSplittable } from '../../jobs/input-format.js';
import { ParamsRefused } from '../../jobs/params.js';
import { isPipeline, type Program, stagesOf } from '../../jobs/pipeline.js';
import { suggest } from '../../jobs/suggest.js';
import type { Params, ParamValues } from '../../jobs/types.js';
import { bundleJob, type JobBundle } from '../../runtime/bundle/bundle.js';
import { CompilerError, JobCompileError, JobFileError } from '../../runtime/bundle/errors.js';
import { loadProgram } from '../../runtime/bundle/load.js';
import { userFrame } from '../../runtime/bundle/user-frame.js';
import type { Commands } from '../../runtime/commands/command-job.js';
import { DiskError, InputError } from '../../runtime/data/errors.js';
import { resolveInputs } from '../../runtime/data/inputs.js';
import { planSplits } from '../../runtime/data/plan.js';
import { prepareWorkspace } from '../../runtime/data/publish.js';
import { failureText } from '../../runtime/executor/failure.js';
import { makeFolder } from '../../runtime/make-folder.js';
import { type RunLayout, runLayout } from '../../runtime/node/layout.js';
import { type JobCode, mapsOf, storeWorkOrder, type WorkOrder } from '../../runtime/node/work-order.js';
import { removeTree } from '../../runtime/remove-tree.js';
import type { RunRequest, StageOf } from '../../runtime/run/run-request.js';
import { FileFiles } from '../../runtime/store/file-files.js';
import { isJobFile } from '../../sim/scenario/job-files.js';
import { commandWord } from '../command-word.js';
import { hostUserCode, onNoAnswer } from '../ending.js';
import type { GlobalFlags } from '../global-flags.js';
import { surroundingsError } from '../surroundings.js';
import { keepStdout } from '../terminal.js';
import { exitCodes, UserError } from '../user-error.js';
import { endOnSignal } from './early-signals.js';
import type { RunFlags, RunSettings } from './flags.js';
import { lookAtKeys } from './look-at-keys.js';
import { clearPlace, placeError, type RunPlace } from './place.js';
import { dataDirectoryOf } from './run-id.js';

export interface PreparedJob extends Accepted {
  /** Absent for a job that is no pipeline. */
  readonly stage?: StageOf;
  /** The programs of a job that is made of them. */
  readonly commands?: Commands;
  readonly bundle: JobBundle | undefined;
  /** Where the code was loaded from in this process: tells the user's frames from ours. */
  readonly directory: string;
}

/** Gives the name of a folder in which this process may unpack a job's code, and takes away what is there in the end. */
export async function inScratch<T>(work: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = join(tmpdir(), `rehearse-job-${randomBytes(6).toString('hex')}`);
  const done = onNoAnswer(() => removeTree(scratch));
  try {
    return await work(scratch);
  } finally {
    done();
    removeTree(scratch);
  }
}

/** Which stage of a pipeline, and what its schemas have made of the params for those before. */
export type StageWanted = Pick<StageOf, 'index' | 'params' | 'stageParams'>;

/** A built-in by name, or a file of the user's, compiled and looked at. Of a pipeline the stage. */
export async function findJob(
  name: string,
  params: Params,
  scratch: string,
  stage: StageWanted = { index: 0 },
): Promise<PreparedJob> {
  const builtin = builtinJobs.get(name) ?? builtinPipelines.get(name);
  try {
    if (builtin) {
      checkParams(builtin, params);
      const accepted = await acceptStage(programOf(builtin), params, stage);
      return { ...accepted, bundle: undefined, directory: scratch };
    }
    if (!looksLikePath(name)) throw unknownJob(name);
    const { program, bundle } = await loadFile(name, scratch);
    return { ...(await acceptStage(program, params, stage)), bundle, directory: scratch };
  } catch (error) {
    throw jobError(error, { name, params, scratch });
  }
}

/** What a file of the user's exports. Throws UserError for what is wrong with it. */
export async function findProgram(file: string, scratch: string): Promise<LoadedFile> {
  try {
    return await loadFile(file, scratch);
  } catch (error) {
    throw jobError(error, { name: file, params: {}, scratch });
  }
}

interface LoadedFile {
  readonly program: Program;
  readonly bundle: JobBundle;
}

async function loadFile(file: string, scratch: string): Promise<LoadedFile> {
  const bundle = await bundleJob(file);
  process.setSourceMapsEnabled(true); // a job that throws is shown its own lines
  keepStdout();
  hostUserCode(scratch);
  const program = await loadProgram(bundle.code, { directory: scratch, name: bundle.name });
  return { program, bundle };
}

async function acceptStage(
  program: Program,
  given: Params,
  { index, ...known }: StageWanted,
): Promise<Accepted & Pick<PreparedJob, 'stage'>> {
  const accepted = await acceptParams(program, given, { stage: index, known });
  if (!isPipeline(program)) return accepted;
  const { params, stageParams } = accepted;
  const stage = {
    ...{ pipeline: program.name, index, count: stagesOf(program, params).length },
    ...(program.params ? { params } : {}),
    ...(stageParams?.some((made) => made) ? { stageParams } : {}),
  };
  return { ...accepted, stage };
}

function looksLikePath(name: string): boolean {
  return isJobFile(name) || existsSync(name);
}

function unknownJob(name: string): UserError {
  const names = [...offeredBuiltins.keys()];
  const meant = suggest(name, names);
  return new UserError({
    code: 'J001',
    what: `there is no job "${name}"`,
    why: `built-in jobs are ${names.join(', ')}; a job of your own is a file, such as job.ts`,
    next: meant === undefined ? undefined : `did you mean "${meant}"?`,
  });
}

function jobError(
  error: unknown,
  { name, params, scratch }: { name: string; params: Params; scratch: string },
): unknown {
  if (error instanceof JobCompileError) {
    const { message, location, excerpt } = error;
    const where = location ? `${location.file}:${location.line}:${location.column}` : name;
    return new UserError({ code: 'J002', what: message, where, excerpt });
  }
  if (error instanceof CompilerError) return compilerError(error);
  if (error instanceof JobFileError) return new UserError({ code: 'J003', what: error.message, where: name });
  if (error instanceof ParamsError)
    return new UserError({ code: 'J005', what: error.message, where: '--param' });
  if (error instanceof ParamsRefused) return refusedParams(error, { name, params, scratch });
  if (error instanceof UserError) return error;
  const refused = error instanceof DiskError ? surroundingsError(error) : undefined;
  if (refused) return refused;
  const { stack } = error instanceof Error ? error : {};
  const where = (stack && userFrame(stack, scratch)) ?? name;
  if (isJobDefinition(error)) return new UserError({ code: 'J004', what: error.message, where });
  return new UserError({
    code: 'J006',
    what: 'the job threw while it was loaded',
    where,
    why: failureText(error),
    next: isMissingFile(error)
      ? 'a job runs as one file, away from its folder: what lies beside it is there only if you import it (.json, .txt)'
      : 'the top level of a job runs once in every process: it should only define things',
  });
}

function compilerError({ message, cause }: CompilerError): UserError {
  return (
    surroundingsError(cause) ??
    new UserError({
      code: 'U057',
      what: 'the job could not be compiled: esbuild does not run here',
      why: message,
      next: 'rehearse doctor tries it; it needs threads and files of its own: ulimit -u, ulimit -n',
      exit: exitCodes.environment,
    })
  );
}

const REFUSED_CODES = { wrong: 'U036', 'no JSON': 'U037', unknown: 'U038', threw: 'U039' } as const;

function refusedParams(
  error: ParamsRefused,
  { name, params, scratch }: { name: string; params: Params; scratch: string },
): UserError {
  const { reason, param, lines, hint, message, cause } = error;
  const value = param !== undefined && Object.hasOwn(params, param) ? params[param] : '…';
  const asGiven = param === undefined ? '--param' : `--param ${param}=${value}`;
  const frame = cause instanceof Error ? userFrame(cause.stack ?? '', scratch) : undefined;
  return new UserError({
    code: REFUSED_CODES[reason],
    what: message,
    where: reason === 'threw' || reason === 'no JSON' ? (frame ?? name) : asGiven,
    why: cause === undefined ? lines.join('\n  ') : failureText(cause),
    next: hint,
  });
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** What the job's file imports has a class of its own by that name. */
function isJobDefinition(error: unknown): error is JobDefinitionError {
  return error instanceof Error && (error as Partial<JobDefinitionError>).code === 'job-definition';
}

export interface PreparedRun {
  readonly layout: RunLayout;
  readonly order: WorkOrder;
  readonly request: RunRequest;
  readonly prepared: PreparedJob;
}

/** What the inputs decide. */
export type InputPlan = Pick<WorkOrder, 'files' | 'splits' | 'boundaries'>;

/** The inputs, pinned, the splits made of them, and for a partition by range a look into them. */
export async function planInputs(
  inputs: readonly string[],
  options: {
    prepared: PreparedJob;
    settings: RunSettings;
    place: RunPlace;
    flags: RunFlags & GlobalFlags;
  },
): Promise<InputPlan> {
  const { prepared, settings, place, flags } = options;
  const { job, stage } = prepared;
  const isBegun = stage !== undefined && stage.index > 0; // of what was begun, something is left
  const planned = isBegun ? () => {} : endOnSignal(() => clearPlace(place), flags);
  try {
    const spoolDirectory = runLayout(place.dataDirectory, place.runId).stdin;
    const hidden = flags.hidden ?? false;
    const options = { cwd: process.cwd(), hidden, output: place.output, spoolDirectory };
    const files = await resolveInputs(inputs, options);
    const { targetMaps, splitBytes, workers, slots } = settings;
    const plan = planSplits(files, {
      slots: workers * slots,
      wholeFiles: !isSplittable(job.inputFormat ?? 'lines'),
      emptyFiles: job.inputFormat === 'whole',
      ...(targetMaps === undefined ? {} : { targetMaps }),
      ...(splitBytes === undefined ? {} : { splitBytes }),
    });
    const boundaries = await lookAtKeys(prepared, files, settings);
    return { ...plan, ...(boundaries ? { boundaries } : {}) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { message, place: where, next } = error;
    throw new UserError({ code: 'I001', what: message, where, next });
  } finally {
    planned();
  }
}

export interface RunIngredients {
  readonly jobName: string;
  readonly prepared: PreparedJob;
  readonly inputs: readonly string[];
  readonly flags: RunFlags;
  readonly settings: RunSettings;
  readonly place: RunPlace;
  readonly plan: InputPlan;
  readonly pace?: WorkOrder['pace'];
}

/** Writes down what is to be run: the run's folder, its store, and the workspace beside the output. All or nothing. */
export async function createRun(ingredients: RunIngredients): Promise<PreparedRun> {
  try {
    return await writeDown(ingredients);
  } catch (error) {
    clearPlace(ingredients.place);
    throw placeError(error);
  }
}

async function writeDown(ingredients: RunIngredients): Promise<PreparedRun> {
  const { prepared, settings, place, flags } = ingredients;
  const layout = runLayout(place.dataDirectory, place.runId);
  makeFolder(layout.root, 0o700);
  const order = orderOf(ingredients);
  const files = await FileFiles.open(layout.files);
  const { bundle } = prepared;
  if (bundle) await files.putIfAbsent(bundle.hash, Buffer.from(bundle.code));
  const work = await storeWorkOrder(files, order);
  await prepareWorkspace(place.output, place.runId);
  const workers = workersOf(ingredients);
  const request: RunRequest = {
    format: 'rehearse.run.v1',
    runId: place.runId,
    createdAt: new Date().toISOString(),
    directory: process.cwd(),
    job: ingredients.jobName,
    code: order.code,
    inputs: ingredients.inputs,
    hidden: flags.hidden ?? false,
    spec: {
      name: prepared.job.name,
      work,
      maps: mapsOf(order),
      reduces: order.mapOnly ? order.splits.length : settings.reduces,
      output: place.output,
      policy: settings.policy,
    },
    config: { ...settings.config, workers },
    workers,
    slots: settings.slots,
    standbys: settings.standbys,
    heapMiB: settings.heapMiB,
    overwrite: order.overwrite,
    toStdout: place.toStdout,
    ...(prepared.stage ? { stage: { ...prepared.stage, flags: { ...flags } } } : {}),
  };
  return { layout, order, request, prepared };
}

/** One task needs no second process, unless the user wants it. */
export function workersOf({ flags, plan, settings }: RunIngredients): number {
  return flags.workers === undefined && plan.splits.length === 1 ? 1 : settings.workers;
}

export function orderOf(ingredients: RunIngredients): WorkOrder {
  const { prepared, settings, place, flags, plan, pace } = ingredients;
  const { job } = prepared;
  return {
    runId: place.runId,
    code: codeOf(prepared),
    params: prepared.params,
    ...(prepared.jobParams ? { jobParams: prepared.jobParams } : {}),
    seed: settings.seed,
    budgetBytes: settings.budgetBytes,
    overwrite: flags.overwrite ?? false,
    files: plan.files,
    splits: plan.splits,
    ...(job.reduce === 'none' ? { mapOnly: true } : {}),
    ...(plan.boundaries ? { boundaries: plan.boundaries } : {}),
    ...(pace ? { pace } : {}),
    ...(flags.packShuffle ? { packShuffle: true } : {}),
  };
}

/** How tasks find the code of the job. */
export function codeOf({ job, bundle, stage, commands }: PreparedJob): JobCode {
  if (commands) return { kind: 'commands', name: job.name, commands };
  const name = stage?.pipeline ?? job.name;
  const at = stage ? { stage: stage.index } : {};
  return bundle ? { kind: 'bundle', name, hash: bundle.hash, ...at } : { kind: 'builtin', name, ...at };
}

/** A path as the user would say it, from here. */
export function sayPath(path: string): string {
  const near = relative(process.cwd(), path);
  if (near === '') return '.';
  return near.startsWith('..') || isAbsolute(near) ? path : near;
}

/** What a schema has made of the params; undefined where there is none. */
export function madeOfParams({ jobParams, stage }: PreparedJob): ParamValues | undefined {
  return jobParams ?? stage?.params;
}

/** As `limit 10, by "host"`. */
export function sayParams(params: ParamValues): string {
  const parts = Object.entries(params).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return parts.join(', ') || 'none';
}

/** A path as a word of a command, which is no flag whatever it begins with. */
export function commandPath(path: string): string {
  const near = sayPath(path);
  return commandWord(near.startsWith('-') ? `./${near}` : near);
}

/** By what a run is found from here, in a command: its id, or its folder where nobody would look for it. */
export function sayRun({ runId, root }: RunLayout): string {
  return runLayout(dataDirectoryOf(undefined), runId).root === root ? runId : commandPath(root);
}
