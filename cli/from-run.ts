/** `rehearse sim --from RUN`: a recorded run as a scenario, and the file of it for those who want to change it. */
import { basename, dirname, resolve } from 'node:path';
import { stringify } from 'yaml';
import { retellRun } from '../sim/retold/retell-run.js';
import { scenarioErrorText } from '../sim/scenario/error.js';
import { loadScenarios } from '../sim/scenario/load.js';
import type { Scenario } from '../sim/scenario/types.js';
import type { GlobalFlags } from './global-flags.js';
import { refuseOutputOver } from './refused-traces.js';
import { sayPath } from './run/prepare.js';
import { writingTo } from './surroundings.js';
import { type Terminal, writeOut } from './terminal.js';
import { tellTraces } from './told-traces.js';
import { refuseFolderOver } from './trace-folder.js';
import { traceFiles } from './traces.js';
import { UserError } from './user-error.js';
import { fileOf, writeWhole } from './write-whole.js';

interface FromFlags extends GlobalFlags {
  readonly from: string;
  readonly output?: string;
  readonly trace?: string;
  /** How many times it will be played. */
  readonly runs: number;
}

/** What is played is what the file says, whether it is written or not. */
export async function scenarioOfRun(flags: FromFlags, terminal: Terminal): Promise<readonly Scenario[]> {
  const { from: run, output, trace, runs } = flags;
  const files = traceFiles(run, flags);
  const file = fileOf(flags);
  if (file !== undefined) refuseOutputOver(files, file);
  if (trace !== undefined) refuseFolderOver(files, trace, runs);
  const retold = await tellTraces(files, (traces) => retellRun(traces, nameOf(resolve(files[0]!))));
  if (!retold) {
    throw new UserError({
      code: 'U034',
      what: 'no scenario can be made of these traces: they tell of no job',
      where: run,
      next: 'name a run, or a folder that has the traces of its masters as well',
    });
  }
  const comments = retold.notes.map((note) => `# ${note}\n`).join('');
  const text = comments + stringify(retold.raw, { lineWidth: 110, flowCollectionPadding: true });
  const loaded = loadScenarios(text, file ?? run);
  if (!loaded.ok) {
    const why = loaded.errors.map(scenarioErrorText).join('\n');
    throw new UserError({ code: 'U034', what: 'this run cannot be told as a scenario', where: run, why });
  }
  if (file !== undefined) {
    writingTo('-o', file, () => writeWhole(file, [text]));
    terminal.say(`the run as a scenario: ${sayPath(file)}`);
  } else if (output !== undefined) await writeOut(text);
  return loaded.scenarios;
}

/** The run's id, or what else the folder of the trace is called. */
function nameOf(file: string): string {
  const folder = dirname(file);
  return basename(basename(folder) === 'trace' ? dirname(folder) : folder);
}
