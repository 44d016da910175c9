/** The laid out diagram as SVG elements. Every text stays text, every mark says in its <title> what it stands for. */
import type { AttemptOutcome } from '../../explain/attempts.js';
import { stepName } from '../../explain/merge.js';
import { durationText, momentText } from '../../scenario/duration.js';
import type { Silence } from '../lives.js';
import { escaped } from '../markup.js';
import { barTitle, characterWidth } from './bars.js';
import type { Label } from './labels.js';
import { barHeight, type Diagram, type Lane, type Line, labelHeight, rowHeight } from './layout.js';
import type { Scale } from './scale.js';

export interface DrawOptions {
  /** Said above the picture, a line each. */
  readonly heading: readonly string[];
  /** Bars are links to what the page says of the attempt: `#` and this and the attempt's id. */
  readonly linkPrefix?: string;
}

const left = 92;
const right = 60;
const axisHeight = 26;
const legendHeight = 34;

/** An svg element, with `inside` before everything else in it. */
export function* drawSvg(diagram: Diagram, options: DrawOptions, inside = ''): Generator<string> {
  const { scale, lanes, lines } = diagram;
  const top = 12 + options.heading.length * 18 + axisHeight;
  const width = left + scale.width + right;
  const height = top + diagram.height + legendHeight;
  yield `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">\n`;
  yield `${inside}${definitions}<rect class="paper" width="${width}" height="${height}"/>\n`;
  for (const [index, line] of options.heading.entries())
    yield `<text x="10" y="${22 + index * 18}" class="${index === 0 ? 'heading' : 'small'}">${escaped(line)}</text>\n`;
  yield `<g transform="translate(${left} ${top})">\n`;
  for (const [index, { top, height }] of lanes.entries())
    if (index % 2 === 0)
      yield `<rect class="lane" x="${-left}" y="${top}" width="${width}" height="${height}"/>\n`;
  yield* drawAxis(scale, diagram.height);
  for (const lane of lanes) yield* drawLine(lane, scale);
  for (const line of lines) yield drawMessage(line, diagram);
  for (const lane of lanes) yield* drawBars(lane, options.linkPrefix);
  for (const lane of lanes) yield* drawLabels(lane);
  yield* drawWords(lines);
  yield `</g>\n${drawLegend(height - 12)}</svg>\n`;
}

const definitions = `<defs>
<pattern id="failed" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0V6"/></pattern>
<pattern id="lost" width="7" height="7" patternUnits="userSpaceOnUse"><path class="hatch" d="M0 0L7 7M7 0L0 7"/></pattern>
<pattern id="refused" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"><path class="hatch odd" d="M0 0V6"/></pattern>
<pattern id="silent" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch faint" d="M0 0V5"/></pattern>
${['', 'assignment', 'worded'].map(markerOf).join('\n')}
</defs>`;

function markerOf(kind: string): string {
  return `<marker id="head${kind}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto" markerUnits="userSpaceOnUse"><path class="head ${kind}" d="M0 1L8 4L0 7z"/></marker>`;
}

function* drawAxis(scale: Scale, height: number): Generator<string> {
  for (const { x, text } of scale.ticks()) {
    yield `<path class="tick" d="M${x} -5V${height}"/><text class="axis" x="${x}" y="-10" text-anchor="middle">${escaped(text)}</text>\n`;
  }
}

/** The node's name, and its lives with what is between them. */
function* drawLine({ node, lineY, lives, silences, height, top }: Lane, scale: Scale): Generator<string> {
  yield `<text class="node" x="${10 - left}" y="${lineY + 4}">${escaped(node)}</text>\n`;
  for (const life of lives) {
    if (!scale.shows(life)) continue;
    const x = scale.x(life.startUs);
    const width = Math.max(1, scale.x(life.endUs) - x);
    const title = `life ${life.incarnation} of ${node}: ${momentText(life.startUs)} to ${momentText(life.endUs)}`;
    yield `<rect class="life" x="${x}" y="${lineY - 2}" width="${width.toFixed(1)}" height="4"><title>${escaped(title)}</title></rect>\n`;
    if (lives.length > 1 && scale.showsTime(life.startUs))
      yield `<path class="rule" d="M${x} ${top + 2}V${top + height - 2}"/><text class="small halo" x="${x + 3}" y="${top + height - 3}">life ${escaped(String(life.incarnation))}</text>\n`;
  }
  for (const silence of silences) if (scale.shows(silence)) yield drawSilence(silence, lineY, scale);
}

const silenceWords: Readonly<Record<Silence['kind'], string>> = {
  down: 'down',
  silent: 'silent',
  gone: 'nothing more is recorded',
};

function drawSilence({ kind, node, startUs, endUs }: Silence, y: number, scale: Scale): string {
  const x = scale.x(startUs);
  const width = Math.max(1, scale.x(endUs) - x);
  const text = `${silenceWords[kind]}${kind === 'gone' ? '' : ` ${durationText(endUs - startUs)}`}`;
  const title = `no step of ${node} is recorded from ${momentText(startUs)} to ${momentText(endUs)}`;
  const fits = text.length * characterWidth + 8 <= width;
  const word = fits ? `<text class="silence-text halo" x="${x + 4}" y="${y + 4}">${text}</text>` : '';
  return `<g><title>${escaped(title)}</title><rect class="silence ${kind}" x="${x}" y="${y - 4}" width="${width.toFixed(1)}" height="8"/>${word}</g>\n`;
}

