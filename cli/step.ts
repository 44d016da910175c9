/**
 * `rehearse sim --step`: a scenario, step by step. It is played to its end first, which takes a moment; what is shown then is what
 * was recorded, and states are those of the machines to which the recorded events are fed again.
 */
import { createInterface } from 'node:readline';
import { lifeName } from '../core/ids.js';
import { versions } from '../runtime/versions.js';
import { flattenState, stateChanges } from '../sim/explain/state-view.js';
import { Replay } from '../sim/replay.js';
import { isOfTheWorld } from '../sim/scenario/fact-names.js';
import { factText } from '../sim/scenario/timeline.js';
import type { Scenario } from '../sim/scenario/types.js';
import { type SimulationResult, simulate } from '../sim/simulate.js';
import { type LifeTrace, TraceRecorder } from '../sim/traced.js';
import { sayCount } from './quantities.js';
import { stateText, stepText } from './step-text.js';
import type { Terminal } from './terminal.js';

const help = `Enter      the next step
N, g N     on to step N of all
e          on to the end
s          the state of the node that took the step, and what the step changed of it
q          quit`;

/** Undefined when it was left before its end. */
export async function playSteps(
  scenario: Scenario,
  seed: string,
  terminal: Terminal,
): Promise<SimulationResult | undefined> {
  const steps = new RecordedSteps(scenario, seed);
  const asks = process.stdin.isTTY === true;
  const lines = createInterface({
    input: process.stdin,
    terminal: asks,
    ...(asks ? { output: process.stderr } : {}),
  });
  const ask = (): void => {
    if (asks) lines.setPrompt(`${steps.place} > `);
    if (asks) lines.prompt();
  };
  lines.on('SIGINT', () => lines.close());
  terminal.say(`${sayCount(steps.count)} steps; h lists what can be typed`);
  ask();
  for await (const line of lines) {
    if (!obey(line.trim(), steps, terminal)) break;
    ask();
  }
  lines.close();
  return steps.isOver ? steps.result : undefined;
}

/** False when nothing is to follow. */
function obey(word: string, steps: RecordedSteps, terminal: Terminal): boolean {
  if (word === 'q' || (word === '' && steps.isOver)) return false;
  const number = /^(?:g\s*)?(\d+)$/.exec(word)?.[1];
  if (word === '') terminal.out(steps.goTo(steps.at + 1));
  else if (word === 'e') terminal.out(steps.goTo(steps.count));
  else if (number !== undefined) goOn(Number(number), steps, terminal);
  else if (word === 's' && steps.at > 0) terminal.out(steps.stateText());
  else if (word === 's') terminal.warn('no step has been taken yet');
  else terminal.warn(word === 'h' ? help : `"${word}" means nothing here\n${help}`);
  return true;
}

function goOn(number: number, steps: RecordedSteps, terminal: Terminal): void {
  if (number > steps.count) terminal.warn(`the last step is ${steps.count}`);
  else if (number <= steps.at) terminal.warn(`it only goes on, and ${steps.at} steps are taken`);
  else terminal.out(steps.goTo(number));
}

interface Place {
  readonly trace: LifeTrace;
  /** Of the life, from 1. */
  readonly index: number;
  /** What had befallen when the step was taken: what it brought about itself comes after it. */
  readonly factsBefore: number;
}

class RecordedSteps {
  readonly result: SimulationResult;
  /** Steps taken so far. */
  at = 0;
  readonly #places: Place[] = [];
  readonly #replays = new Map<LifeTrace, { replay: Replay; taken: number }>();
  #shown: { readonly at: number; readonly text: string } | undefined;

  constructor(scenario: Scenario, seed: string) {
    const recorder = new TraceRecorder(seed, versions());
    this.result = simulate(scenario, {
      seed,
      keepsFacts: true,
      observe: ({ facts }) => ({
        stepped: (step) => {
          const trace = recorder.stepped(step);
          this.#places.push({ trace, index: trace.lines.length, factsBefore: facts.length });
        },
      }),
    });
  }

  get count(): number {
    return this.#places.length;
  }

  get isOver(): boolean {
    return this.at === this.count;
  }

  get place(): string {
    return `${this.at}/${this.count}`;
  }

  /** That step, below what has befallen nodes since the one that was shown before; below the last, what came after. */
  goTo(number: number): string {
    const since = this.#places[this.at - 1]?.factsBefore ?? 0;
    this.at = number;
    const { trace, index, factsBefore } = this.#places[number - 1]!;
    const step = `${this.place}  ${lifeName(trace.header.setup.life)} ${stepText(trace.lines[index - 1]!)}`;
    const after = this.isOver ? this.#worldText(factsBefore) : '';
    return `${this.#worldText(since, factsBefore)}${step}${after}`;
  }

  #worldText(from: number, to?: number): string {
    const world = this.result.facts.slice(from, to).filter(({ name }) => isOfTheWorld(name));
    return world.map((fact) => `${' '.repeat(this.place.length)}  ${factText(fact)}\n`).join('');
  }

  /** After the step, with what it changed. */
  stateText(): string {
    if (this.#shown?.at === this.at) return this.#shown.text;
    const { trace, index } = this.#places[this.at - 1]!;
    const before = flattenState(this.#machineAfter(trace, index - 1).state);
    const after = flattenState(this.#machineAfter(trace, index).state);
    const text = stateText(after, stateChanges(before, after));
    this.#shown = { at: this.at, text };
    return text;
  }

  /** Of a life, so many of its steps; never fewer than it was asked for before. */
  #machineAfter(trace: LifeTrace, count: number) {
    let known = this.#replays.get(trace);
    if (!known) {
      known = { replay: new Replay(), taken: 0 };
      known.replay.offer(JSON.stringify(trace.header));
      this.#replays.set(trace, known);
    }
    for (; known.taken < count; known.taken++) {
      const verdict = known.replay.offer(JSON.stringify(trace.lines[known.taken]));
      if (verdict) throw new Error(`the recorded step cannot be taken again: ${JSON.stringify(verdict)}`);
    }
    return known.replay.machine!;
  }
}
