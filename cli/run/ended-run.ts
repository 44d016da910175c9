/**
 * A run that is over, for whoever wants to go on with it: what became of it, and whether its output is still there. What lies
 * in the output's place may be of another run, so the name in `_SUCCESS.json` counts, and the run's own journal.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobFailure } from '../../core/records.js';
import { successName } from '../../jobs/output-names.js';
import { lookAtOutput } from '../../runtime/data/publish.js';
import type { RunLayout } from '../../runtime/node/layout.js';
import { type JobEnd, readJobEnd } from '../../runtime/run/job-end.js';
import { isLast, type RunRequest } from '../../runtime/run/run-request.js';
import type { GlobalFlags } from '../global-flags.js';
import { surroundingsError } from '../surroundings.js';
import type { Terminal } from '../terminal.js';
import { exitCodes, UserError } from '../user-error.js';
import { sayRun } from './prepare.js';

export type EndedRun =
  /** Published, and there. */
  | { readonly type: 'done' }
  /** Published; something else is in its place by now, perhaps the output of a run. */
  | { readonly type: 'replaced'; readonly by?: string }
  /** Published; nothing is in its place any more. */
  | { readonly type: 'removed' }
  | { readonly type: 'failed'; readonly failure: JobFailure };

/** Undefined when there is something to go on with, be it only the summary. */
export async function lookAtEnd(request: RunRequest, layout: RunLayout): Promise<EndedRun | undefined> {
  // As LocalCluster makes these folders, and cleaning up removes the second: nothing is left to be done of a run that has ended.
  const isTidy = existsSync(layout.trace) && !existsSync(layout.work);
  const { output } = request.spec;
  const by = publisherOf(output);
  if (by === request.runId) return isTidy ? { type: 'done' } : undefined;
  const end = await readEnd(layout);
  if (end?.type === 'published') {
    if ((await lookAtOutput(output)) === 'absent') return { type: 'removed' };
    return by === undefined ? { type: 'replaced' } : { type: 'replaced', by };
  }
  return end && isTidy ? { type: 'failed', failure: end.failure } : undefined;
}

/** The run whose output lies there, if it is one that says so. */
function publisherOf(output: string): string | undefined {
  try {
    const { run } = JSON.parse(readFileSync(join(output, successName), 'utf8')) as { run?: unknown };
    return typeof run === 'string' ? run : undefined;
  } catch {
    return undefined;
  }
}

async function readEnd(layout: RunLayout): Promise<JobEnd | undefined> {
  if (!existsSync(layout.journal)) return undefined;
  return await readJobEnd(layout).catch((error: Error) => {
    throw (
      surroundingsError(error) ??
      new UserError({
        code: 'E001',
        what: `the journal of run ${layout.runId} cannot be read`,
        where: layout.journal,
        why: error.message,
        next: 'start the job anew: rehearse run …',
        exit: exitCodes.environment,
      })
    );
  });
}

export function sayEnded(
  ended: EndedRun,
  about: { request: RunRequest; layout: RunLayout; terminal: Terminal; flags: GlobalFlags },
): void {
  const { request, terminal, flags } = about;
  if (flags.json) terminal.out(`${JSON.stringify({ run: request.runId, ...documentOf(ended, request) })}\n`);
  terminal.warn(`run ${request.runId} ${wordsOf(ended, about)}`);
}

function documentOf(ended: EndedRun, { spec: { output } }: RunRequest): object {
  if (ended.type === 'done') return { outcome: 'published', output };
  const { type, ...more } = ended;
  return type === 'failed' ? { outcome: type, ...more } : { outcome: type, output, ...more };
}

function wordsOf(ended: EndedRun, about: { request: RunRequest; layout: RunLayout }): string {
  const { stage, spec } = about.request;
  switch (ended.type) {
    case 'done':
      return `is done: ${spec.output}`;
    case 'removed':
      return stage && !isLast(stage)
        ? 'is done, and the stage that followed has read its output; resume that one, or start it anew'
        : `is done, but its output is there no more: ${spec.output}; start it anew`;
    case 'replaced': {
      const now = ended.by === undefined ? 'something else' : `the output of run ${ended.by}`;
      return `is done, but in the place of its output is ${now}: ${spec.output}; start it anew`;
    }
    case 'failed':
      return `has failed: ${ended.failure.message} (rehearse explain ${sayRun(about.layout)}); start it anew`;
  }
}
