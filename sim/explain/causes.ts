/**
 * The causal chain of one step: the step from which its message came, and so on, back to where nothing of the trace
 * caused it: a clock, a store, user code, or the beginning.
 */
import type { Effect } from '../../core/effects.js';
import type { MachineEvent } from '../../core/events.js';
import { type NodeId, sameLife } from '../../core/ids.js';
import type { MergedStep } from './merge.js';

/** The chain ends with the step that was asked for; undefined when the traces lack it. */
export function causesOf(
  steps: readonly MergedStep[],
  node: NodeId,
  index: number,
  incarnation?: number,
): MergedStep[] | undefined {
  const chain: MergedStep[] = [];
  let position = steps.findLastIndex(
    (step) =>
      step.node === node &&
      step.line.i === index &&
      (incarnation === undefined || step.incarnation === incarnation),
  );
  if (position < 0) return undefined;
  while (position >= 0) {
    const step = steps[position]!;
    chain.push(step);
    const { cause } = step;
    if (!cause) break;
    position = steps.findLastIndex(
      (other, at) => at < position && sameLife(other, cause) && other.line.i === cause.index,
    );
  }
  return chain.reverse();
}

/** `message.received attempt.completed from worker-1`. */
export function eventText(event: MachineEvent): string {
  switch (event.type) {
    case 'message.received':
      return `received ${event.message.type} from ${event.from}`;
    case 'clock.reached':
      return `the deadline ${[event.deadline.kind, event.deadline.id].filter((part) => part !== '').join(' of ')} was reached`;
    default:
      return event.type;
  }
}

/** What a step did, one text per effect. */
export function effectTexts(effects: readonly Effect[]): string[] {
  return effects.map((effect) => {
    if (effect.type === 'message.send') return `sends ${effect.message.type} to ${effect.to}`;
    if (effect.type !== 'decide') return effect.type;
    const facts = Object.entries(effect.facts ?? {}).map(([name, value]) => `${name}=${value}`);
    return ['decides', effect.decision, effect.node ?? '', ...facts].filter((part) => part !== '').join(' ');
  });
}
