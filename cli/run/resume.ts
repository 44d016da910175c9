/**
 * `rehearse resume`: the same cluster again, on the same journal. Nothing that was committed is done again; inputs or a
 * job that have changed since are refused, for the answer would be of neither.
 */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { bundleJob } from '../../runtime/bundle/bundle.js';
import type { RunLayout } from '../../runtime/node/layout.js';
import { loadWorkOrder, type WorkOrder } from '../../runtime/node/work-order.js';
import { keepHeapsSmall, loadThenKeepHeapsSmall } from '../../runtime/process/engine.js';
import { claimRun, killLeftovers } from '../../runtime/process/process-register.js';
import { removeTree } from '../../runtime/remove-tree.js';
import { formerPlace } from '../../runtime/run/former-masters.js';
import { isLast, type RunRequest, readRunRequest } from '../../runtime/run/run-request.js';
import { FileFiles } from '../../runtime/store/file-files.js';
import type { GlobalFlags } from '../global-flags.js';
import { openTerminal, type Terminal } from '../terminal.js';
import { exitCodes, UserError } from '../user-error.js';
import { damageError } from './damaged-run.js';
import { type EndedRun, lookAtEnd, sayEnded } from './ended-run.js';
import type { RunFlags } from './flags.js';
import { dataDirectoryOf, findRun } from './run-id.js';

export async function resume(args: string[], flags: GlobalFlags): Promise<number> {
  keepHeapsSmall();
  const { layout } = findRun(args[0]!, dataDirectoryOf(flags.dataDir));
  const request = readRunRequest(layout);
  if (!request) {
    throw new UserError({
      code: 'R002',
      what: `run ${layout.runId} left nothing to go on with`,
      where: layout.root,
      why: 'it was --sequential or a rehearsal, was stopped before it began, or was cleared away',
      next: 'start the job anew: rehearse run …',
    });
  }
  const order = await workOrderOf(request, layout);
  const terminal = openTerminal(flags);
  const running = claimRun(layout);
  if (running !== undefined) {
    throw new UserError({
      code: 'R005',
      what: `run ${layout.runId} is still going on`,
      why: `process ${running} works on it`,
      next: 'wait for it, or end it first',
    });
  }
  await killLeftovers(layout);
  const ended = await lookAtEnd(request, layout);
  if (ended) return await afterTheEnd(ended, { request, layout, terminal, flags });
  await refuseChanges(request, order);
  // What talks to other processes takes a while to load: a mistake is told before.
  const [{ openProgress }, { execute }, { concludeRun }] = await loadThenKeepHeapsSmall(() =>
    Promise.all([import('./progress.js'), import('./execute.js'), import('./conclude.js')]),
  );
  const progress = await openProgress(flags.progress ?? 'auto', terminal, flags.quiet ?? flags.json ?? false);
  const startedAt = performance.now();
  const formerly = await formerPlace(layout, request.config.masters);
  const verbose = flags.verbose ?? false;
  const ending = await execute({ request, layout, formerly, progress, verbose });
  const tookUs = Math.round((performance.now() - startedAt) * 1000);
  // It may have been published before it was killed, and then overwritten by another run or taken away.
  const now = ending.type === 'concluded' ? await lookAtEnd(request, layout) : undefined;
  if (now?.type === 'replaced' || now?.type === 'removed')
    return await afterTheEnd(now, { request, layout, terminal, flags });
  const code = await concludeRun(ending, { request, layout, order, terminal, flags, tookUs, resumed: true });
  return code === exitCodes.yes ? await followingStages(request, layout, terminal, flags) : code;
}

async function workOrderOf({ spec }: RunRequest, layout: RunLayout): Promise<WorkOrder> {
  try {
    return await loadWorkOrder(await FileFiles.open(layout.files), spec.work);
  } catch (error) {
    throw damageError(error, layout) ?? error;
  }
}

/** What is left of a pipeline after this stage of it. */
async function followingStages(
  request: RunRequest,
  layout: RunLayout,
  terminal: Terminal,
  flags: GlobalFlags,
): Promise<number> {
  const { stage } = request;
  if (!stage) return exitCodes.yes;
  removeStageInput(request);
  if (isLast(stage)) return exitCodes.yes;
  const given = { ...(stage.flags as RunFlags), ...flags, dataDir: dirname(dirname(layout.root)) };
  returnTo(request);
  const { nextStage, runStages } = await import('./run.js');
  const done = { jobName: request.job, output: request.spec.output };
  return await runStages(await nextStage(done, stage, given), terminal, given);
}

/** Nothing is left to do of this run itself. That is a success as long as its output is there. */
async function afterTheEnd(
  ended: EndedRun,
  about: { request: RunRequest; layout: RunLayout; terminal: Terminal; flags: GlobalFlags },
): Promise<number> {
  const { request, layout, terminal, flags } = about;
  const [{ cleanUp }, { sayLeft }] = await Promise.all([import('./execute.js'), import('./conclude.js')]);
  const left = await cleanUp(request, layout); // it may have been killed while it did that
  const goesOn = ended.type === 'done' && request.stage !== undefined && !isLast(request.stage);
  if (!goesOn) sayEnded(ended, about);
  sayLeft(left, terminal);
  if (ended.type === 'done') return await followingStages(request, layout, terminal, flags);
  if (ended.type !== 'failed') removeStageInput(request);
  return exitCodes.no;
}

/** What only this stage of a pipeline has read. */
function removeStageInput({ stage, inputs }: RunRequest): void {
  if (stage && stage.index > 0) removeTree(inputs[0]!);
}

async function refuseChanges(request: RunRequest, order: WorkOrder): Promise<void> {
  for (const file of order.files) {
    const now = await stat(file.path, { bigint: true }).catch(() => undefined);
    const same =
      now !== undefined &&
      now.size === BigInt(file.sizeBytes) &&
      String(now.mtimeNs) === file.mtimeNs &&
      String(now.ino) === file.inode;
    if (same) continue;
    throw new UserError({
      code: 'R003',
      what: now ? 'an input has changed since the run began' : 'an input of the run is gone',
      where: file.name,
      next: 'start the job anew: rehearse run …',
    });
  }
  returnTo(request);
  if (request.code.kind !== 'bundle') return;
  const bundle = await bundleJob(request.job).catch(() => undefined);
  if (bundle?.hash === request.code.hash) return;
  throw new UserError({
    code: 'R004',
    what: bundle
      ? 'the job has changed since the run began'
      : 'the job of the run cannot be compiled any more',
    where: request.job,
    next: 'start the job anew: rehearse run …',
  });
}

/** What the user named is relative to the folder in which the run was begun. */
function returnTo({ directory }: RunRequest): void {
  if (!existsSync(directory)) {
    throw new UserError({
      code: 'R006',
      what: 'the folder in which the run was begun is gone',
      where: directory,
      next: 'bring it back, or start the job anew: rehearse run …',
    });
  }
  process.chdir(directory);
}
