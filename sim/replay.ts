/**
 * Replaying a trace: its events, fed to the core again, must give the same lines. The first one that differs is named,
 * with the field: either the trace was changed, or the core decides otherwise than it did.
 *
 * Where the trace shows a digest of the state, the state must have it. A trace may show digests at other steps than this
 * version would, or none.
 */
import { type Chain, chainText, newChain } from '../core/chain.js';
import { lifeName } from '../core/ids.js';
import { InvariantError } from '../core/invariant-error.js';
import { type Machine, startMachine } from '../core/machine.js';
import { stateDigests } from '../core/state-digests.js';
import { type TraceHeader, type TraceLine, tracedStep, traceVersion } from '../core/trace.js';

export type ReplayVerdict =
  | {
      readonly outcome: 'same';
      readonly node: string;
      readonly steps: number;
      readonly chain: string;
      readonly torn: boolean;
    }
  /** `line` counts from 1, the header being line 1. */
  | { readonly outcome: 'diverged'; readonly line: number; readonly field: string; readonly message: string }
  | { readonly outcome: 'invalid'; readonly line: number; readonly message: string };

/** Takes a trace line by line. `end` gives the verdict; a verdict that is already certain comes from `offer`. */
export class Replay {
  #machine: Machine | undefined;
  readonly #chain: Chain = newChain();
  #line = 0;
  /** The last step at which the state was as the trace has it. */
  #agreed = 0;
  #torn = false;

  /** As it stands after the last line that was offered; undefined before the header. */
  get machine(): Machine | undefined {
    return this.#machine;
  }

  /** `last` marks a line without a line feed: the process was killed while it wrote it. */
  offer(text: string, last = false): ReplayVerdict | undefined {
    this.#line++;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      if (last && this.#machine) {
        this.#torn = true;
        return undefined;
      }
      return this.#invalid('not JSON');
    }
    if (!this.#machine) return this.#begin(value as TraceHeader);
    if (typeof value !== 'object' || value === null) return this.#invalid('this is no step of a trace');
    return this.#step(text, value as TraceLine);
  }

  end(): ReplayVerdict {
    if (!this.#machine) return this.#invalid('the trace is empty');
    return {
      outcome: 'same',
      node: this.#machine.setup.life.node,
      steps: this.#chain.index,
      chain: chainText(this.#chain),
      torn: this.#torn,
    };
  }

  #begin(header: TraceHeader): ReplayVerdict | undefined {
    if (header?.trace !== traceVersion) return this.#invalid(`not a ${traceVersion} trace`);
    try {
      this.#machine = startMachine(header.setup);
    } catch (error) {
      return this.#invalid(`the header starts no machine: ${(error as Error).message}`);
    }
    return undefined;
  }

  #step(text: string, recorded: TraceLine): ReplayVerdict | undefined {
    const { event, at, cause } = recorded;
    let line: TraceLine;
    try {
      line = tracedStep(this.#machine!, this.#chain, { event, at, cause }).line;
      this.#machine!.check();
    } catch (error) {
      if (error instanceof InvariantError)
        return this.#diverged('event', `the core refuses it: ${error.message}`);
      return this.#diverged('event', `the core cannot take it: ${(error as Error).message}`);
    }
    const { state, stateFields, ...rest } = line;
    const expected = { ...rest, ...this.#digestsFor(recorded) };
    if (JSON.stringify(expected) === text) {
      if (recorded.stateFields !== undefined) this.#agreed = recorded.i;
      return undefined;
    }
    return this.#compare(expected, recorded);
  }

  /**
   * Of the state as it stands, what the trace shows of its own. A digest without fields was written by a version whose
   * states had other ones, and is not compared.
   */
  #digestsFor({ state, stateFields }: TraceLine): Pick<TraceLine, 'state' | 'stateFields'> {
    if (stateFields === undefined) return state === undefined ? {} : { state };
    const own = stateDigests(this.#machine!.state);
    return {
      ...(state === undefined ? {} : { state: own.state }),
      stateFields: own.stateFields,
    };
  }

  #compare(expected: TraceLine, recorded: TraceLine): ReplayVerdict {
    for (const field of ['i', 'effects', 'chain'] as const) {
      const [own, found] = [JSON.stringify(expected[field]), JSON.stringify(recorded[field])];
      if (own !== found)
        return this.#diverged(field, `the core gives ${cut(own)}, the trace has ${cut(found)}`);
    }
    const fields = unequalFields(expected.stateFields ?? {}, recorded.stateFields ?? {});
    if (expected.state !== recorded.state || fields.length > 0) return this.#otherState(recorded.i, fields);
    return this.#diverged('line', 'the same data in another form than the core writes it');
  }

  #otherState(step: number, fields: readonly string[]): ReplayVerdict {
    const where = fields.length > 0 ? `in ${fields.join(', ')}` : 'though its fields do not';
    const since = this.#agreed === 0 ? 'no step before shows it' : `at step ${this.#agreed} it was the same`;
    return this.#diverged(
      'state',
      `after step ${step} of ${lifeName(this.#machine!.setup.life)} the state differs ${where}; ${since}`,
    );
  }

  #diverged(field: string, message: string): ReplayVerdict {
    return { outcome: 'diverged', line: this.#line, field, message };
  }

  #invalid(message: string): ReplayVerdict {
    return { outcome: 'invalid', line: this.#line, message };
  }
}

function unequalFields(
  one: Readonly<Record<string, string>>,
  other: Readonly<Record<string, string>>,
): string[] {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].filter((name) => one[name] !== other[name]);
}

function cut(text: string | undefined): string {
  if (text === undefined) return 'nothing';
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
