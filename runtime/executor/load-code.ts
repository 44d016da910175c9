/**
 * The job behind a `JobCode`: a built-in by name, or a bundle from Files.
 */
import { builtinJobs } from '../../jobs/builtin/registry.js';
import type { Job } from '../../jobs/types.js';
import { loadJob } from '../bundle/load.js';
import type { JobCode } from '../node/work-order.js';
import type { Files } from '../store/ports.js';

const loaded = new Map<string, Promise<Job>>();

/** Loads each code once. Bundles are unpacked into `directory`. */
export function loadCode(files: Files, code: JobCode, directory: string): Promise<Job> {
  const key = code.kind === 'builtin' ? `builtin ${code.name}` : code.hash;
  let job = loaded.get(key);
  if (!job) {
    job = load(files, code, directory);
    loaded.set(key, job);
  }
  return job;
}

async function load(files: Files, code: JobCode, directory: string): Promise<Job> {
  if (code.kind === 'builtin') {
    const builtin = builtinJobs.get(code.name);
    if (!builtin) throw new Error(`there is no built-in job "${code.name}"`);
    return builtin.job;
  }
  const bytes = await files.get(code.hash);
  if (!bytes) throw new Error(`the code of job "${code.name}" is not in the store`);
  return await loadJob(bytes.toString(), { directory, name: code.name });
}
