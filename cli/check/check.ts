/**
 * `rehearse check`: what a job promises, tried on records of its own inputs, before anybody relies on it.
 */
import type { PlainRecord } from '../../jobs/plain.js';
import type { Job } from '../../jobs/types.js';
import { type InputError, isDataError } from '../../runtime/data/errors.js';
import type { InputFile } from '../../runtime/data/input-file.js';
import { resolveInputs } from '../../runtime/data/inputs.js';
import { readRecords } from '../../runtime/data/records.js';
import { paramsOfTasks } from '../../runtime/node/work-order.js';
import type { GlobalFlags } from '../global-flags.js';
import { sayMany } from '../quantities.js';
import { paramsOf } from '../run/flags.js';
import { findJob, inScratch, madeOfParams, sayParams } from '../run/prepare.js';
import { openTerminal } from '../terminal.js';
import { exitCodes, UserError } from '../user-error.js';
import { checkJob } from './properties.js';

interface CheckFlags extends GlobalFlags {
  readonly param?: readonly string[];
  readonly seed?: string;
  readonly records?: string;
}

const recordsDefault = 500;
const casesOfEach = 500;

export async function check(args: string[], flags: CheckFlags): Promise<number> {
  const [jobName, ...inputs] = args;
  const wanted = flags.records === undefined ? recordsDefault : Number(flags.records);
  if (!Number.isInteger(wanted) || wanted < 1) {
    throw new UserError({
      code: 'U002',
      what: '--records: that is not a whole number from 1 on',
      where: '--records',
    });
  }
  return await inScratch(async (scratch) => {
    const prepared = await findJob(jobName!, paramsOf(flags.param ?? []), scratch);
    const { job, stage, directory } = prepared;
    const made = madeOfParams(prepared);
    const params = paramsOfTasks(prepared);
    const records = await sample(inputs, job, { wanted, spoolDirectory: scratch });
    if (records.length === 0) throw nothingToTry(inputs);
    const seed = flags.seed ?? '0';
    const results = await checkJob({ job, records, params, directory, seed, cases: casesOfEach });
    const terminal = openTerminal(flags);
    const broken = results.filter((result) => result.broken !== undefined);
    if (flags.json)
      terminal.out(
        `${JSON.stringify({ job: job.name, params: made, records: records.length, properties: results })}\n`,
      );
    else {
      const of = stage ? ` (stage 1 of ${stage.count} of ${stage.pipeline})` : '';
      terminal.out(`${job.name}${of}: tried on ${sayMany(records.length, 'record')}\n`);
      if (made) terminal.out(`  params: ${sayParams(made)}\n`);
      for (const { property, broken: why, skipped } of results) {
        terminal.out(
          `  ${why === undefined ? (skipped === undefined ? 'ok  ' : '-   ') : 'NO  '} ${property}\n`,
        );
        if (why !== undefined || skipped !== undefined) terminal.out(`         ${why ?? skipped}\n`);
      }
    }
    return broken.length === 0 ? exitCodes.yes : exitCodes.no;
  });
}

/** What holds of no record says nothing of the job. */
function nothingToTry(inputs: readonly string[]): UserError {
  return new UserError({
    code: 'U043',
    what: 'there are no records in the inputs: nothing was tried',
    where: inputs.join(' '),
    next: 'name inputs such as the job will have',
  });
}

/** The first records of every input, as many of each. */
async function sample(
  inputs: readonly string[],
  job: Job,
  { wanted, spoolDirectory }: { wanted: number; spoolDirectory: string },
): Promise<PlainRecord[]> {
  try {
    const files = await resolveInputs(inputs, { cwd: process.cwd(), spoolDirectory });
    const records: PlainRecord[] = [];
    const each = Math.max(1, Math.ceil(wanted / files.length));
    for (const [index, file] of files.entries()) {
      if (records.length >= wanted) break;
      records.push(...(await firstRecords(files, index, file, job, Math.min(each, wanted - records.length))));
    }
    return records;
  } catch (error) {
    if (!isDataError(error)) throw error;
    const { message, place, next } = error as Partial<InputError>;
    throw new UserError({ code: 'I001', what: message!, where: place, next });
  }
}

async function firstRecords(
  files: readonly InputFile[],
  index: number,
  file: InputFile,
  job: Job,
  most: number,
): Promise<PlainRecord[]> {
  const found: PlainRecord[] = [];
  const range = { file: index, start: 0, end: file.sizeBytes };
  for await (const batch of readRecords(files, [range], job)) {
    for (const { record, offset } of batch.records) {
      if (found.length === most) return found;
      found.push({ record, offset, input: file.name });
    }
  }
  return found;
}
