/**
 * Carries a prepared run through: starts the cluster, follows the job, answers signals, and leaves behind exactly what
 * belongs there: the output and the traces of a job that ended, or everything needed to resume one that did not.
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DecisionFacts } from '../../core/effects.js';
import type { NodeId } from '../../core/ids.js';
import type { EpochPlace } from '../../core/master/state.js';
import { errnoOf } from '../../runtime/data/disk.js';
import { removeWorkspace, workspacePath } from '../../runtime/data/publish.js';
import type { Conclusion } from '../../runtime/node/client-node.js';
import type { CrashPoint, ReachedFor } from '../../runtime/node/crash-points.js';
import type { RunLayout } from '../../runtime/node/layout.js';
import { StoreFailedError } from '../../runtime/node/master-node.js';
import type { Said } from '../../runtime/process/child-setup.js';
import { UnbegunError } from '../../runtime/process/supervisor.js';
import { removeTree } from '../../runtime/remove-tree.js';
import { isLaterLife, LocalCluster, type RehearsedCluster } from '../../runtime/run/local-cluster.js';
import { isLast, type RunRequest } from '../../runtime/run/run-request.js';
import { leave, onNoAnswer } from '../ending.js';
import { exitOfSignal, onStopSignal, type StopSignal } from '../stop-signals.js';
import { refusalOf, surroundingsError } from '../surroundings.js';
import { exitCodes, UserError } from '../user-error.js';
import { Absence } from './absence.js';
import { damageError } from './damaged-run.js';
import { refuseOverlap, sourcesOf } from './output-overlap.js';
import { sayPath, sayRun } from './prepare.js';
import type { ProgressView } from './progress.js';
import { TroubledPublishing } from './troubled-publishing.js';

export interface ExecuteOptions {
  readonly request: RunRequest;
  readonly layout: RunLayout;
  /** What masters of former starts of this run have left a record of. */
  readonly formerly?: EpochPlace | undefined;
  readonly progress: ProgressView;
  /** The command is the only worker itself. */
  readonly workerHere?: boolean;
  /** Also say which processes came and went. */
  readonly verbose: boolean;
  readonly rehearsal?: Rehearsal;
}

/** Faults on real processes: see cli/rehearsal. */
export interface Rehearsal extends RehearsedCluster {
  begin(cluster: LocalCluster): void;
  pointReached(node: NodeId, point: CrashPoint, on: ReachedFor): void;
  started(node: NodeId, incarnation: number): void;
  /** Jobs that follow the first one on the same cluster. */
  followUp(cluster: LocalCluster, conclusion: Conclusion): Promise<void>;
  end(): void;
}

export type Ending = (
  | { readonly type: 'concluded'; readonly conclusion: Conclusion }
  | { readonly type: 'interrupted'; readonly signal: StopSignal }
) & { readonly left: readonly Left[] };

/** What cleaning up could not remove. */
export interface Left {
  readonly path: string;
  readonly why: string;
}

export async function execute(options: ExecuteOptions): Promise<Ending> {
  const { request, layout, progress, rehearsal } = options;
  refuseMovedPlaces(request, layout);
  let fail: (error: Error) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {}); // it may fail when nobody waits any more
  const { absence, unanswered } = watchAbsence(options);
  const publishing = new TroubledPublishing({ request, goOn: resumeCommand(layout), fail, progress });
  const cluster = openCluster(options, { fail, absence, publishing });
  const signals = answerSignals(cluster, options, { absence, publishing });
  const answered = onNoAnswer(() => abandon(cluster, options));
  let conclusion: Conclusion | undefined;
  try {
    rehearsal?.begin(cluster);
    const work = cluster.start().then(() => cluster.run(request.runId, request.spec));
    const stopped = Promise.race([failed, unanswered, publishing.stopped]);
    conclusion = await Promise.race([work, stopped]);
    await Promise.race([rehearsal?.followUp(cluster, conclusion), stopped]);
  } catch (error) {
    throw explained(error, layout);
  } finally {
    absence.end();
    rehearsal?.end();
    const isOver = !rehearsal && conclusion?.type === 'ended';
    await cluster.stop(isOver ? () => removeAhead(layout.work) : undefined);
    signals.stop();
    answered();
    progress.done();
  }
  const signal = signals.first();
  // Of a rehearsal with several jobs, it may have been a later one that was stopped; a drain may be its own doing.
  if (rehearsal ? signal !== undefined : conclusion.type === 'drained')
    return { type: 'interrupted', signal: signal ?? 'SIGINT', left: [] };
  const left = await cleanUp(request, layout);
  // A stage that was at its end when it was to stop has ended, and those that follow have not begun.
  if (signal !== undefined && request.stage && !isLast(request.stage) && hasPublished(conclusion))
    return { type: 'interrupted', signal, left };
  return { type: 'concluded', conclusion, left };
}

