/**
 * Replaying a trace: its events, fed to the core again, must give the same lines. The first one that differs is named,
 * with the field: either the trace was changed, or the core decides otherwise than it did.
 */
import { type Chain, chainText, newChain } from '../core/chain.js';
import { InvariantError } from '../core/invariant-error.js';
import { type Machine, startMachine } from '../core/machine.js';
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
    return this.#machine ? this.#step(text, value as TraceLine) : this.#begin(value as TraceHeader);
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
    if (JSON.stringify(line) === text) return undefined;
    for (const field of ['i', 'effects', 'chain', 'state'] as const) {
      const expected = JSON.stringify(line[field]);
      const found = JSON.stringify(recorded[field]);
      if (expected !== found)
        return this.#diverged(field, `the core gives ${cut(expected)}, the trace has ${cut(found)}`);
    }
    return this.#diverged('line', 'the same data in another form than the core writes it');
  }

  #diverged(field: string, message: string): ReplayVerdict {
    return { outcome: 'diverged', line: this.#line, field, message };
  }

  #invalid(message: string): ReplayVerdict {
    return { outcome: 'invalid', line: this.#line, message };
  }
}

function cut(text: string | undefined): string {
  if (text === undefined) return 'nothing';
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
