/** `rehearse sim --from RUN`: a recorded run as a scenario, and the file of it for those who want to change it. */
import { basename, dirname, resolve } from 'node:path';
import { stringify } from 'yaml';
import { retellRun } from '../sim/retold/retell-run.js';
import { scenarioErrorText } from '../sim/scenario/error.js';
import { loadScenarios } from '../sim/scenario/load.js';
import type { Scenario } from '../sim/scenario/types.js';
import type { GlobalFlags } from './global-flags.js';
import { sayPath } from './run/prepare.js';
import { writingTo } from './surroundings.js';
import type { Terminal } from './terminal.js';
import { readTrace, traceFiles } from './traces.js';
import { UserError } from './user-error.js';
import { writeWhole } from './write-whole.js';

/** What is played is what the file says, whether it is written or not. */
export async function scenarioOfRun(
  run: string,
  output: string | undefined,
  terminal: Terminal,
  flags: GlobalFlags,
): Promise<readonly Scenario[]> {
  const files = traceFiles(run, flags);
  const traces = await Promise.all(files.map(readTrace));
  const retold = retellRun(traces, nameOf(resolve(files[0]!)));
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
  const loaded = loadScenarios(text, output ?? run);
  if (!loaded.ok) {
    const why = loaded.errors.map(scenarioErrorText).join('\n');
    throw new UserError({ code: 'U034', what: 'this run cannot be told as a scenario', where: run, why });
  }
  if (output !== undefined) {
    writingTo('-o', output, () => writeWhole(output, [text]));
    terminal.say(`the run as a scenario: ${sayPath(output)}`);
  }
  return loaded.scenarios;
}

/** The run's id, or what else the folder of the trace is called. */
function nameOf(file: string): string {
  const folder = dirname(file);
  return basename(basename(folder) === 'trace' ? dirname(folder) : folder);
}
