/** The messages that a picture shows: assignments and reports, and every one that was refused, with the word why. */
import { attemptKey } from '../../../core/ids.js';
import { type LifeStep, stepName } from '../../explain/merge.js';
import type { Fact } from '../../scenario/facts.js';
import type { Arrow } from '../arrows.js';
import type { RunView } from '../run-view.js';

export interface Told {
  readonly kind: 'assignment' | 'report' | 'order';
  /** The attempt at one end; absent for what no attempt began or ended with. */
  readonly attempt?: string;
  readonly from: LifeStep | undefined;
  readonly to: LifeStep | undefined;
  /** Why it changed nothing, or what was uncommon about it. */
  readonly word?: string;
}

export function messagesOf(run: RunView): Told[] {
  const words = wordsOf(run);
  const told: Told[] = run.arrows.map((arrow) => {
    const { kind, attempt, step } = arrow;
    const ends = kind === 'assignment' ? { from: step, to: undefined } : { from: undefined, to: step };
    const word = words.get(arrow);
    return { kind, attempt, ...ends, ...(word === undefined ? {} : { word }) };
  });
  for (const [position, { node, incarnation, line, cause }] of run.steps.entries()) {
    if (!cause || !run.facts[position]!.some(({ name }) => name === 'order-refused')) continue;
    told.push({
      kind: 'order',
      from: cause,
      to: { node, incarnation, index: line.i },
      word: 'order refused',
    });
  }
  return told;
}

/** A verdict is of the last report that was heard before it. */
function wordsOf(run: RunView): Map<Arrow, string> {
  const heard = new Map<string, Arrow[]>();
  for (const arrow of run.arrows) {
    const name = stepName(arrow.step);
    if (arrow.kind === 'report') heard.set(name, [...(heard.get(name) ?? []), arrow]);
  }
  const last = new Map<string, Arrow>();
  const words = new Map<Arrow, string>();
  for (const [position, { node, incarnation, line }] of run.steps.entries()) {
    for (const arrow of heard.get(stepName({ node, incarnation, index: line.i })) ?? [])
      last.set(arrow.attempt, arrow);
    for (const fact of run.facts[position]!) {
      const word = wordOf(fact);
      const arrow = word !== undefined && fact.attempt && last.get(attemptKey(fact.attempt));
      if (arrow) words.set(arrow, word);
    }
  }
  return words;
}

function wordOf({ name, detail }: Fact): string | undefined {
  switch (name) {
    case 'late-report-refused':
      return `refused: ${detail?.verdict}`;
    case 'late-report-accepted':
      return 'late, accepted';
    case 'duplicate-report':
      return 'said again';
    default:
      return undefined;
  }
}
