/** One step of a trace in words, for all who show steps one by one. */
import type { TraceLine } from '../core/trace.js';
import { effectTexts, eventText } from '../sim/explain/causes.js';
import type { StateChange } from '../sim/explain/state-view.js';
import { momentText } from '../sim/scenario/duration.js';

/** What happened, and below it what the machine wants done. `startUs`: the zero of what is said of times, by the step's clock. */
export function stepText({ i, at, cause, event, effects }: TraceLine, startUs = 0): string {
  const why = cause ? `, caused by ${cause.node}:${cause.index}` : '';
  const head = `step ${i} at ${momentText(at - startUs)}${why}: ${eventText(event)}`;
  return linesOf([head, ...effectTexts(effects).map((effect) => `  ${effect}`)]);
}

/** The state after a step, below what the step has changed of it. */
export function stateText(state: ReadonlyMap<string, string>, changes: readonly StateChange[]): string {
  return linesOf([
    changes.length === 0 ? 'the state stays as it was' : 'changed',
    ...changes.map(
      ({ path, before, after }) => `  ${path}: ${before ?? '(nothing)'} -> ${after ?? '(nothing)'}`,
    ),
    'state',
    ...[...state].map(([path, value]) => `  ${path} = ${value}`),
  ]);
}

function linesOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
