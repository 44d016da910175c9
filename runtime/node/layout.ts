/**
 * Where everything of a run lies. One folder per run below the data directory:
 *
 *   run.json            what was asked for: enough to resume
 *   journal/ files/     the store: durable facts, and what is large, by hash
 *   bundle/             the job's code, unpacked
 *   work/               files of map attempts; gone when the run ends well
 *   trace/ logs/        what every node saw; what user code printed
 *   lease/              who leads
 *   processes, sockets  what this run has started, and where its sockets are: for whoever resumes it after a kill
 *   stdin/              standard input, when it was named as one
 *   output/             the result, unless `-o` named another place
 */
import { join } from 'node:path';
import { type AttemptId, lifeName } from '../../core/ids.js';

export interface RunLayout {
  readonly runId: string;
  readonly root: string;
  readonly request: string;
  readonly journal: string;
  readonly files: string;
  readonly work: string;
  readonly bundle: string;
  readonly trace: string;
  readonly logs: string;
  readonly stdin: string;
  readonly output: string;
  readonly lease: string;
  /** File: the processes that the run has started (process/process-register.ts). */
  readonly processes: string;
  /** File: the name of the folder of its sockets. */
  readonly sockets: string;
}

export function runLayout(dataDirectory: string, runId: string): RunLayout {
  const root = join(dataDirectory, 'runs', runId);
  return {
    runId,
    root,
    request: join(root, 'run.json'),
    journal: join(root, 'journal'),
    files: join(root, 'files'),
    work: join(root, 'work'),
    bundle: join(root, 'bundle'),
    trace: join(root, 'trace'),
    logs: join(root, 'logs'),
    stdin: join(root, 'stdin'),
    output: join(root, 'output'),
    lease: join(root, 'lease'),
    processes: join(root, 'processes'),
    sockets: join(root, 'sockets'),
  };
}

/** The name of an attempt's file: made of numbers only, so nothing from outside gets into a path. */
export function attemptFileName(attempt: AttemptId, maps: number): string {
  const { job, task, epoch, n } = attempt;
  const kind = task < maps ? `map-${task}` : `reduce-${task - maps}`;
  return `job-${job}.${kind}.e${epoch}.n${n}`;
}

export function tracePath(layout: RunLayout, node: string, incarnation: number): string {
  return join(layout.trace, `${lifeName({ node, incarnation })}.ndjson`);
}
