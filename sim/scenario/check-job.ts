/** Whether the job that a scenario names can be run, with these parameters: said when it is read, at its place. */
import { type Builtin, ParamsError } from '../../jobs/builtin/builtin.js';
import { builtinJobs, builtinPipelines } from '../../jobs/builtin/registry.js';
import { isPipeline, jobOf } from '../../jobs/pipeline.js';
import type { Job, Params } from '../../jobs/types.js';
import { thrownText } from '../thrown-text.js';
import { type Issue, oneOf, type Report } from './issue.js';
import { isJobFile, type JobFile, type JobFiles } from './job-files.js';
import type { RawJob } from './schema.js';
import { suggestion } from './suggest.js';
import type { OwnJob } from './types.js';

type Path = readonly (string | number)[];

const names = [...builtinJobs.keys()];

/** Modelled work is what is run where no job is named. Returns the job of a file. */
export function checkJob(
  { run = 'modelled', parameters = {} }: RawJob,
  path: Path,
  report: Report,
  files: JobFiles,
): OwnJob | undefined {
  const builtin = builtinJobs.get(run);
  const file = files.get(run);
  if (builtin) checkParameters(builtin, parameters, path, report);
  else if (file)
    return ownJob(run, file, parameters, (issue) => report({ path: [...path, 'run'], ...issue }));
  else reportUnknown(run, [...path, 'run'], report);
  return undefined;
}

/** Undefined when it cannot be run, which is reported. */
function ownJob(
  run: string,
  file: JobFile,
  parameters: Params,
  report: (issue: Omit<Issue, 'path'>) => void,
): OwnJob | undefined {
  if ('problem' in file) {
    const { problem: message, label } = file;
    report({ code: 'S019', message, ...(label === undefined ? {} : { label }) });
    return undefined;
  }
  const { program, module } = file;
  if (isPipeline(program)) {
    report({ code: 'S016', message: whyPipeline(run) });
    return undefined;
  }
  try {
    const job = jobOf(program, parameters);
    const message = whyNotSimulated(job);
    if (message === undefined) return { job, module };
    report({ code: 'S021', message: `"${run}" ${message}` });
  } catch (error) {
    report({ code: 'S019', message: `"${run}" gives no job: ${thrownText(error)}` });
  }
  return undefined;
}

/** The simulator cuts inputs at lines, and every job has its reduces. */
function whyNotSimulated({ inputFormat = 'lines', reduce }: Job): string | undefined {
  if (inputFormat !== 'lines') return `reads ${inputFormat}, and scenarios have lines`;
  return reduce === 'none' ? 'has no reduce, and jobs of scenarios have one' : undefined;
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
  if (builtinPipelines.has(run)) return whyPipeline(run);
  if (isJobFile(run)) return `"${run}" is a file, and only built-in jobs can be run here`;
  return `no job is called "${run}"`;
}

function whyPipeline(run: string): string {
  return `"${run}" is a pipeline, and a scenario runs jobs of one stage`;
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
