/**
 * The job behind a `JobCode`: a built-in by name, a bundle from Files, or programs; of a pipeline the stage that is meant.
 */
import { programOf } from '../../jobs/builtin/builtin.js';
import { builtinJobs, builtinPipelines } from '../../jobs/builtin/registry.js';
import { jobOf, type Program } from '../../jobs/pipeline.js';
import type { Job, ParamValues } from '../../jobs/types.js';
import { loadProgram } from '../bundle/load.js';
import { commandJob } from '../commands/command-job.js';
import type { JobCode } from '../node/work-order.js';
import { StoreDamagedError } from '../store/damage.js';
import type { Files } from '../store/ports.js';

const loaded = new Map<string, Program>();

/** Loads each code once, unless that fails. Bundles are unpacked into `directory`. */
export async function loadCode(
  files: Files,
  code: JobCode,
  params: ParamValues,
  directory: string,
): Promise<Job> {
  if (code.kind === 'commands') return commandJob(code.commands);
  const key = code.kind === 'builtin' ? `builtin ${code.name}` : code.hash;
  let program = loaded.get(key);
  if (!program) {
    program = await load(files, code, directory);
    loaded.set(key, program);
  }
  return jobOf(program, params, code.stage);
}

/** A built-in job or pipeline; undefined when there is none of that name. */
export function findBuiltin(name: string): Program | undefined {
  const builtin = builtinJobs.get(name);
  return builtin ? programOf(builtin) : builtinPipelines.get(name)?.pipeline;
}

async function load(
  files: Files,
  code: Exclude<JobCode, { kind: 'commands' }>,
  directory: string,
): Promise<Program> {
  if (code.kind === 'builtin') {
    const builtin = findBuiltin(code.name);
    if (!builtin) throw new Error(`there is no built-in job "${code.name}"`);
    return builtin;
  }
  const bytes = await files.get(code.hash);
  if (!bytes) throw new StoreDamagedError(`the code of job "${code.name}" is not in the store`);
  return await loadProgram(bytes.toString(), { directory, name: code.name });
}
