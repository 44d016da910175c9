/** `rehearse sim --shrink`: the smallest scenario that fails as this one does in a file, with its time line. */
import { failureText, failureTitle } from '../sim/fuzz/failure.js';
import { factText, isNotable } from '../sim/scenario/timeline.js';
import type { Scenario } from '../sim/scenario/types.js';
import { writeScenario } from '../sim/scenario/write.js';
import { shrink } from '../sim/shrink/shrink.js';
import { sayMany } from './quantities.js';
import { sayPath } from './run/prepare.js';
import type { Terminal } from './terminal.js';
import { writeWhole } from './write-whole.js';

export interface ShrunkFile {
  readonly file: string;
  /** The broken invariant, or the expectation that is not met. */
  readonly id: string;
  readonly faults: number;
  readonly tasks: number;
  readonly runs: number;
  readonly minimal: boolean;
}

/** Undefined when the scenario does not fail. `stem`: what both files begin with. */
export function writeShrunk(
  scenario: Scenario,
  seed: string,
  stem: string,
  terminal: Terminal,
): ShrunkFile | undefined {
  const shrunk = shrink(scenario, seed);
  if (!shrunk) return undefined;
  const { id } = shrunk.failure;
  const file = `${stem}.shrunk.yaml`;
  const small = {
    ...shrunk.scenario,
    name: `${failureTitle(shrunk.failure)}: ${scenario.name}`,
    about: `Shrunk from ${scenario.name}.`,
  };
  const facts = (shrunk.result?.facts ?? []).filter(isNotable).map(factText);
  const story = [`# ${failureText(shrunk.failure)}`, ...facts].map((line) => `${line}\n`);
  writeWhole(`${stem}.shrunk.txt`, story);
  writeWhole(file, [writeScenario(small)]);
  const faults = small.faults.length;
  const tasks = small.jobs.reduce((sum, job) => sum + job.maps + job.reduces, 0);
  const { runs, minimal } = shrunk;
  terminal.say(
    `shrunk to ${sayMany(faults, 'fault')} and ${sayMany(tasks, 'task')} in ${sayMany(runs, 'run')}` +
      `${minimal ? '' : ', and there may be less'}: ${sayPath(file)}`,
  );
  return { file, id, faults, tasks, runs, minimal };
}
