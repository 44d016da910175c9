/**
 * How attempts end in the explored world: with their result, without an input, stopped, or because user code failed.
 */
import type { MachineEvent } from '../../../core/events.js';
import { generationText, mixGeneration, newGeneration } from '../../../core/generation.js';
import { attemptKey, taskName } from '../../../core/ids.js';
import { type Bench, findFile, type Running, type Shelf, sourcesOf } from './labour.js';
import type { Parts } from './parts.js';

/** By number: what happens to the bench, to the shelf (-1: nothing), and what the worker's machine is told. */
export interface Ending {
  readonly bench: number;
  readonly write: number;
  readonly event: number;
  /** For people. */
  readonly does: string;
}

/** All ways in which what the bench has in hand may end by itself. */
export function endingsOf(parts: Parts, bench: number, shelf: number): Ending[] {
  const files = parts.shelf.values.value(shelf);
  const value = parts.benches.values.value(bench);
  return value.running.flatMap((one) => {
    const endings = resultOf(parts, value, one, files);
    if (one.stopping) {
      endings.push(ending(parts, one, { type: 'attempt.aborted', attempt: one.attempt }, 'stops'));
    }
    return endings;
  });
}

export function failureOf(parts: Parts, one: Running): Ending {
  const failure = { kind: 'user', message: 'it throws' } as const;
  return ending(parts, one, { type: 'attempt.broke', attempt: one.attempt, failure }, 'fails in');
}

/** User code ends well; or a reduce finds that it cannot read, or waits until its list tells of the map it lacks. */
function resultOf(parts: Parts, bench: Bench, one: Running, files: Shelf): Ending[] {
  const { attempt, maps } = one;
  const sources = sourcesOf(bench, one);
  if (sources.includes(null)) return one.waiting ? [] : [pause(parts, one, true)];
  const read: string[] = [];
  const generation = newGeneration();
  for (const [map, source] of sources.entries()) {
    const file = findFile(files, source!);
    if (!file || file.lost) {
      const event: MachineEvent = { type: 'attempt.starved', attempt, source: source!, reason: 'missing' };
      return [ending(parts, one, event, 'cannot read an input of')];
    }
    read.push(file.digest);
    mixGeneration(generation, map, file.digest, 1);
  }
  const isMap = attempt.task < maps;
  const digest = isMap ? `map-${attempt.task}` : `reduce-${attempt.task - maps} of ${read.join(' + ')}`;
  const output = { digest, bytes: 1, records: 1, inputs: isMap ? '' : generationText(generation) };
  const { node, incarnation } = one;
  const { task } = attempt;
  const file = { key: attemptKey(attempt), task, node, incarnation, digest, read, lost: false };
  const event: MachineEvent = { type: 'attempt.finished', attempt, output, counters: [['tasks', 1]] };
  const write = parts.shelf.changes.numberOf({ kind: 'write', file });
  const result = { ...ending(parts, one, event, 'finishes'), write };
  return one.waiting ? [result, pause(parts, one, false)] : [result];
}

/** No end: a reduce says that it waits, or no longer. */
function pause(parts: Parts, one: Running, waiting: boolean): Ending {
  const { attempt } = one;
  const event: MachineEvent = { type: 'attempt.progressed', attempt, done: 0, total: 1, waiting };
  const bench = parts.benches.changes.numberOf({ kind: waiting ? 'wait' : 'go-on', attempt });
  return { ...ending(parts, one, event, waiting ? 'waits in' : 'goes on with'), bench };
}

function ending(parts: Parts, one: Running, event: MachineEvent, does: string): Ending {
  return {
    bench: parts.benches.changes.numberOf({ kind: 'end', attempt: one.attempt }),
    write: -1,
    event: parts.events.numberOf(event),
    does: `${does} ${taskName(one.attempt.task, one.maps)} (attempt ${attemptKey(one.attempt)})`,
  };
}