/** Who resumes a run may have moved folders and links since it was begun. Without waiting: nobody answers signals yet. */
function refuseMovedPlaces({ job, code, spec }: RunRequest, layout: RunLayout): void {
  const { output } = spec;
  refuseOverlap({ output, said: sayPath(output), layout, sources: sourcesOf(job, code) });
}

/** For who leaves at once: nothing is waited for. A rehearsal cannot be resumed. */
function abandon(cluster: LocalCluster, { layout, progress, rehearsal }: ExecuteOptions): void {
  cluster.abandon();
  progress.done();
  if (!rehearsal) process.stderr.write(`to go on: ${resumeCommand(layout)}\n`);
}

function hasPublished(conclusion: Conclusion): boolean {
  return conclusion.type === 'ended' && conclusion.status.phase === 'published';
}

function watchAbsence({ request, progress }: ExecuteOptions) {
  let end: (conclusion: Conclusion) => void = () => {};
  const unanswered = new Promise<Conclusion>((resolve) => {
    end = resolve;
  });
  const absence = new Absence({
    config: request.config,
    say: (line) => progress.event(line),
    unanswered: () => end({ type: 'drained' }),
  });
  return { absence, unanswered };
}

interface Watches {
  fail(error: Error): void;
  readonly absence: Absence;
  readonly publishing: TroubledPublishing;
}

function openCluster(options: ExecuteOptions, { fail, absence, publishing }: Watches): LocalCluster {
  const { request, layout, formerly, progress, rehearsal } = options;
  try {
    return new LocalCluster({
      request,
      layout,
      formerly,
      dataDirectory: dirname(dirname(layout.root)),
      observer: {
        started: (node, incarnation) => {
          if (options.verbose) progress.event(`${node} started (life ${incarnation})`);
          else if (rehearsal && isLaterLife(incarnation)) progress.event(`${node} started again`);
          rehearsal?.started(node, incarnation);
        },
        ended: (node, _incarnation, how, restartMs) => {
          // What a terminal tells all of them is ours to answer; a child that was too young to ignore it is no news.
          if (how === 'SIGINT' || how === 'SIGHUP') return;
          const next = restartMs === 0 ? 'starting it again' : `next start in ${restartMs} ms`;
          // Of a rehearsal, whether and when it comes back is for its faults to say, perhaps in a moment.
          progress.event(`${node} ended (${how})${rehearsal ? '' : `; ${next}`}`);
        },
        said: listenTo(options, fail, publishing),
      },
      report: (status) => {
        absence.heard(status);
        progress.status(status);
      },
      failed: fail,
      workerHere: options.workerHere ?? false,
      ...(rehearsal ? { rehearsed: rehearsal } : {}),
    });
  } catch (error) {
    throw explained(error, layout);
  }
}

/** Failures of the store that are borne: another master takes over, or the same one tries again. */
const storeFailuresBorne = 2;

/** What the processes say: steps and crash points for a rehearsal, what they miss, and why one of them had to end. */
function listenTo(
  { rehearsal, progress }: ExecuteOptions,
  fail: (error: Error) => void,
  publishing: TroubledPublishing,
): (node: NodeId, message: Said) => void {
  let storeFailures = 0;
  return (node, message) => {
    if (message.type === 'step') return rehearsal?.watch(node, message.event, message.effects);
    if (message.type === 'point') return rehearsal?.pointReached(node, message.point, message.on);
    if (message.type === 'unpublished') return publishing.met(message);
    if (message.type === 'untraced')
      return progress.event(`${node} goes on without a trace: ${message.message}`);
    if (message.type === 'went-back') return progress.event(wentBackText(message.facts));
    const text = `${node}: ${message.message}`;
    if (message.name !== 'StoreFailedError') {
      const { name, stack, call } = message;
      fail(Object.assign(new Error(text), { name, stack }, call));
    } else if (++storeFailures > storeFailuresBorne) {
      fail(new StoreFailedError(text));
    } else {
      progress.event(`the store refused a write of ${text}`);
    }
  };
}

