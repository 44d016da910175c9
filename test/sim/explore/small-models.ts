/** Models as tables: each state with its steps, written out. */
import { type Model, unfair } from '../../../sim/explore/model.js';

export interface TableStep {
  readonly to: number;
  readonly fairness?: number;
  readonly name?: string;
}

export interface TableModel {
  /** Steps by state; 0 is the initial one. */
  readonly steps: readonly (readonly TableStep[])[];
  readonly goals?: readonly number[];
  readonly broken?: readonly number[];
  /** Classes that wait in a state though they have no step there. */
  readonly awaits?: Readonly<Record<number, readonly number[]>>;
}

export function tableModel({ steps, goals = [], broken = [], awaits = {} }: TableModel): Model {
  return {
    words: 1,
    initial: (out) => {
      out.data[out.push()] = 0;
    },
    expand: (states, offset, out) => {
      const state = states[offset]!;
      for (const { to, fairness = unfair } of steps[state]!) {
        const at = out.push(fairness);
        out.data[at] = to;
      }
      for (const fairness of awaits[state] ?? []) out.await(fairness);
    },
    goal: (states, offset) => goals.includes(states[offset]!),
    broken: (states, offset) => (broken.includes(states[offset]!) ? `state ${states[offset]}` : undefined),
    describe: (states, offset, ordinal) => {
      const { to, name } = steps[states[offset]!]![ordinal]!;
      return name ?? `${states[offset]} to ${to}`;
    },
  };
}
