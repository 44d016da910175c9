/** Scenario files, and the files of jobs that they name. */
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { scenarioErrorText } from '../sim/scenario/error.js';
import type { JobFile } from '../sim/scenario/job-files.js';
import { jobFilesIn, loadScenarios } from '../sim/scenario/load.js';
import type { Scenario } from '../sim/scenario/types.js';
import { findProgram, inScratch, sayPath } from './run/prepare.js';
import { refusalOf } from './surroundings.js';
import { UserError } from './user-error.js';

/** The scenarios of a file, one, or one for each variant, with the jobs that they name by a file of its own. */
export async function readScenarios(path: string, load = loadJobFile): Promise<readonly Scenario[]> {
  const text = textOf(path);
  const jobs = new Map<string, JobFile>();
  for (const run of jobFilesIn(text)) {
    jobs.set(run, await load(isAbsolute(run) ? run : join(folderOf(path), run)));
  }
  const loaded = loadScenarios(text, path, jobs);
  if (loaded.ok) return loaded.scenarios;
  throw new ScenarioFileError(loaded.errors.map(scenarioErrorText).join('\n'), loaded.errors[0]!.code);
}

/** Without the mark of its byte order, should it have one: it is no part of the first line. */
function textOf(path: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw unreadable(error, path);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UserError({ code: 'S025', what: 'this is no text in UTF-8', where: path });
  }
}

/**
 * The folder that the path names, where it really lies: through a link, `..` leads elsewhere than the path says. A file that
 * is a link counts from the link, as in a shell; so does what is written beside it.
 */
function folderOf(path: string): string {
  return realpathSync(dirname(path));
}

function unreadable(error: unknown, path: string): UserError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code === 'EISDIR') {
    const next = `name the scenario files in it: ${join(sayPath(path), '*.yaml')}`;
    return new UserError({ code: 'S000', what: 'this is a folder, and no scenario file', where: path, next });
  }
  const what = code === 'ENOENT' ? 'no such scenario file' : (refusalOf(code) ?? message);
  return new UserError({ code: 'S000', what, where: path });
}

/** Every mistake of the file, each laid out with its place. */
class ScenarioFileError extends UserError {
  readonly text: string;

  constructor(text: string, code: string) {
    super({ code, what: text });
    this.text = text;
  }

  override layOut(): string {
    return `${this.text}\n`;
  }
}

const SCHEMA =
  'its params have a schema, which scenarios do not ask: its functions would be given text. Leave params away, or rehearse it with run';

/** Compiled and loaded into this process, as `rehearse run` does to look at it. */
async function loadJobFile(path: string): Promise<JobFile> {
  const file = sayPath(path);
  try {
    return await inScratch(async (scratch) => {
      const { program, bundle } = await findProgram(file, scratch);
      if ('params' in program && program.params !== undefined) return { problem: SCHEMA };
      return { program, module: bundle };
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, what, where, why } = error.parts;
    const said = code === 'J002' ? `the job does not compile: ${what}` : what;
    const problem = why === undefined ? said : `${said}: ${why}`;
    return { problem, ...(where === undefined || where === file ? {} : { label: where }) };
  }
}

/** For those who run no job: nothing is loaded. */
export function refuseJobFile(who: string): () => Promise<JobFile> {
  return async () => ({ problem: `${who} runs no code of jobs: it takes only built-in ones` });
}
