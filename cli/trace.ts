/** `rehearse trace`: the traces of a run, in forms that other programs read. */
import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { lifeName } from '../core/ids.js';
import { type MergedStep, mergeTraces, type NodeTrace } from '../sim/explain/merge.js';
import { exportMerged } from '../sim/export/merged.js';
import { exportPerfetto } from '../sim/export/perfetto.js';
import { exportShiViz } from '../sim/export/shiviz.js';
import type { GlobalFlags } from './global-flags.js';
import { sayMany } from './quantities.js';
import { sayPath } from './run/prepare.js';
import { writingTo } from './surroundings.js';
import { openTerminal, writeOut } from './terminal.js';
import { readTrace, traceFiles } from './traces.js';
import { exitCodes, UserError } from './user-error.js';
import { writeWhole } from './write-whole.js';

interface TraceFlags extends GlobalFlags {
  readonly to: keyof typeof forms;
  readonly output?: string;
}

type Export = (traces: readonly NodeTrace[], steps: readonly MergedStep[]) => Iterable<string>;

const forms = {
  merged: exportMerged,
  perfetto: exportPerfetto,
  shiviz: (_, steps) => exportShiViz(steps),
} satisfies Record<string, Export>;

/** Where each form is looked at. */
const readers: Readonly<Record<keyof typeof forms, string>> = {
  merged: 'one step a line',
  perfetto: 'open it at ui.perfetto.dev',
  shiviz: 'load it into ShiViz',
};

export async function trace(args: string[], flags: TraceFlags): Promise<number> {
  const terminal = openTerminal(flags);
  if (flags.json) {
    throw new UserError({
      code: 'U030',
      what: '--json has no meaning here: what is written is the form that --to names',
      next: '--to perfetto is one JSON document, --to merged has one in each line',
    });
  }
  const output = flags.output === '-' ? undefined : flags.output;
  const files = [...new Set(args.flatMap((name) => traceFiles(name, flags)).map((file) => resolve(file)))];
  if (output !== undefined && existsSync(output) && files.some((file) => isSame(file, output))) {
    throw new UserError({ code: 'U031', what: '-o names one of the traces that are read', where: output });
  }
  const traces: NodeTrace[] = [];
  for (const file of files) traces.push(await readTrace(file));
  refuseStrangers(traces, files);
  const steps = mergeTraces(traces);
  const portions = inPortions(forms[flags.to](traces, steps));
  if (output === undefined) {
    for (const portion of portions) if (!(await writeOut(portion))) break;
    return exitCodes.yes;
  }
  writingTo('-o', output, () => writeWhole(output, portions));
  terminal.say(
    `${sayMany(steps.length, 'step')} of ${sayMany(traces.length, 'trace')} -> ${sayPath(output)}: ${readers[flags.to]}`,
  );
  return exitCodes.yes;
}

/** By whatever names. */
function isSame(one: string, other: string): boolean {
  return realpathSync(one) === realpathSync(other);
}

/** Two traces of one life are of different runs: laid side by side they would tell of things that never happened. */
function refuseStrangers(traces: readonly NodeTrace[], files: readonly string[]): void {
  const fileOf = new Map<string, string>();
  for (const [index, { header }] of traces.entries()) {
    const name = lifeName(header.setup.life);
    const other = fileOf.get(name);
    if (other !== undefined) {
      throw new UserError({
        code: 'T006',
        what: `two traces are of ${name}: they are not of one run`,
        where: `${sayPath(other)}, ${sayPath(files[index]!)}`,
        next: 'name one run, or traces of one run',
      });
    }
    fileOf.set(name, files[index]!);
  }
}

const portionLength = 1 << 18;

function* inPortions(texts: Iterable<string>): Generator<string> {
  let portion = '';
  for (const text of texts) {
    portion += text;
    if (portion.length < portionLength) continue;
    yield portion;
    portion = '';
  }
  yield portion;
}
