/**
 * What a run was asked for, in `run.json`: enough to start the same cluster again and follow the same job.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { ClusterConfig } from '../../core/config.js';
import type { JobSpec } from '../../core/records.js';
import type { StageParams } from '../../jobs/accept-params.js';
import type { ParamValues } from '../../jobs/types.js';
import type { RunLayout } from '../node/layout.js';
import type { JobCode } from '../node/work-order.js';
import { recordProcess } from '../process/process-register.js';
import { syncPathNow } from '../sync.js';

export interface RunRequest {
  readonly format: 'rehearse.run.v1';
  readonly runId: string;
  /** ISO 8601; for people. */
  readonly createdAt: string;
  readonly directory: string;
  /** As the user said it. */
  readonly job: string;
  readonly code: JobCode;
  readonly inputs: readonly string[];
  readonly hidden: boolean;
  readonly spec: JobSpec;
  readonly config: ClusterConfig;
  readonly workers: number;
  readonly slots: number;
  readonly standbys: number;
  readonly heapMiB: number;
  readonly overwrite: boolean;
  /** Also write the result to standard output. */
  readonly toStdout: boolean;
  /** A stage of a pipeline: what has to be known to go on with the next one. */
  readonly stage?: StageOf & {
    /** The flags of the command, as they were given. */
    readonly flags: Readonly<Record<string, unknown>>;
  };
}

/** Which stage of which pipeline. */
export interface StageOf {
  readonly pipeline: string;
  /** From 0. */
  readonly index: number;
  readonly count: number;
  /** What the pipeline's own schema has made of the params: the same for all stages. */
  readonly params?: ParamValues;
  /** What the schemas of the stages have made of them: asked once, before the first one. */
  readonly stageParams?: StageParams | undefined;
}

export function isLast({ index, count }: StageOf): boolean {
  return index === count - 1;
}

/** Lasts through a crash of the machine, like the journal that it belongs to. */
export function writeRunRequest(layout: RunLayout, request: RunRequest): void {
  recordProcess(layout, 'command', process.pid); // nobody resumes it while this process works on it
  const temporary = `${layout.request}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(request, null, 2)}\n`, { flush: true });
  renameSync(temporary, layout.request);
  syncPathNow(layout.root);
}

export function readRunRequest(layout: RunLayout): RunRequest | undefined {
  try {
    return JSON.parse(readFileSync(layout.request, 'utf8')) as RunRequest;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
