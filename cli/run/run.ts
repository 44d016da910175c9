/**
 * `rehearse run`: from flags to an exit code.
 */
import { commandJob } from '../../runtime/commands/command-job.js';
import { dropThreadAhead, isThreadAhead } from '../../runtime/executor/start-thread.js';
import { runLayout } from '../../runtime/node/layout.js';
import { keepHeapsSmall, loadThenKeepHeapsSmall } from '../../runtime/process/engine.js';
import { removeTree } from '../../runtime/remove-tree.js';
import { pruneRunsNowAndThen } from '../../runtime/run/prune.js';
import { isLast, type StageOf, writeRunRequest } from '../../runtime/run/run-request.js';
import { onNoAnswer } from '../ending.js';
import type { GlobalFlags } from '../global-flags.js';
import { sayBytes, sayMany } from '../quantities.js';
import { openTerminal, type Terminal } from '../terminal.js';
import { exitCodes, UserError } from '../user-error.js';
import { endOnSignal } from './early-signals.js';
import { commandsOfFlags, type RunFlags, settingsOf } from './flags.js';
import { sourcesOf } from './output-overlap.js';
import { clearPlace, placeError, placeRun, type RunPlace } from './place.js';
import {
  codeOf,
  createRun,
  findJob,
  inScratch,
  madeOfParams,
  orderOf,
  type PreparedJob,
  type PreparedRun,
  planInputs,
  type RunIngredients,
  type StageWanted,
  sayParams,
  sayPath,
  workersOf,
} from './prepare.js';
import { dataDirectoryOf, newRunId } from './run-id.js';
import { isSmallRun } from './small-run.js';

export async function run(args: string[], flags: RunFlags & GlobalFlags): Promise<number> {
  if (flags.faults !== undefined) {
    const { rehearse } = await import('../rehearsal/rehearse.js');
    return await rehearse(args, flags);
  }
  // A thread that is starting loads what Node has compiled of itself under the flags that the process began with.
  if (!flags.sequential && !isThreadAhead()) keepHeapsSmall();
  const commands = commandsOfFlags(flags);
  const [jobName, ...inputs] = commands ? [commands.mapper, ...args] : args;
  if (jobName === undefined) {
    throw new UserError({
      code: 'U006',
      what: 'no job given',
      next: "try: rehearse run word-count 'books/*.txt'",
    });
  }
  const ingredients = await gather(jobName, inputs, flags);
  const terminal = openTerminal(flags);
  if (flags.dryRun) {
    sayPlan(ingredients, flags, terminal.out);
    clearPlace(ingredients.place);
    return exitCodes.yes;
  }
  return await runStages(ingredients, terminal, flags);
}

/** Runs what was gathered and, if it is a stage of a pipeline, the stages that follow: each is a run of its own. */
export async function runStages(
  first: RunIngredients,
  terminal: Terminal,
  flags: RunFlags & GlobalFlags,
): Promise<number> {
  for (let ingredients = first; ; ) {
    const { stage } = ingredients.prepared;
    const code = await runOne(ingredients, terminal, flags);
    if (stage === undefined || code !== exitCodes.yes) return code;
    if (stage.index > 0) removeTree(ingredients.inputs[0]!);
    if (isLast(stage)) return code;
    ingredients = await nextStage(
      { jobName: ingredients.jobName, output: ingredients.place.output },
      stage,
      flags,
    );
  }
}

/** What follows a stage that is done. It reads what that stage wrote. */
export async function nextStage(
  done: { readonly jobName: string; readonly output: string },
  stage: StageOf,
  flags: RunFlags & GlobalFlags,
): Promise<RunIngredients> {
  return await gather(done.jobName, [done.output], flags, { ...stage, index: stage.index + 1 });
}

