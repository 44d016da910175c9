/**
 * `rehearse replay`: the recorded events of a real run, through the core again.
 */
import type { TraceLine } from '../core/trace.js';
import { flattenState, stateChanges } from '../sim/explain/state-view.js';
import { Replay, type ReplayVerdict } from '../sim/replay.js';
import type { GlobalFlags } from './global-flags.js';
import { refuseStrangers } from './refused-traces.js';
import { sayPath } from './run/prepare.js';
import { stateText, stepText } from './step-text.js';
import { openTerminal, type Terminal } from './terminal.js';
import { linesOf, readHeader, traceFiles } from './traces.js';
import { exitCodes, UserError } from './user-error.js';

interface ReplayFlags extends GlobalFlags {
  readonly at?: string;
}

export async function replay(args: string[], flags: ReplayFlags): Promise<number> {
  const terminal = openTerminal(flags);
  const files = args.flatMap((name) => filesOfOneRun(name, flags));
  if (flags.at !== undefined) return await replayTo(files, flags.at, terminal, flags);
  const results: { file: string; verdict: ReplayVerdict }[] = [];
  for (const file of files) {
    const verdict = await replayFile(file);
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
  const step = Number(at);
  if (files.length !== 1 || !Number.isInteger(step) || step < 1) {
    throw new UserError({
      code: 'U011',
      what:
        files.length === 1
          ? `--at: "${at}" is no step`
          : `--at shows a step of one trace, not of ${files.length}`,
      next: files.length === 1 ? 'steps are counted from 1' : `name one, such as ${sayPath(files[0]!)}`,
    });
  }
  const file = files[0]!;
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
      terminal.out(`${JSON.stringify({ file, step: line, state: Object.fromEntries(state), changes })}\n`);
    } else terminal.out(`${stepText(line)}${stateText(state, changes)}`);
    return exitCodes.yes;
  }
  throw new UserError({
    code: 'T005',
    what: `there is no step ${step}`,
    where: file,
    next: `the last is ${number - 1}`,
  });
}

function verdictText(file: string, verdict: ReplayVerdict): string {
  const name = sayPath(file);
  switch (verdict.outcome) {
    case 'same':
      return `${name}: ${verdict.steps} steps, same decisions, chain ${verdict.chain}${verdict.torn ? ' (last line torn: the process was killed)' : ''}`;
    case 'diverged':
      return `${name}:${verdict.line}: diverges in "${verdict.field}": ${verdict.message}`;
    case 'invalid':
      return `${name}:${verdict.line}: ${verdict.message}`;
  }
}
