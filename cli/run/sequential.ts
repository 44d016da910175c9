/**
 * `rehearse run --sequential`: the whole job in this process. The same plan, the same publishing, the same bytes.
 */
import { rm, rmdir } from 'node:fs/promises';
import { isDataError, UserCodeError } from '../../runtime/data/errors.js';
import { publishOutput, removeWorkspace } from '../../runtime/data/publish.js';
import { runSequential } from '../../runtime/data/sequential.js';
import { resultOfError } from '../../runtime/executor/failure.js';
import { countersRefusal, successText } from '../../runtime/node/success.js';
import { paramsOfTasks } from '../../runtime/node/work-order.js';
import type { GlobalFlags } from '../global-flags.js';
import { sayBytes, sayCount, sayDuration, sayMany } from '../quantities.js';
import type { Terminal } from '../terminal.js';
import { exitCodes, layOut } from '../user-error.js';
import { causeLines, printParts, sayStage } from './conclude.js';
import { type PreparedRun, sayPath } from './prepare.js';

export async function runInProcess(
  prepared: PreparedRun,
  how: {
    readonly terminal: Terminal;
    readonly flags: GlobalFlags;
    /** From here on what lies beside the output may be all that there is of it. */
    readonly publishing?: () => void;
  },
): Promise<number> {
  const { terminal, flags, publishing } = how;
  const { request, order, layout } = prepared;
  const { job, directory } = prepared.prepared;
  const { spec, runId } = request;
  const startedAt = performance.now();
  let undecided = false;
  try {
    const result = await runSequential({
      job,
      plan: order,
      reduces: spec.reduces,
      budgetBytes: order.budgetBytes,
      boundaries: order.boundaries,
      params: paramsOfTasks(order),
      seed: order.seed,
      output: spec.output,
      runId,
      skipBadRecords: spec.policy.skipBadRecords,
    });
    const refusal = countersRefusal(result.counters);
    if (refusal !== undefined) throw new UserCodeError({}, new TypeError(refusal));
    const parts = result.parts.map(({ digest, bytes }) => ({ digest, bytes }));
    const success = successText({ parts, counters: result.counters, work: spec.work }, order);
    const { overwrite } = request;
    publishing?.();
    const published = await publishOutput({
      output: spec.output,
      runId,
      overwrite,
      parts: result.parts,
      success,
      publisher: 'sequential',
    });
    if (published.outcome === 'failed') {
      undecided = !published.definite;
      terminal.warn(layOut({ code: 'O003', what: published.message, where: published.place }).trimEnd());
      return exitCodes.no;
    }
    await sayResult(prepared, {
      terminal,
      flags,
      tookUs: Math.round((performance.now() - startedAt) * 1000),
      counters: result.counters,
    });
    return exitCodes.yes;
  } catch (error) {
    if (!isDataError(error)) throw error;
    sayFailure(error, { directory, runId, terminal, flags });
    return exitCodes.no;
  } finally {
    publishing?.();
    if (!undecided) await removeWorkspace(spec.output, runId); // the output that was there may lie in it
    for (const path of [layout.files, layout.stdin]) await rm(path, { recursive: true, force: true });
    await rmdir(layout.root).catch(() => {}); // the output may lie in it
  }
}

function sayFailure(
  error: unknown,
  how: { directory: string; runId: string; terminal: Terminal; flags: GlobalFlags },
): void {
  const { directory, runId, terminal, flags } = how;
  const result = resultOfError(error, [], directory);
  if (result.type !== 'broke') throw error;
  const { failure } = result;
  const what = 'the job failed';
  if (flags.json) {
    terminal.out(
      `${JSON.stringify({ run: runId, outcome: 'failed', failure: { message: what, failure } })}\n`,
    );
    return;
  }
  const why = [`probable cause: ${failure.message}`, ...causeLines(failure)].join('\n  ');
  terminal.warn(layOut({ code: 'F001', what, where: failure.frame, why }).trimEnd());
}

async function sayResult(
  prepared: PreparedRun,
  how: {
    terminal: Terminal;
    flags: GlobalFlags;
    tookUs: number;
    counters: readonly (readonly [string, number])[];
  },
): Promise<void> {
  const { request, order } = prepared;
  const { terminal, flags, tookUs, counters } = how;
  if (sayStage(request, tookUs, terminal)) return;
  const bytes = order.files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const { output } = request.spec;
  if (flags.json) {
    const document = { run: request.runId, outcome: 'published', job: request.spec.name, output, tookUs };
    terminal.out(`${JSON.stringify({ ...document, counters: Object.fromEntries(counters) })}\n`);
    return;
  }
  if (request.toStdout) await printParts(request);
  terminal.say(
    `${request.spec.name}: ${sayMany(order.files.length, 'file')}, ${sayBytes(bytes)} in ${sayDuration(tookUs)}`,
  );
  for (const [name, value] of counters) terminal.say(`  ${name.padEnd(22)} ${sayCount(value)}`);
  terminal.say(`output  ${sayPath(output)}`);
}
