/** Whether the job that a scenario names can be run, with these parameters: said when it is read, at its place. */
import { type Builtin, ParamsError } from '../../jobs/builtin/builtin.js';
import { builtinJobs, builtinPipelines } from '../../jobs/builtin/registry.js';
import { oneOf, type Report } from './issue.js';
import type { RawJob } from './schema.js';
import { suggestion } from './suggest.js';

type Path = readonly (string | number)[];

const names = [...builtinJobs.keys()];

/** Modelled work is what is run where no job is named. */
export function checkJob({ run = 'modelled', parameters = {} }: RawJob, path: Path, report: Report): void {
  const builtin = builtinJobs.get(run);
  if (builtin) checkParameters(builtin, parameters, path, report);
  else reportUnknown(run, [...path, 'run'], report);
}

function reportUnknown(run: string, path: Path, report: Report): void {
  const near = suggestion(run, names);
  report({
    path,
    code: 'S016',
    message: whyUnknown(run),
    label: oneOf(names),
    ...(near === undefined ? {} : { suggestion: near }),
  });
}

function whyUnknown(run: string): string {
  if (builtinPipelines.has(run)) return `"${run}" is a pipeline, and a scenario runs jobs of one stage`;
  if (/[/\\]|\.[cm]?[jt]s$/.test(run)) return `"${run}" is a file, and a scenario runs built-in jobs`;
  return `no job is called "${run}"`;
}

/** As `checkParams`, in the words of a scenario file. */
function checkParameters(
  builtin: Builtin,
  parameters: Readonly<Record<string, string>>,
  path: Path,
  report: Report,
): void {
  const { name } = builtin.job;
  const known = builtin.params.map((param) => param.name);
  const unknown = Object.keys(parameters).filter((given) => !known.includes(given));
  for (const given of unknown) {
    const near = suggestion(given, known);
    report({
      path: [...path, 'parameters', given],
      code: 'S017',
      message: `"${name}" takes no parameter "${given}"`,
      atKey: true,
      label: known.length === 0 ? 'it takes none' : oneOf(known),
      ...(near === undefined ? {} : { suggestion: near }),
    });
  }
  if (unknown.length > 0) return;
  const missing = builtin.params.filter((param) => param.required && !Object.hasOwn(parameters, param.name));
  for (const param of missing) {
    const message = `"${name}" needs the parameter "${param.name}"`;
    report({ path: [...path, 'run'], code: 'S017', message, label: param.summary });
  }
  if (missing.length > 0) return;
  try {
    builtin.check?.(parameters);
  } catch (error) {
    if (!(error instanceof ParamsError)) throw error;
    report({ path: [...path, 'parameters'], code: 'S017', message: error.message });
  }
}
