/**
 * The end of a run: summary or probable cause, what goes to stdout, and the exit code.
 */
import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { taskName } from '../../core/ids.js';
import type { JobStatus } from '../../core/messages.js';
import type { Failure } from '../../core/records.js';
import { partName } from '../../jobs/output-names.js';
import type { WorkOrder } from '../../runtime/node/work-order.js';
import { isLast, type RunRequest } from '../../runtime/run/run-request.js';
import type { GlobalFlags } from '../global-flags.js';
import { sayDuration, sayMany } from '../quantities.js';
import { exitOfSignal } from '../stop-signals.js';
import { printsWhatLiesIn, type Terminal, writeOut } from '../terminal.js';
import { exitCodes, layOut } from '../user-error.js';
import { lookAtPlace, sayEnded } from './ended-run.js';
import { type Ending, type Left, resumeCommand } from './execute.js';
import { sayPath, sayRun } from './prepare.js';
import { type FinishedRun, summarize, summaryText } from './summary.js';

export interface Concluding extends FinishedRun {
  readonly terminal: Terminal;
  readonly flags: GlobalFlags;
}

export async function concludeRun(ending: Ending, concluding: Concluding): Promise<number> {
  const code = await tellEnding(ending, concluding);
  sayLeft(ending.left, concluding.terminal);
  return code;
}

/** What is in the way of nobody, and of no use to anybody. */
export function sayLeft(left: readonly Left[], terminal: Terminal): void {
  for (const { path, why } of left) {
    terminal.warn(`could not be removed, and is of no use any more: ${sayPath(path)} (${why})`);
  }
}

async function tellEnding(ending: Ending, concluding: Concluding): Promise<number> {
  const { request, layout, terminal, flags } = concluding;
  if (ending.type === 'interrupted') {
    if (flags.json) terminal.out(`${JSON.stringify({ run: request.runId, outcome: 'interrupted' })}\n`);
    const next = `to go on: ${resumeCommand(layout)}`;
    if (flags.quiet) terminal.warn(next);
    else terminal.say(`stopped. ${next}`);
    return exitOfSignal(ending.signal);
  }
  const { conclusion } = ending;
  if (conclusion.type === 'refused') {
    const { message, reason } = conclusion.refused;
    const parts = { code: 'M001', what: `the job was refused: ${message}`, where: request.runId };
    if (flags.json)
      terminal.out(`${JSON.stringify({ run: request.runId, outcome: 'refused', error: parts })}\n`);
    else terminal.warn(layOut(parts).trimEnd());
    return reason === 'gone' ? exitCodes.environment : exitCodes.usage;
  }
  if (conclusion.type === 'drained') throw new Error('a drained run is not concluded');
  const { status } = conclusion;
  return status.phase === 'published' ? await succeed(status, concluding) : fail(status, concluding);
}

async function succeed(status: JobStatus, concluding: Concluding): Promise<number> {
  const { request, terminal, flags, tookUs } = concluding;
  const found = await lookAtPlace(request);
  if (found.type !== 'done') {
    sayEnded(found, { ...concluding, justNow: true });
    return exitCodes.no;
  }
  if (sayStage(request, tookUs, terminal)) return exitCodes.yes;
  if (request.toStdout && !flags.json) await printParts(request);
  // It reads all traces: not for nobody.
  if (flags.quiet && !flags.json) return exitCodes.yes;
  const summary = await summarize(status, concluding, found.partBytes);
  if (flags.json) terminal.out(`${JSON.stringify(summary)}\n`);
  else terminal.say(summaryText(summary, sayRun(concluding.layout)));
  return exitCodes.yes;
}

/** Of a pipeline, only the last stage has a summary; for the others a line will do. False for everything else. */
export function sayStage({ stage, spec }: RunRequest, tookUs: number, terminal: Terminal): boolean {
  if (!stage || isLast(stage)) return false;
  terminal.say(`stage ${stage.index + 1} of ${stage.count}, ${spec.name}: ${sayDuration(tookUs)}`);
  return true;
}

/** The parts in order. A reader that has seen enough is no error. */
export async function printParts(request: RunRequest): Promise<void> {
  printsWhatLiesIn(sayPath(request.spec.output));
  for (let partition = 0; partition < request.spec.reduces; partition++) {
    for await (const chunk of createReadStream(join(request.spec.output, partName(partition)))) {
      if (!(await writeOut(chunk as Buffer))) return;
    }
  }
}

/** A failed job ends with its probable cause, and with what to do next. */
function fail(status: JobStatus, concluding: Concluding): number {
  const { request, terminal, flags, layout, order } = concluding;
  const failure = status.failure!;
  if (flags.json) {
    const { failures } = status;
    terminal.out(`${JSON.stringify({ run: request.runId, outcome: 'failed', failure, failures })}\n`);
    return exitCodes.no;
  }
  const cause = failure.failure;
  const told = cause?.message === failure.message; // some causes fail a job by themselves
  terminal.warn(
    layOut({
      code: 'F001',
      what: `the job failed: ${failure.message}`,
      where: cause?.frame,
      why: cause && !told ? `probable cause: ${cause.message}${seen(status, cause.message)}` : undefined,
    }).trimEnd(),
  );
  for (const line of cause ? causeLines(cause) : []) terminal.warn(`  ${line}`);
  if (cause && silentKinds.has(cause.kind) && failure.task !== undefined) {
    for (const line of splitLines(failure.task, order)) terminal.warn(`  ${line}`);
  }
  if (failure.attempts) {
    const [first, second] = failure.attempts;
    const name = taskName(first.task, request.spec.maps);
    terminal.warn(
      `  the two attempts: ${name}, epoch ${first.epoch} n ${first.n} and epoch ${second.epoch} n ${second.n}`,
    );
  }
  if (readdirSync(layout.logs).some((name) => name.startsWith('job-'))) {
    terminal.warn(`  what user code printed: ${sayPath(layout.logs)}`);
  }
  terminal.warn(`  the whole story: ${sayPath(layout.trace)} (rehearse explain ${sayRun(layout)})`);
  return exitCodes.no;
}

/** Where in the user's data it happened, as far as that is known. */
export function causeLines(cause: Failure): string[] {
  if (cause.input !== undefined) return [`at ${cause.input}, byte ${cause.offset ?? 0}`];
  return cause.key === undefined ? [] : [`at key ${JSON.stringify(cause.key)}`];
}

/** Code that hangs or ends its executor cannot say where it was: what the map had to read is all that is known. */
const silentKinds: ReadonlySet<Failure['kind']> = new Set(['timeout', 'memory', 'exit', 'worker-died']);
const rangesSaidMax = 3;

function splitLines(task: number, order: WorkOrder): string[] {
  const ranges = order.splits[task] ?? [];
  const lines = ranges.slice(0, rangesSaidMax).map(({ file, start, end }) => {
    return `while reading ${order.files[file]!.name}, bytes ${start} to ${end}`;
  });
  const more = ranges.length - lines.length;
  return more > 0 ? [...lines, `and ${sayMany(more, 'more file')}`] : lines;
}

function seen(status: JobStatus, message: string): string {
  const alike = status.failures.filter(
    ({ failure }) => signature(failure.message) === signature(message),
  ).length;
  return alike > 1 ? ` (seen ${alike} times)` : '';
}

/** Messages that differ only in numbers, as in names of attempts, tell of the same mistake. */
function signature(message: string): string {
  return message.replace(/\d+/g, '#');
}
