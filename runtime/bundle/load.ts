/**
 * From a bundle to a job, or a pipeline of them, that can be called. Runs the module's top level, so only executors and
 * local commands do it.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { threadId } from 'node:worker_threads';
import { validateJob } from '../../jobs/define.js';
import { definePipeline, isPipeline, type Program } from '../../jobs/pipeline.js';
import type { Job, Params } from '../../jobs/types.js';
import { onDisk } from '../data/disk.js';
import { sha256 } from '../sha256.js';
import { JobFileError } from './errors.js';

export interface LoadOptions {
  /** Where the module is written, under its hash; made if it is missing. */
  readonly directory: string;
  /** File name of the job, for messages. */
  readonly name: string;
}

/**
 * Imports a bundle. With `process.setSourceMapsEnabled(true)` called before, stack traces name the user's own files,
 * relative to the job's file and inside `directory`. Throws JobFileError if there is no default export,
 * JobDefinitionError if it is neither job nor pipeline nor a function, DiskError if it cannot be
 * written, and whatever the module itself throws.
 */
export async function loadProgram(code: string, options: LoadOptions): Promise<Program> {
  const path = join(options.directory, `${sha256(code)}.mjs`);
  // A power cut may have left the name of a file whose text never reached the disk.
  if (textOf(path) !== code) {
    onDisk(path, () => {
      mkdirSync(options.directory, { recursive: true, mode: 0o700 });
      // Several executors may load one bundle at once: the name must never belong to half a file.
      const temporary = `${path}.${process.pid}.${threadId}`;
      writeFileSync(temporary, code);
      renameSync(temporary, path);
    });
  }
  const module = (await import(pathToFileURL(path).href)) as { default?: unknown };
  if (module.default === undefined) {
    throw new JobFileError(
      options.name,
      `${options.name} has no default export: end it with "export default defineJob({ … })"`,
    );
  }
  if (typeof module.default === 'function') return module.default as (params: Params) => Job;
  return isPipeline(module.default) ? definePipeline(module.default) : validateJob(module.default);
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