/** A master knows by what it has read itself, has heard, or finds in the trace of a former one; or by a client's job. */
function wentBackText(facts: DecisionFacts): string {
  const { knownEpoch, knownSlot, heardEpoch = knownEpoch, heardSlot = knownSlot, epoch, slot } = facts;
  if (heardSlot === undefined) return 'the store went back: it has lost a job that was accepted';
  const acknowledged = `the store went back: it had acknowledged slot ${heardSlot} in epoch ${heardEpoch}`;
  const place = slot === 0 ? 'is empty' : `ends with slot ${slot} of epoch ${epoch}`;
  const found = slot === undefined ? '' : `, and its journal ${place}`;
  return `${acknowledged}${found}; what is lost is done again`;
}

/**
 * Nobody asks twice so soon: who ends a command and then its whole group (as `timeout` does) asks once. That a terminal was
 * closed is told by the kernel and by the shell, with any time in between.
 */
const asksAgainMs = 100;

/** The first Ctrl-C lets running attempts finish, the second ends at once. */
function answerSignals(
  cluster: LocalCluster,
  options: ExecuteOptions,
  { absence, publishing }: Pick<Watches, 'absence' | 'publishing'>,
) {
  let first: StopSignal | undefined;
  let firstMs = 0;
  const answer = (signal: StopSignal): void => {
    if (first && (signal === 'SIGHUP' || performance.now() - firstMs < asksAgainMs)) return;
    if (first) {
      abandon(cluster, options);
      leave(exitOfSignal(first));
    }
    first = signal;
    firstMs = performance.now();
    options.progress.event(
      'stopping: running attempts may finish, nothing new begins (once more to stop at once)',
    );
    cluster.drain();
    absence.drain();
    publishing.stop();
  };
  return { first: () => first, stop: onStopSignal(answer) };
}

/** While the workers die: what they were just making, and so could be left, is for `cleanUp`. */
function removeAhead(path: string): void {
  try {
    removeTree(path);
  } catch {
    // Whatever is in the way is in the way of cleanUp too, which tells of it.
  }
}

/**
 * No process of this run is alive any more: what only they needed can go. The traces stay. What the surroundings refuse to
 * remove is left, and changes nothing of how the run has ended.
 */
export async function cleanUp(request: RunRequest, layout: RunLayout): Promise<Left[]> {
  const { output } = request.spec;
  const left: Left[] = [];
  const unlessRefused = async (path: string, remove: () => void | Promise<void>): Promise<void> => {
    try {
      await remove();
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined) throw error;
      left.push({ path, why: refusalOf(errno) ?? (error as Error).message });
    }
  };
  await unlessRefused(workspacePath(output, request.runId), () => removeWorkspace(output, request.runId));
  for (const path of [layout.work, layout.bundle, layout.stdin])
    await unlessRefused(path, () => removeTree(path));
  return left;
}

export function resumeCommand(layout: RunLayout): string {
  return `rehearse resume ${sayRun(layout)}`;
}

/** What the surroundings have refused, and how to go on with the run; a bug of ours as it is. */
function explained(error: unknown, layout: RunLayout): unknown {
  if (error instanceof StoreFailedError) return storeError(error, layout);
  if (error instanceof UnbegunError) return unbegunError(error, layout);
  return damageError(error, layout) ?? surroundingsError(error, resumeCommand(layout)) ?? error;
}

function unbegunError({ node, how, log }: UnbegunError, layout: RunLayout): UserError {
  return new UserError({
    code: 'U058',
    what: `no process of ${node} lives until it has begun (${how})`,
    ...(existsSync(log) ? { where: sayPath(log) } : {}),
    why: 'most often there may not be so many processes and threads: ulimit -u',
    next: `once that is mended, or with fewer workers (-w): ${resumeCommand(layout)}`,
    exit: exitCodes.environment,
  });
}

/** Nobody knows whether the job can be done: that is no answer, and the surroundings' fault. */
function storeError(error: StoreFailedError, layout: RunLayout): UserError {
  const full = /ENOSPC|no space left/.test(error.message);
  return new UserError({
    code: 'E001',
    what: full ? 'the disk is full: the journal could not be written' : 'the store refused a write',
    why: error.message,
    next: `once that is mended: ${resumeCommand(layout)}`,
    exit: exitCodes.environment,
  });
}
