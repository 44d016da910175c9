/**
 * A run as one page that needs nothing else: the picture, every attempt in the words of `explain`, what was decided, outcome
 * and counters. It asks no network for anything, and may not: its Content-Security-Policy refuses all but its own style and script.
 */
import { attemptKey } from '../../core/ids.js';
import { type AttemptStory, isOrdinary, type Moment } from '../explain/attempts.js';
import type { MergedStep, NodeTrace } from '../explain/merge.js';
import { durationText, momentText } from '../scenario/duration.js';
import type { Fact } from '../scenario/facts.js';
import { type JobTale, jobTales } from './job-tales.js';
import { escaped } from './markup.js';
import { pageHashes } from './page/hashes.js';
import { pageScript } from './page/script.js';
import { pageStyle } from './page/style.js';
import type { Named } from './picture/bars.js';
import { drawSvg } from './picture/draw.js';
import { isLabelled, labelText } from './picture/labels.js';
import { type Diagram, layOut } from './picture/layout.js';
import type { Range } from './picture/scale.js';
import { headingOf } from './svg.js';

const policy = [
  `default-src 'none'`,
  `style-src '${pageHashes.style}'`,
  `script-src '${pageHashes.script}'`,
  `base-uri 'none'`,
  `form-action 'none'`,
].join('; ');