function* drawBars({ bars, barsY }: Lane, linkPrefix: string | undefined): Generator<string> {
  for (const bar of bars) {
    const y = barsY + bar.row * rowHeight;
    const [first] = bar.attempts;
    const ids = bar.attempts.slice(1).map(({ id }) => `<g id="${id}"></g>`);
    const shape = `<rect x="${bar.x}" y="${y}" width="${bar.width}" height="${barHeight}" rx="2"/>`;
    const text = bar.text
      ? `<text x="${bar.text.x}" y="${y + 11}" class="halo">${escaped(bar.text.text)}</text>`
      : '';
    const classes = `bar ${bar.outcome}${bar.isBegun ? '' : ' unbegun'}`;
    const drawn = `<g id="${first!.id}" class="${classes}"><title>${escaped(barTitle(bar))}</title>${shape}${text}${ids.join('')}</g>`;
    yield linkPrefix === undefined ? `${drawn}\n` : `<a href="#${linkPrefix}${first!.id}">${drawn}</a>\n`;
  }
}

function drawMessage({ told, x1, y1, x2, y2 }: Line, { run }: Diagram): string {
  const kind = told.word === undefined ? told.kind : 'worded';
  const head = kind === 'worded' || kind === 'assignment' ? kind : '';
  const span = told.attempt === undefined ? undefined : run.spans.get(told.attempt)!;
  const about = span
    ? ` of ${run.titleOf({ job: span.story.job, task: span.story.task, ordinal: span.story.ordinal })}`
    : '';
  const ends = [
    told.from && `sent in step ${stepName(told.from)}`,
    told.to && `heard in step ${stepName(told.to)}`,
  ];
  const title = [
    `${told.kind}${about}${told.word === undefined ? '' : `: ${told.word}`}`,
    ...ends.filter(Boolean),
  ].join('\n');
  return `<path class="arrow ${kind}" d="M${x1} ${y1}L${x2} ${y2}" marker-end="url(#head${head})"><title>${escaped(title)}</title></path>\n`;
}

/** Beside their arrows. Of words that would lie on each other the first stays; the arrows' titles have them all. */
function* drawWords(lines: readonly Line[]): Generator<string> {
  const taken: { x: number; y: number }[] = [];
  for (const { told, x1, y1, x2, y2 } of lines) {
    if (told.word === undefined) continue;
    const [x, y] = [x1 + (x2 - x1) * 0.6 + 5, y1 + (y2 - y1) * 0.6];
    if (taken.some((other) => Math.abs(other.x - x) < wordWidth && Math.abs(other.y - y) < labelHeight))
      continue;
    taken.push({ x, y });
    yield `<text class="word halo" x="${x.toFixed(1)}" y="${y.toFixed(1)}">${escaped(told.word)}</text>\n`;
  }
}

const wordWidth = 110;

/** The marks first: no mark goes through a text. */
function* drawLabels({ labels, lineY }: Lane): Generator<string> {
  const yOf = ({ row }: Label): number => lineY - 8 - (row ?? 0) * labelHeight;
  for (const label of labels) {
    const { x, title } = label;
    yield `<line class="mark" x1="${x}" y1="${lineY + 4}" x2="${x}" y2="${yOf(label) - 8}"><title>${escaped(title)}</title></line>\n`;
  }
  for (const label of labels) {
    const { x, row, isLeft, text, title } = label;
    if (row === undefined) continue;
    const place = isLeft ? `x="${(x - 3).toFixed(1)}" text-anchor="end"` : `x="${(x + 3).toFixed(1)}"`;
    yield `<text class="label halo" ${place} y="${yOf(label)}">${escaped(text)}<title>${escaped(title)}</title></text>\n`;
  }
}

const legend: readonly (readonly [outcome: AttemptOutcome, word: string])[] = [
  ['committed', 'committed'],
  ['failed', 'failed'],
  ['revoked', 'revoked'],
  ['refused', 'its report refused'],
  ['lost', 'its output lost'],
  ['open', 'no outcome is recorded'],
];

function drawLegend(y: number): string {
  let x = 10;
  const parts = legend.map(([outcome, word]) => {
    const part = `<g class="bar ${outcome}"><rect x="${x}" y="${y - 10}" width="26" height="12" rx="2"/><text x="${x + 31}" y="${y}">${word}</text></g>`;
    x += Math.round(51 + word.length * characterWidth);
    return part;
  });
  const arrows = [
    ['assignment', 'assignment', ''],
    ['report', 'report', ''],
    ['worded', 'refused or late, with the reason', ''],
  ].map(([kind, word]) => {
    const head = kind === 'report' ? '' : kind;
    const part = `<path class="arrow ${kind}" d="M${x} ${y - 4}H${x + 26}" marker-end="url(#head${head})"/><text x="${x + 31}" y="${y}">${word}</text>`;
    x += Math.round(51 + word!.length * characterWidth);
    return part;
  });
  return `<g class="legend">${[...parts, ...arrows].join('')}</g>\n`;
}
