/**
 * Drives one machine for real: feeds it events one at a time, writes each step to the trace, hands its effects to
 * whoever performs them, in order, and keeps one timer for its earliest deadline.
 */
import { newChain } from '../../core/chain.js';
import { earliest } from '../../core/deadlines.js';
import type { Effect } from '../../core/effects.js';
import type { MachineEvent } from '../../core/events.js';
import { type Machine, type MachineSetup, startMachine } from '../../core/machine.js';
import { type Cause, tracedStep, traceVersion } from '../../core/trace.js';
import { TraceFile } from '../trace/trace-file.js';
import { versions } from '../versions.js';

export interface NodeDriverOptions {
  readonly setup: MachineSetup;
  readonly tracePath: string;
  /** Performs one effect. `cause` names the step, to be carried in messages. Must not throw. */
  perform(effect: Effect, cause: Cause): void;
  /** The machine broke one of its own rules: the process has to end. */
  failed(error: unknown): void;
  /** The disk takes no more of the trace: the node goes on without. */
  untraced(error: Error): void;
  /** Sees every step after its effects were handed out. */
  stepped?(event: MachineEvent, effects: readonly Effect[]): void;
}

export class NodeDriver {
  readonly machine: Machine;
  readonly trace: TraceFile;
  readonly #options: NodeDriverOptions;
  readonly #chain = newChain();
  readonly #queue: { event: MachineEvent; cause: Cause | undefined }[] = [];
  #busy = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(options: NodeDriverOptions) {
    this.#options = options;
    this.machine = startMachine(options.setup);
    const header = {
      trace: traceVersion,
      driver: 'runtime',
      versions: versions(),
      setup: options.setup,
      originUs: Math.floor(performance.timeOrigin * 1000),
    } as const;
    this.trace = new TraceFile(options.tracePath, header, (error) => options.untraced(error));
  }

  start(): void {
    this.feed({ type: 'node.started' });
  }

  /** Events that arrive while a step is under way wait their turn. */
  feed(event: MachineEvent, cause?: Cause): void {
    if (this.#stopped) return;
    this.#queue.push({ event, cause });
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next && !this.#stopped; next = this.#queue.shift())
        this.#step(next);
    } catch (error) {
      this.stop();
      this.#options.failed(error);
    } finally {
      this.#busy = false;
    }
    this.#arm();
  }

  /** No event is taken any more. The trace is complete. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.trace.close();
  }

  #step(input: { event: MachineEvent; cause: Cause | undefined }): void {
    const { effects, line } = tracedStep(this.machine, this.#chain, { ...input, at: monotonicUs() });
    this.trace.write(line);
    const cause = { node: this.#options.setup.life.node, index: line.i };
    for (const effect of effects) this.#options.perform(effect, cause);
    this.#options.stepped?.(input.event, effects);
  }

  #arm(): void {
    if (this.#stopped) return;
    const at = earliest(this.machine.deadlines)?.at ?? Number.POSITIVE_INFINITY;
    if (at === this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    if (at === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(0, Math.ceil((at - monotonicUs()) / 1000));
    this.#timer = setTimeout(() => this.#ring(), Math.min(delayMs, 2 ** 31 - 1));
  }

  #ring(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    for (;;) {
      const due = earliest(this.machine.deadlines);
      if (this.#stopped || !due || due.at > monotonicUs()) break;
      this.feed({ type: 'clock.reached', deadline: { kind: due.kind, id: due.id } });
    }
    this.#arm();
  }
}

/** Integer microseconds since this process began; never goes back. */
export function monotonicUs(): number {
  return Math.floor(performance.now() * 1000);
}
