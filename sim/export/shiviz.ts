/**
 * A run as a log with vector clocks, for ShiViz. Two lines a step: what happened, and the life it happened in with its
 * clock. A life is a host of its own: what one life of a node did, the next one does not know.
 *
 * Clocks as of Fidge and Mattern: an entry counts the steps of a life, so one step happened before another exactly when
 * its clock is below the other's in every entry. ShiViz demands that a host's own entries are 1, 2, 3 …, as steps are.
 */
import { lifeName } from '../../core/ids.js';
import { effectTexts, eventText } from '../explain/causes.js';
import { type MergedStep, stepName, stepsBefore } from '../explain/merge.js';
import { momentText } from '../scenario/duration.js';

/** The parser that ShiViz takes from the first line of a log; the second, empty, says that it is one execution. */
const parser = String.raw`(?<event>.*)\n(?<host>\S*) (?<clock>{.*})`;

/** How many steps of each life are known, by its name. */
type Clock = Readonly<Record<string, number>>;

export function* exportShiViz(steps: readonly MergedStep[]): Generator<string> {
  yield `${parser}\n\n`;
  const clocks = new Clocks(steps);
  for (const step of steps) {
    const clock = clocks.next(step);
    yield `${textOf(step)}\n${lifeName(step)} ${JSON.stringify(clock)}\n`;
  }
}

class Clocks {
  readonly #now = new Map<string, Clock>();
  /** Clocks of the steps that others name as their cause. */
  readonly #ofCauses = new Map<string, Clock>();
  readonly #causes: ReadonlySet<string>;

  constructor(steps: readonly MergedStep[]) {
    this.#causes = new Set(steps.flatMap((step) => stepsBefore(step).map(stepName)));
  }

  /** Of the next step in the merged order. */
  next(step: MergedStep): Clock {
    const host = lifeName(step);
    const heard = stepsBefore(step).flatMap((cause) =>
      Object.entries(this.#ofCauses.get(stepName(cause)) ?? {}),
    );
    const clock: Record<string, number> = { ...this.#now.get(host) };
    for (const [other, count] of heard) {
      if (count > (clock[other] ?? 0)) clock[other] = count;
    }
    clock[host] = step.line.i;
    this.#now.set(host, clock);
    const name = `${host}:${step.line.i}`;
    if (this.#causes.has(name)) this.#ofCauses.set(name, clock);
    return clock;
  }
}

/** One line, whatever a decision compared. */
function textOf({ atUs, line }: MergedStep): string {
  const effects = effectTexts(line.effects);
  const text = [eventText(line.event), ...effects].join('; ');
  return `${text.replaceAll(/[\r\n\u2028\u2029]+/g, ' ')} (${momentText(atUs)})`;
}
