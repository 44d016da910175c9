/**
 * A run as a space-time diagram, laid out: a lane per node, time to the right. In a lane stand, from above, labels of what was
 * decided, the line of the node's lives, and a row for each attempt that it ran at once.
 */
import { isOrdinary } from '../../explain/attempts.js';
import type { LifeStep, MergedStep, NodeTrace } from '../../explain/merge.js';
import { grouped } from '../grouped.js';
import { type LifeSpan, livesOf, type Silence, silencesOf } from '../lives.js';
import { type RunView, viewRun } from '../run-view.js';
import { type Bar, barsOf, type Named } from './bars.js';
import { isLabelled, type Label, labelsOf } from './labels.js';
import { messagesOf, type Told } from './messages.js';
import { type Range, type Scale, scaleOf } from './scale.js';

export interface Lane {
  readonly node: string;
  readonly top: number;
  readonly height: number;
  /** Where the node's line is, and what it decides. */
  readonly lineY: number;
  /** Of the first row of bars. */
  readonly barsY: number;
  readonly lives: readonly LifeSpan[];
  readonly silences: readonly Silence[];
  readonly labels: readonly Label[];
  readonly bars: readonly Bar[];
}

/** A message between two points. */
export interface Line {
  readonly told: Told;
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

export interface Diagram {
  readonly run: RunView;
  readonly scale: Scale;
  readonly attempts: readonly Named[];
  readonly lanes: readonly Lane[];
  readonly lines: readonly Line[];
  /** Messages of ordinary attempts that are not drawn, because there are too many. */
  readonly linesLeftOut: number;
  readonly height: number;
}

export const labelHeight = 14;
export const rowHeight = 20;
export const barHeight = 15;
const ordinaryMax = 150;

export function layOut(traces: readonly NodeTrace[], merged: readonly MergedStep[], range: Range): Diagram {
  const run = viewRun(merged);
  const attempts = [...run.spans.values()].map((span, index) => {
    const { job, task, ordinal } = span.story;
    return { id: `attempt-${index + 1}`, title: run.titleOf({ job, task, ordinal }), span };
  });
  const scale = scaleOf(run.steps, [...run.spans.values()], range);
  const lanes = lanesOfNodes(run, attempts, traces, scale);
  const last = lanes.at(-1);
  const height = last ? last.top + last.height : 0;
  return { run, scale, attempts, lanes, ...linesOf(run, lanes, scale), height };
}

function lanesOfNodes(
  run: RunView,
  attempts: readonly Named[],
  traces: readonly NodeTrace[],
  scale: Scale,
): Lane[] {
  const attemptsOf = grouped(attempts, ({ span }) => span.node);
  const factsOf = grouped(run.facts.flat().filter(isLabelled), ({ node }) => node);
  const lives = grouped(livesOf(run.steps), ({ node }) => node);
  const silences = grouped(silencesOf(traces, run.steps), ({ node }) => node);
  const lanes: Lane[] = [];
  let top = 0;
  for (const node of run.nodes) {
    const { labels, rows: labelRows } = labelsOf(factsOf.get(node) ?? [], run, scale);
    const { bars, rows } = barsOf(attemptsOf.get(node) ?? [], scale);
    const lineY = top + 10 + labelRows * labelHeight + 8;
    const barsY = lineY + 8;
    const height = barsY + rows * rowHeight + 8 - top;
    lanes.push({
      node,
      top,
      height,
      lineY,
      barsY,
      labels,
      bars,
      lives: lives.get(node) ?? [],
      silences: silences.get(node) ?? [],
    });
    top += height;
  }
  return lanes;
}

interface Point {
  readonly us: number;
  readonly y: number;
}

/** Of messages with an end in the range. Where there are many attempts, only of those of which there is something to tell. */
function linesOf(
  run: RunView,
  lanes: readonly Lane[],
  scale: Scale,
): Pick<Diagram, 'lines' | 'linesLeftOut'> {
  const lineYOf = new Map(lanes.map(({ node, lineY }) => [node, lineY]));
  const barYOf = new Map<unknown, number>();
  for (const { barsY, bars } of lanes) {
    for (const { attempts, row } of bars)
      for (const { span } of attempts) barYOf.set(span, barsY + row * rowHeight + barHeight / 2);
  }
  const isCrowded = barYOf.size > ordinaryMax;
  const stepPoint = (step: LifeStep): Point => ({ us: run.timeOf(step), y: lineYOf.get(step.node)! });
  const lines: Line[] = [];
  let linesLeftOut = 0;
  for (const told of messagesOf(run)) {
    const span = told.attempt === undefined ? undefined : run.spans.get(told.attempt)!;
    const y = barYOf.get(span);
    if (span && y === undefined) continue;
    const from = told.from ? stepPoint(told.from) : { us: span!.endUs, y: y! };
    const to = told.to ? stepPoint(told.to) : { us: span!.startUs, y: y! };
    if (!scale.showsTime(from.us) && !scale.showsTime(to.us)) continue;
    if (isCrowded && span && isOrdinary(span.story) && told.word === undefined) linesLeftOut++;
    else lines.push({ told, x1: scale.x(from.us), y1: from.y, x2: scale.x(to.us), y2: to.y });
  }
  return { lines, linesLeftOut };
}
