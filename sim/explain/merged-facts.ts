/** The facts of a merged trace: what happened, in the words of scenarios. */
import { type Fact, newFactReader, readFacts } from '../scenario/facts.js';
import type { MergedStep } from './merge.js';

export function factsOf(steps: readonly MergedStep[]): Fact[] {
  return factsByStep(steps).flat();
}

/** One list for each step. */
export function factsByStep(steps: readonly MergedStep[]): Fact[][] {
  const reader = newFactReader();
  return steps.map(({ node, atUs, line }) =>
    readFacts(reader, { node, atUs, event: line.event, effects: line.effects }),
  );
}
