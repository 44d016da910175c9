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

export type Found =
  | { readonly type: 'done'; readonly partBytes: readonly number[] }
  | Extract<EndedRun, { readonly type: 'replaced' | 'removed' }>;

/** Undefined when there is something to go on with, be it only the summary. */
export async function lookAtEnd(request: RunRequest, layout: RunLayout): Promise<EndedRun | undefined> {
  // As LocalCluster makes these folders, and cleaning up removes the second: nothing is left to be done of a run that has ended.
  const isTidy = existsSync(layout.trace) && !existsSync(layout.work);
  const there = await lookAtPlace(request);
  if (there.type === 'done') return isTidy ? there : undefined;
  const end = await readEnd(layout);
  if (end?.type === 'published') return there;
  return end && isTidy ? { type: 'failed', failure: end.failure } : undefined;
}

/** What lies where the output of a run is to be that was published. */
export async function lookAtPlace({ runId, spec: { output } }: RunRequest): Promise<Found> {
  const success = successAt(output);
  const by = success?.run;
  if (by === runId) return { type: 'done', partBytes: (success?.parts ?? []).map(({ bytes }) => bytes) };
  if ((await lookAtOutput(output)) === 'absent') return { type: 'removed' };
  return typeof by === 'string' ? { type: 'replaced', by } : { type: 'replaced' };
}

/** What an output says of itself, if it is one that does. */
function successAt(output: string): Success | undefined {
  try {
    return JSON.parse(readFileSync(join(output, successName), 'utf8')) as Success;
  } catch {
    return undefined;
  }
}

interface Success {
  readonly run?: unknown;
  readonly parts?: readonly { readonly bytes: number }[];
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

interface About {
  readonly request: RunRequest;
  readonly layout: RunLayout;
  readonly terminal: Terminal;
  readonly flags: GlobalFlags;
  /** It has ended just now, and nobody has gone on with its output. */
  readonly justNow?: boolean;
}

export function sayEnded(ended: EndedRun, about: About): void {
  const { request, terminal, flags } = about;
  if (flags.json) terminal.out(`${JSON.stringify({ run: request.runId, ...documentOf(ended, request) })}\n`);
  terminal.warn(`run ${request.runId} ${wordsOf(ended, about)}`);
}

function documentOf(ended: EndedRun, { spec: { output } }: RunRequest): object {
  if (ended.type === 'done') return { outcome: 'published', output };
  const { type, ...more } = ended;
  return type === 'failed' ? { outcome: type, ...more } : { outcome: type, output, ...more };
}

function wordsOf(ended: EndedRun, about: About): string {
  const { stage, spec } = about.request;
  switch (ended.type) {
    case 'done':
      return `is done: ${spec.output}`;
    case 'removed':
      return stage && !isLast(stage) && !about.justNow
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
