/**
 * `rehearse replay`: the recorded events of a real run, through the core again.
 */
import { chainText, newChain } from '../core/chain.js';
import type { TraceLine } from '../core/trace.js';
import { flattenState, stateChanges } from '../sim/explain/state-view.js';
import { Replay, type ReplayVerdict } from '../sim/replay.js';
import { durationText, momentText, parseDuration, shownUs } from '../sim/scenario/duration.js';
import type { GlobalFlags } from './global-flags.js';
import { refuseStrangers } from './refused-traces.js';
import { sayPath } from './run/prepare.js';
import { stateText, stepText } from './step-text.js';
import { openTerminal, type Terminal } from './terminal.js';
import { linesOf, readHeader, startOfRun, traceFiles } from './traces.js';
import { begunTraces, isBegun, lifeOf, unbegunText } from './unbegun-traces.js';
import { exitCodes, UserError } from './user-error.js';

/** A time as people write it, or as `explain` prints it: `350ms`, `1.575 s`. */
const timePattern = /^(\d+(?:\.\d+)?) ?(us|µs|ms|s|m|h)$/;

interface ReplayFlags extends GlobalFlags {
  readonly at?: string;
}

export async function replay(args: string[], flags: ReplayFlags): Promise<number> {
  const terminal = openTerminal(flags);
  const files = args.flatMap((name) => filesOfOneRun(name, flags));
  if (flags.at !== undefined) return await replayTo(begunTraces(files), flags.at, terminal, flags);
  const isOneOfMany = files.length > 1;
  const results: { file: string; verdict: ReplayVerdict }[] = [];
  for (const file of files) {
    const verdict = isOneOfMany && !isBegun(file) ? nothingToReplay(file) : await replayFile(file);
    results.push({ file, verdict });
    if (!flags.json) (verdict.outcome === 'same' ? terminal.say : terminal.warn)(verdictText(file, verdict));
  }
  if (flags.json)
    terminal.out(
      `${JSON.stringify({ traces: results.map(({ file, verdict }) => ({ file, ...verdict })) })}\n`,
    );
  if (results.some(({ verdict }) => verdict.outcome === 'diverged')) return exitCodes.no;
  return results.some(({ verdict }) => verdict.outcome === 'invalid') ? exitCodes.usage : exitCodes.yes;
}

/** Each is replayed by itself; but a folder of several runs is none that one would be told of as one. */
function filesOfOneRun(name: string, flags: GlobalFlags): string[] {
  const files = traceFiles(name, flags);
  refuseStrangers(
    files.flatMap((file) => {
      const header = files.length > 1 ? readHeader(file) : undefined;
      return header ? [{ header, file }] : [];
    }),
  );
  return files;
}

/** Of a process that was killed at its birth: it decided nothing, and so would the core. */
function nothingToReplay(file: string): ReplayVerdict {
  return { outcome: 'same', node: lifeOf(file).node, steps: 0, chain: chainText(newChain()), torn: true };
}

async function replayFile(path: string): Promise<ReplayVerdict> {
  const replaying = new Replay();
  for await (const { text, torn } of linesOf(path)) {
    const verdict = replaying.offer(text, torn);
    if (verdict) return verdict;
  }
  return replaying.end();
}

/** Shows one step of one trace: its event, its effects, and the state after it with what changed. */
async function replayTo(
  files: readonly string[],
  at: string,
  terminal: Terminal,
  flags: ReplayFlags,
): Promise<number> {
  if (files.length !== 1) {
    throw new UserError({
      code: 'U011',
      what: `--at shows a step of one trace, not of ${files.length}`,
      next: `name one, such as ${sayPath(files[0]!)}`,
    });
  }
  const file = files[0]!;
  const startUs = await startOfRun(file);
  const step = await stepAt(file, at, startUs);
  const replaying = new Replay();
  let before = new Map<string, string>();
  let number = 0;
  for await (const { text, torn } of linesOf(file)) {
    if (number === step) before = flattenState(replaying.machine!.state);
    const verdict = replaying.offer(text, torn);
    if (verdict) {
      terminal.warn(verdictText(file, verdict));
      return verdict.outcome === 'diverged' ? exitCodes.no : exitCodes.usage;
    }
    if (number++ < step) continue;
    const line = JSON.parse(text) as TraceLine;
    const state = flattenState(replaying.machine!.state);
    const changes = stateChanges(before, state);
    if (flags.json) {
      const atUs = line.at - startUs;
      terminal.out(
        `${JSON.stringify({ file, atUs, step: line, state: Object.fromEntries(state), changes })}\n`,
      );
    } else terminal.out(`${stepText(line, startUs)}${stateText(state, changes)}`);
    return exitCodes.yes;
  }
  throw new UserError({
    code: 'T005',
    what: `there is no step ${step}`,
    where: file,
    next: `the last is ${number - 1}`,
  });
}

/** The number of a step that is given by it, or by a time: the last one up to then, as times are shown. */
async function stepAt(file: string, at: string, startUs: number): Promise<number> {
  const time = timePattern.exec(at);
  if (time) {
    const untilUs = parseDuration(`${time[1]}${time[2]!.replace('µ', 'u')}`);
    return await stepUntil(file, untilUs, startUs);
  }
  if (/^[1-9]\d*$/.test(at)) return Number(at);
  throw new UserError({
    code: 'U011',
    what: `--at: "${at}" is no step and no time`,
    next: 'steps are counted from 1; times are those of explain, such as 350ms or 12.5s',
  });
}

async function stepUntil(file: string, untilUs: number, startUs: number): Promise<number> {
  let step = 0;
  let firstUs: number | undefined;
  for await (const { text } of linesOf(file)) {
    const { at } = stepOrNothing(text);
    if (at === undefined) continue; // the header
    firstUs ??= at - startUs;
    if (shownUs(at - startUs) > untilUs) break;
    step++;
  }
  if (step > 0 || firstUs === undefined) return Math.max(step, 1);
  throw new UserError({
    code: 'T005',
    what: `there is no step up to ${durationText(untilUs)}`,
    where: file,
    next: `the first is at ${momentText(firstUs)}`,
  });
}

function stepOrNothing(text: string): Partial<TraceLine> {
  try {
    return JSON.parse(text) as Partial<TraceLine>;
  } catch {
    return {}; // whoever replays it says so
  }
}

const tornEnd = ' (last line torn: the process was killed, or its disk took no more of the trace)';

function verdictText(file: string, verdict: ReplayVerdict): string {
  const name = sayPath(file);
  switch (verdict.outcome) {
    case 'same':
      if (verdict.steps === 0 && verdict.torn) return `${name}: 0 steps: ${unbegunText(file)}`;
      return `${name}: ${verdict.steps} steps, same decisions, chain ${verdict.chain}${verdict.torn ? tornEnd : ''}`;
    case 'diverged':
      return `${name}:${verdict.line}: diverges in "${verdict.field}": ${verdict.message}`;
    case 'invalid':
      return `${name}:${verdict.line}: ${verdict.message}`;
  }
}