async function runOne(
  ingredients: RunIngredients,
  terminal: Terminal,
  flags: RunFlags & GlobalFlags,
): Promise<number> {
  const isFirst = (ingredients.prepared.stage?.index ?? 0) === 0;
  const begun = isFirst ? endOnSignal(() => clearPlace(ingredients.place), flags) : () => {};
  try {
    const prepared = await createRun(ingredients);
    if (flags.sequential) {
      const { runInProcess } = await import('./sequential.js');
      begun();
      const publishing = onNoAnswer(() => clearPlace(ingredients.place));
      return await runInProcess(prepared, { terminal, flags, publishing });
    }
    // What talks to other processes takes a while to load: a mistake is told before.
    const workerHere = isThreadAhead() && isSmallRun(ingredients);
    if (!workerHere) dropThreadAhead();
    const load = () =>
      Promise.all([import('./progress.js'), import('./execute.js'), import('./conclude.js')]);
    const loaded = workerHere ? load() : loadThenKeepHeapsSmall(load);
    const [{ openProgress }, { execute }, { concludeRun }] = await loaded;
    const quiet = flags.quiet ?? flags.json ?? false;
    const progress = await openProgress(flags.progress ?? 'auto', terminal, quiet);
    writeDown(prepared, ingredients.place);
    const startedAt = performance.now();
    const executing = execute({ ...prepared, progress, workerHere, verbose: flags.verbose ?? false });
    begun(); // signals are answered by that from now on
    const ending = await executing;
    const tookUs = Math.round((performance.now() - startedAt) * 1000);
    pruneRunsNowAndThen(ingredients.place.dataDirectory, prepared.layout.runId);
    return await concludeRun(ending, { ...prepared, terminal, flags, tookUs });
  } finally {
    begun();
  }
}

/** From now on the run can be resumed. */
function writeDown(prepared: PreparedRun, place: RunPlace): void {
  try {
    writeRunRequest(prepared.layout, prepared.request);
  } catch (error) {
    clearPlace(place);
    throw placeError(error);
  }
}

/** Finds whatever is wrong, before anything is started. */
export async function gather(
  jobName: string,
  inputs: readonly string[],
  flags: RunFlags & GlobalFlags,
  stage?: StageWanted,
): Promise<RunIngredients> {
  const settings = settingsOf(flags);
  if (inputs.length === 0 || inputs.includes('')) {
    throw new UserError({
      code: 'U007',
      what: inputs.length === 0 ? 'no input given' : 'the name of an input is empty',
      next: 'name files, folders or globs, or - for standard input',
    });
  }
  return await inScratch(async (scratch) => {
    const commands = commandsOfFlags(flags);
    const prepared: PreparedJob = commands
      ? {
          ...{ job: commandJob(commands), params: settings.params, jobParams: undefined },
          ...{ commands, bundle: undefined, directory: scratch },
        }
      : await findJob(jobName, settings.params, scratch, stage);
    const dataDirectory = dataDirectoryOf(flags.dataDir);
    const runId = newRunId(dataDirectory);
    const sources = prepared.bundle?.sources ?? sourcesOf(jobName, codeOf(prepared));
    const asked = await placeRun(flags, { dataDirectory, runId, sources });
    // What only the next stage reads stays in the run's own folder; but the user's output is looked at before the first.
    const place =
      prepared.stage && !isLast(prepared.stage)
        ? { ...asked, output: runLayout(dataDirectory, runId).output, toStdout: false }
        : asked;
    const planned = onNoAnswer(() => clearPlace(place)); // standard input is kept there
    const plan = await planInputs(inputs, { prepared, settings, place, flags })
      .catch((error) => {
        clearPlace(place);
        throw error;
      })
      .finally(planned);
    return { jobName, prepared, inputs, flags, settings, place, plan };
  });
}

function sayPlan(ingredients: RunIngredients, flags: GlobalFlags, out: (text: string) => void): void {
  const order = orderOf(ingredients);
  const { settings, place } = ingredients;
  const bytes = order.files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const plan = {
    job: order.code.name,
    files: order.files.length,
    bytes,
    maps: order.splits.length,
    reduces: order.mapOnly ? 0 : settings.reduces,
    workers: workersOf(ingredients),
    output: place.output,
    params: madeOfParams(ingredients.prepared),
  };
  if (flags.json) {
    out(`${JSON.stringify(plan)}\n`);
    return;
  }
  const tasks = order.mapOnly
    ? sayMany(plan.maps, 'map task')
    : `${plan.maps} map and ${plan.reduces} reduce tasks`;
  out(
    `${plan.job}: ${sayMany(plan.files, 'file')}, ${sayBytes(bytes)}, ${tasks} ` +
      `on ${sayMany(plan.workers, 'worker')}, output to ${sayPath(plan.output)}; nothing was started\n`,
  );
  if (plan.params) out(`params: ${sayParams(plan.params)}\n`);
}
