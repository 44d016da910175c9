/** `rehearse trace`: the traces of a run, in forms that other programs read. */
import { resolve } from 'node:path';
import { type MergedStep, mergeTraces, type NodeTrace } from '../sim/explain/merge.js';
import { exportHtml } from '../sim/export/html.js';
import { exportMerged } from '../sim/export/merged.js';
import { exportOtlp } from '../sim/export/otlp.js';
import { exportPerfetto } from '../sim/export/perfetto.js';
import type { Range } from '../sim/export/picture/scale.js';
import { exportShiViz } from '../sim/export/shiviz.js';
import { exportSvg } from '../sim/export/svg.js';
import { durationPattern, durationText, momentText, parseDuration } from '../sim/scenario/duration.js';
import type { GlobalFlags } from './global-flags.js';
import { sayMany } from './quantities.js';
import { refuseOutputOver } from './refused-traces.js';
import { sayPath } from './run/prepare.js';
import { writingTo } from './surroundings.js';
import { openTerminal, type Terminal, writeOut } from './terminal.js';
import { tellTraces } from './told-traces.js';
import { traceFiles } from './traces.js';
import { exitCodes, UserError } from './user-error.js';
import { fileOf, writeWhole } from './write-whole.js';

interface TraceFlags extends GlobalFlags {
  readonly to: keyof typeof forms;
  readonly output?: string;
  readonly from?: string;
  readonly until?: string;
}

interface Form {
  export(traces: readonly NodeTrace[], steps: readonly MergedStep[], range: Range): Iterable<string>;
  /** Where it is looked at. */
  readonly reader: string;
  /** Whether it can be of a part of the run. */
  readonly takesRange: boolean;
}

const forms = {
  merged: { export: exportMerged, reader: 'one step a line', takesRange: false },
  perfetto: { export: exportPerfetto, reader: 'open it at ui.perfetto.dev', takesRange: false },
  shiviz: { export: (_, steps) => exportShiViz(steps), reader: 'load it into ShiViz', takesRange: false },
  svg: { export: exportSvg, reader: 'open it in a browser', takesRange: true },
  html: { export: exportHtml, reader: 'open it in a browser', takesRange: true },
  otlp: {
    export: exportOtlp,
    reader: 'POST it to /v1/traces of an OpenTelemetry collector',
    takesRange: false,
  },
} satisfies Record<string, Form>;

export async function trace(args: string[], flags: TraceFlags): Promise<number> {
  const terminal = openTerminal(flags);
  if (flags.json) {
    throw new UserError({
      code: 'U030',
      what: '--json has no meaning here: what is written is the form that --to names',
      next: '--to perfetto is one JSON document, --to merged has one in each line',
    });
  }
  const form: Form = forms[flags.to];
  const range = rangeOf(flags, form);
  const output = fileOf(flags);
  const files = [...new Set(args.flatMap((name) => traceFiles(name, flags)).map((file) => resolve(file)))];
  if (output !== undefined) refuseOutputOver(files, output);
  return await tellTraces(files, (traces) => write(traces, form, range, output, terminal));
}

async function write(
  traces: readonly NodeTrace[],
  form: Form,
  range: Range,
  output: string | undefined,
  terminal: Terminal,
): Promise<number> {
  const steps = mergeTraces(traces);
  refuseAfterTheEnd(steps, range);
  const portions = inPortions(form.export(traces, steps, range));
  if (output === undefined) {
    for (const portion of portions) if (!(await writeOut(portion))) break;
    return exitCodes.yes;
  }
  writingTo('-o', output, () => writeWhole(output, portions));
  terminal.say(
    `${sayMany(steps.length, 'step')} of ${sayMany(traces.length, 'trace')} -> ${sayPath(output)}: ${form.reader}`,
  );
  return exitCodes.yes;
}

function rangeOf({ to, from, until }: TraceFlags, form: Form): Range {
  if ((from !== undefined || until !== undefined) && !form.takesRange) {
    throw new UserError({
      code: 'T007',
      what: `--from and --until have no meaning with --to ${to}: it is always of the whole run`,
      next: 'svg and html can show a part',
    });
  }
  const range: { fromUs?: number; untilUs?: number } = {};
  if (from !== undefined) range.fromUs = timeOf('--from', from);
  if (until !== undefined) range.untilUs = timeOf('--until', until);
  if (range.untilUs !== undefined && range.untilUs <= (range.fromUs ?? 0)) {
    throw new UserError({ code: 'T008', what: `--until ${until} is not after ${from ?? 'the beginning'}` });
  }
  return range;
}

function refuseAfterTheEnd(steps: readonly MergedStep[], { fromUs = 0 }: Range): void {
  const endUs = steps.reduce((last, { atUs }) => Math.max(last, atUs), 0);
  if (fromUs <= endUs) return;
  throw new UserError({
    code: 'T009',
    what: `nothing is recorded after --from ${durationText(fromUs)}`,
    next: `the last step was at ${momentText(endUs)}`,
  });
}

function timeOf(flag: string, text: string): number {
  const us = durationPattern.test(text) ? parseDuration(text) : Number.NaN;
  if (Number.isSafeInteger(us)) return us;
  throw new UserError({
    code: 'T008',
    what: `${flag}: "${text}" is no time`,
    next: 'a time since the beginning of the run, as explain has it: 350ms, 12.5s, 2m',
  });
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
