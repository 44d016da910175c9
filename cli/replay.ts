/**
 * `rehearse replay`: the recorded events of a real run, through the core again.
 */
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Replay, type ReplayVerdict } from '../sim/replay.js';
import type { GlobalFlags } from './global-flags.js';
import { sayPath } from './run/prepare.js';
import { dataDirectoryOf, findRun } from './run/run-id.js';
import { openTerminal } from './terminal.js';
import { exitCodes, UserError } from './user-error.js';

export async function replay(args: string[], flags: GlobalFlags): Promise<number> {
  const terminal = openTerminal(flags);
  const files = args.flatMap((name) => traceFiles(name, flags));
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

/** A trace file, a folder of them, or all traces of a run. */
function traceFiles(name: string, flags: GlobalFlags): string[] {
  if (existsSync(name) && statSync(name).isFile()) return [name];
  const directory =
    existsSync(name) && !existsSync(join(name, 'trace')) && !existsSync(join(name, 'run.json'))
      ? name
      : findRun(name, dataDirectoryOf(flags.dataDir)).layout.trace;
  const files = readdirSync(directory)
    .filter((file) => file.endsWith('.ndjson'))
    .sort();
  if (files.length === 0) {
    throw new UserError({
      code: 'T001',
      what: 'there are no traces here',
      where: directory,
      next: 'give a trace file or the id of a run',
    });
  }
  return files.map((file) => join(directory, file));
}

/** Reads piece by piece: a trace may be larger than memory. */
export async function replayFile(path: string): Promise<ReplayVerdict> {
  const replaying = new Replay();
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 })) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const verdict = replaying.offer(line);
      if (verdict) return verdict;
    }
  }
  return (rest === '' ? undefined : replaying.offer(rest, true)) ?? replaying.end();
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
