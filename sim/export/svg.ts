/** A run as one picture that stands alone: a space-time diagram in SVG. */
import type { MergedStep, NodeTrace } from '../explain/merge.js';
import { durationText } from '../scenario/duration.js';
import { type JobTale, jobTales } from './job-tales.js';
import { drawSvg } from './picture/draw.js';
import { type Diagram, layOut } from './picture/layout.js';
import type { Range } from './picture/scale.js';
import { pictureStyle } from './picture/style.js';

export function* exportSvg(
  traces: readonly NodeTrace[],
  merged: readonly MergedStep[],
  range: Range = {},
): Generator<string> {
  const diagram = layOut(traces, merged, range);
  yield* drawSvg(
    diagram,
    { heading: headingOf(traces, diagram, jobTales(diagram.run.steps), range) },
    `<style>${pictureStyle}</style>\n`,
  );
}

/** What the run was, and what the picture leaves out of it. */
export function headingOf(
  traces: readonly NodeTrace[],
  diagram: Diagram,
  tales: readonly JobTale[],
  range: Range,
): readonly [title: string, about: string] {
  const { driver, seed } = traces[0]!.header;
  const jobs = tales.map(({ job, name, outcome }) => `job ${job}${name ? ` ${name}` : ''}: ${outcome}`);
  const kind = driver === 'simulator' ? `simulated, seed ${seed}` : 'a real run';
  return [
    `${jobs.length === 0 ? 'no job' : jobs.slice(0, 5).join('; ')}${jobs.length > 5 ? '; …' : ''}`,
    [kind, ...leftOut(diagram, range)].join(' · '),
  ];
}

function leftOut({ scale, attempts, lanes, linesLeftOut }: Diagram, range: Range): string[] {
  const drawn = lanes.flatMap(({ bars }) => bars);
  const shown = drawn.reduce((sum, bar) => sum + bar.attempts.length, 0);
  const together = drawn
    .filter((bar) => bar.attempts.length > 1)
    .reduce((sum, bar) => sum + bar.attempts.length, 0);
  const isPart = range.fromUs !== undefined || range.untilUs !== undefined;
  return [
    ...(isPart ? [`${durationText(scale.fromUs)} to ${durationText(scale.untilUs)} of it`] : []),
    shown === attempts.length ? `${shown} attempts` : `${shown} of ${attempts.length} attempts`,
    ...(together > 0 ? [`${together} short ones are drawn together`] : []),
    ...(linesLeftOut > 0 ? [`${linesLeftOut} messages of ordinary attempts are not drawn`] : []),
  ];
}