export function* exportHtml(
  traces: readonly NodeTrace[],
  merged: readonly MergedStep[],
  range: Range = {},
): Generator<string> {
  const diagram = layOut(traces, merged, range);
  const tales = jobTales(diagram.run.steps);
  const [title, about] = headingOf(traces, diagram, tales, range);
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${pageStyle}</style>
</head>
<body>
<header><h1>${escaped(title)}</h1><p>${escaped(about)}</p></header>
`;
  yield toolsFor(diagram.attempts.filter(({ span }) => diagram.scale.shows(span)).length);
  yield `<section aria-label="Picture"><div class="picture" tabindex="0" role="region" aria-label="Space-time diagram: time to the right, a lane for each node">\n`;
  yield* drawSvg(diagram, { heading: [], linkPrefix: 'row-' });
  yield '</div></section>\n';
  yield* attemptTables(diagram);
  yield* decisionList(diagram);
  yield* jobTables(tales);
  yield `<script>${pageScript}</script>\n</body>\n</html>\n`;
}

const outcomes = ['committed', 'failed', 'revoked', 'refused', 'lost', 'open'] as const;

function toolsFor(attempts: number): string {
  return `<div class="bar-of-tools" role="search">
<label>Filter <kbd>/</kbd> <input id="filter" type="search" autocomplete="off"></label>
<label>Outcome <select id="outcome"><option value="">any</option>${outcomes.map((one) => `<option>${one}</option>`).join('')}</select></label>
<output id="shown">${countText(attempts)}</output>
<a href="#attempts">Attempts</a> <a href="#decisions">Decisions</a> <a href="#jobs">Jobs and counters</a>
<span><kbd>↑</kbd> <kbd>↓</kbd> from attempt to attempt, <kbd>Enter</kbd> to the picture and back</span>
</div>
`;
}

function countText(attempts: number): string {
  return `${attempts} attempt${attempts === 1 ? '' : 's'}`;
}

/** In portions: a browser lays out those in sight, and ten thousand attempts open as quickly as a hundred. */
const portion = 100;

function* attemptTables({ attempts, scale }: Diagram): Generator<string> {
  const shown = attempts.filter(({ span }) => scale.shows(span));
  yield '<section id="attempts"><h2>Attempts</h2>\n';
  for (let at = 0; at < shown.length; at += portion) {
    yield `<div class="portion"><table class="attempts">${tableHead}<tbody>\n`;
    for (const attempt of shown.slice(at, at + portion)) yield attemptRow(attempt);
    yield '</tbody></table></div>\n';
  }
  yield '</section>\n';
}

const columns = ['attempt', 'worker', 'outcome', 'began', 'took'];
const tableHead = `<thead><tr>${columns.map((name) => `<th class="narrow" scope="col">${name}</th>`).join('')}<th scope="col">why it began and ended</th></tr></thead>`;

function attemptRow({ id, title, span }: Named): string {
  const { story, startUs, endUs, life, isEnded } = span;
  const took = !life
    ? 'never began'
    : isEnded
      ? durationText(endUs - startUs)
      : `${durationText(endUs - startUs)}, no end recorded`;
  const cells = [
    `<th scope="row"><a href="#${id}">${escaped(title)}</a></th>`,
    `<td>${escaped(story.worker ?? 'nobody')}${life && life.incarnation > 1 ? `, life ${escaped(String(life.incarnation))}` : ''}</td>`,
    `<td class="outcome ${story.outcome}">${story.outcome}</td>`,
    `<td class="number">${momentText(startUs)}</td>`,
    `<td class="number">${took}</td>`,
    `<td>${storyText(story)}</td>`,
  ];
  return `<tr id="row-${id}" data-row="${story.outcome}">${cells.join('')}</tr>\n`;
}

/** With all times where there is something to explain; else in one line, of which there may be thousands. */
function storyText(story: AttemptStory): string {
  if (isOrdinary(story)) return escaped(story.moments.map(({ text }) => text).join(' → '));
  return `<ol>${story.moments.map(listItem).join('')}</ol>`;
}

function listItem({ atUs, text }: Moment): string {
  return `<li><time>${momentText(atUs)}</time> ${escaped(text)}</li>`;
}

function* decisionList({ run, scale, attempts }: Diagram): Generator<string> {
  const idOf = new Map([...run.spans.keys()].map((key, index) => [key, attempts[index]!.id]));
  yield `<section id="decisions"><h2>Decisions</h2><ol>\n`;
  for (const fact of run.facts.flat()) {
    if (!isLabelled(fact) || !scale.showsTime(fact.atUs)) continue;
    const id = fact.attempt && idOf.get(attemptKey(fact.attempt));
    const text = escaped(labelText(fact, run));
    const name = id === undefined ? text : `<a href="#row-${id}">${text}</a>`;
    yield `<li data-row="decision"><time>${momentText(fact.atUs)}</time> ${escaped(fact.node)}: ${name} <span class="facts">${escaped(factsText(fact))}</span></li>\n`;
  }
  yield '</ol></section>\n';
}

/** What was compared. */
function factsText({ job, about, epoch, detail }: Fact): string {
  const facts = Object.entries({ job, about, epoch, ...detail }).filter(([, value]) => value !== undefined);
  return facts.map(([name, value]) => `${name}=${value}`).join(' ');
}

function* jobTables(jobs: readonly JobTale[]): Generator<string> {
  yield '<section id="jobs"><h2>Jobs and counters</h2>\n';
  if (jobs.length === 0) yield '<p>The traces tell of no job.</p>\n';
  for (const { job, name, maps, reduces, beganUs, endedUs, outcome, counters } of jobs) {
    const tasks = maps === undefined ? [] : [['tasks', `${maps} maps, ${reduces} reduces`] as const];
    const times = [
      ...(beganUs === undefined ? [] : [['accepted', momentText(beganUs)] as const]),
      ...(endedUs === undefined ? [] : [['ended', momentText(endedUs)] as const]),
    ];
    const rows = [['outcome', outcome] as const, ...tasks, ...times, ...counters];
    yield `<h3>job ${escaped(String(job))}${name === undefined ? '' : ` ${escaped(name)}`}</h3><table><tbody>\n`;
    for (const [label, value] of rows)
      yield `<tr><th scope="row">${escaped(label)}</th><td class="number">${escaped(String(value))}</td></tr>\n`;
    yield '</tbody></table>\n';
  }
  yield '</section>\n';
}
