/**
 * Old runs make room for new ones: beyond a count, or a size of all traces, the oldest runs that have ended lose their traces,
 * logs and journals. Outputs stay, and so does everything of a run that can still be resumed.
 */
import { existsSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type RunLayout, runLayout } from '../node/layout.js';
import { removeTree } from '../remove-tree.js';
import { isLast, readRunRequest } from './run-request.js';

const runsKept = 50;
const bytesKept = 2 * 1024 ** 3;
/** Looking at all that is kept costs a small run more than its own records do: it is done once in so many runs. */
const runsBetweenLooks = 10;

/** Looks at runs before `current` now and then: between two looks there may be a few more of them, or larger ones. */
export function pruneRunsNowAndThen(dataDirectory: string, current: string): void {
  if (readdirSync(join(dataDirectory, 'runs')).length % runsBetweenLooks === 0)
    pruneRuns(dataDirectory, current);
}

/** Removes records of runs before `current`, oldest first. */
export function pruneRuns(dataDirectory: string, current: string): void {
  const ended = readdirSync(join(dataDirectory, 'runs'))
    .filter((runId) => runId < current)
    .map((runId) => runLayout(dataDirectory, runId))
    .filter((layout) => existsSync(layout.trace) && !existsSync(layout.work))
    .sort((a, b) => (a.runId < b.runId ? 1 : -1));
  let bytes = 0;
  for (const [index, layout] of ended.entries()) {
    try {
      bytes += sizeOf(layout.trace);
      if ((index >= runsKept || bytes > bytesKept) && !isForNextStage(layout)) removeRecords(layout);
    } catch {
      // Another user's, or another command's that removes it as well: no fault of the run that has just ended.
    }
  }
}

/** What the next stage of a pipeline reads, which takes it away in the end: until then this run leads to that stage. */
function isForNextStage(layout: RunLayout): boolean {
  const request = readRunRequest(layout);
  const { stage } = request ?? {};
  return stage !== undefined && !isLast(stage) && existsSync(request!.spec.output);
}

function removeRecords(layout: RunLayout): void {
  const { root, trace, logs, journal, files, request, lease, processes } = layout;
  // Its request first: what is left of it cannot be resumed.
  const records = [request, logs, journal, files, trace, lease, processes];
  for (const path of records) removeTree(path);
  if (readdirSync(root).length === 0) rmdirSync(root);
}

function sizeOf(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}
