/**
 * `rehearse explain`: why each attempt began and ended, in words, from what the nodes recorded. With a task, that task;
 * with a step (`master-1:120`), the chain of causes that led to it.
 */
import { existsSync } from 'node:fs';
import { versions } from '../runtime/versions.js';
import {
  type AttemptStory,
  isOrdinary,
  lengthOf,
  nameOf,
  outcomeText,
  tellAttempts,
} from '../sim/explain/attempts.js';
import { causesOf, effectTexts, eventText } from '../sim/explain/causes.js';
import { type MergedStep, mergeTraces, type NodeTrace } from '../sim/explain/merge.js';
import { factsOf } from '../sim/explain/merged-facts.js';
import { durationText, momentText } from '../sim/scenario/duration.js';
import type { Fact } from '../sim/scenario/facts.js';
import { factText } from '../sim/scenario/timeline.js';
import { simulate } from '../sim/simulate.js';
import { TraceRecorder } from '../sim/traced.js';
import type { GlobalFlags } from './global-flags.js';
import { readScenarios } from './scenario-files.js';
import { openTerminal, type Terminal } from './terminal.js';
import { tellTraces } from './told-traces.js';
import { traceFiles } from './traces.js';
import { exitCodes, UserError } from './user-error.js';

/** Of a run, or of a scenario, played now. */
export async function explain(args: string[], flags: GlobalFlags): Promise<number> {
  const [source, target] = args as [string, string | undefined];
  if (/\.ya?ml$/.test(source)) return tell(await played(source), target, flags);
  if (existsSync(source) || !source.includes('/')) {
    return await tellTraces(traceFiles(source, flags), (traces) => tell(traces, target, flags));
  }
  throw new UserError({
    code: 'T003',
    what: 'no such run, trace or scenario',
    where: source,
    next: 'give the id of a run, a trace file, a folder of traces or a scenario',
  });
}

async function played(file: string): Promise<NodeTrace[]> {
  const [scenario] = await readScenarios(file);
  const recorder = new TraceRecorder(scenario!.seed, versions());
  simulate(scenario!, { onStep: (step) => recorder.stepped(step) });
  return recorder.traces;
}

function tell(traces: readonly NodeTrace[], target: string | undefined, flags: GlobalFlags): number {
  const terminal = openTerminal(flags);
  const steps = mergeTraces(traces);
  if (!flags.json && traces.some(({ header }) => header.driver === 'runtime'))
    terminal.out('times are since the first step that was recorded\n');
  const step = target === undefined ? null : /^([a-z]+-\d+)(?:\.(\d+))?:(\d+)$/.exec(target);
  if (step && !/^(map|reduce)-/.test(step[1]!)) {
    explainStep(terminal, steps, step, flags);
    return exitCodes.yes;
  }
  const facts = factsOf(steps);
  const stories = tellAttempts(facts);
  if (target !== undefined) return explainTask(terminal, stories, target, flags);
  if (flags.json) {
    terminal.out(`${JSON.stringify({ attempts: stories, decisions: facts.filter(isOfTheCluster) })}\n`);
    return exitCodes.yes;
  }
  terminal.out('the cluster\n');
  for (const fact of facts.filter(isOfTheCluster)) terminal.out(lineOf(fact.atUs, factText(fact)));
  for (const story of stories) sayStory(terminal, story, !isOrdinary(story) || (flags.verbose ?? false));
  return exitCodes.yes;
}

/** What befell nodes and jobs rather than attempts. */
function isOfTheCluster(fact: Fact): boolean {
  return fact.attempt === undefined && fact.name !== 'intent-dropped';
}

function explainTask(
  terminal: Terminal,
  stories: readonly AttemptStory[],
  target: string,
  flags: GlobalFlags,
): number {
  const found = stories.filter((story) => story.task === target || nameOf(story) === target);
  if (found.length === 0) {
    const tasks = [...new Set(stories.map(({ task }) => task))];
    throw new UserError({
      code: 'T004',
      what: `no attempt of "${target}" in these traces`,
      next:
        tasks.length === 0
          ? 'they tell of no attempt at all'
          : `they tell of ${tasks.slice(0, 6).join(', ')}${tasks.length > 6 ? ', …' : ''}; a step is written like master-1:120`,
    });
  }
  if (flags.json) terminal.out(`${JSON.stringify({ attempts: found })}\n`);
  else for (const story of found) sayStory(terminal, story, true);
  return exitCodes.yes;
}

function sayStory(terminal: Terminal, story: AttemptStory, whole: boolean): void {
  const title = `job ${story.job}, ${nameOf(story)} on ${story.worker ?? 'nobody'}: ${outcomeText(story)}`;
  terminal.out(whole ? `\n${title}\n` : `${title}${lengthText(story)}\n`);
  if (whole) for (const { atUs, text } of story.moments) terminal.out(lineOf(atUs, text));
}

function lengthText(story: AttemptStory): string {
  const length = lengthOf(story);
  if (!length) return '';
  return length.by === 'one' ? ` after ${durationText(length.us)}` : `, ran for ${durationText(length.us)}`;
}

function explainStep(
  terminal: Terminal,
  steps: readonly MergedStep[],
  [text, node, incarnation, index]: RegExpExecArray,
  flags: GlobalFlags,
): void {
  const life = incarnation === undefined ? undefined : Number(incarnation);
  const chain = causesOf(steps, node!, Number(index), life);
  if (!chain) {
    const last = steps.findLast((step) => step.node === node);
    throw new UserError({
      code: 'T005',
      what: `there is no step ${text}`,
      next: last ? `the last of ${node} is ${last.line.i}` : `no trace is of ${node}`,
    });
  }
  if (flags.json) {
    terminal.out(`${JSON.stringify({ chain })}\n`);
    return;
  }
  for (const step of chain) {
    const name = `${step.node}:${step.line.i}`;
    terminal.out(lineOf(step.atUs, `${name.padEnd(14)} ${eventText(step.line.event)}`));
    for (const effect of effectTexts(step.line.effects)) terminal.out(`${' '.repeat(16)}${effect}\n`);
  }
}

function lineOf(atUs: number, text: string): string {
  return `${momentText(atUs).padStart(13)}  ${text}\n`;
}
