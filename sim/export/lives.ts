/** When each life of a node was heard of, and when nothing was: a process that is paused, dead or gone writes no step. */
import { lifeName, type NodeLife } from '../../core/ids.js';
import type { MergedStep, NodeTrace } from '../explain/merge.js';
import type { Span } from './lanes.js';

export interface LifeSpan extends Span, NodeLife {}

/** `down`: between two lives; `silent`: within one; `gone`: nothing more, though the run went on. */
export interface Silence extends Span {
  readonly node: string;
  readonly kind: 'down' | 'silent' | 'gone';
}

/** A node that is well takes a step with every beat at least; this many without one are worth a mark. */
const beatsMissed = 4;

/** In the order in which they began. */
export function livesOf(steps: readonly MergedStep[]): LifeSpan[] {
  const lives = new Map<string, LifeSpan>();
  for (const { node, incarnation, atUs } of steps) {
    const name = lifeName({ node, incarnation });
    const startUs = lives.get(name)?.startUs ?? atUs;
    lives.set(name, { node, incarnation, startUs, endUs: Math.max(atUs, lives.get(name)?.endUs ?? 0) });
  }
  return [...lives.values()];
}

/** Of masters and workers: a client has nothing to say while it waits. */
export function silencesOf(traces: readonly NodeTrace[], steps: readonly MergedStep[]): Silence[] {
  const limitUs = (traces[0]?.header.setup.config.beatUs ?? 0) * beatsMissed;
  const endUs = steps.reduce((end, { atUs }) => Math.max(end, atUs), 0);
  const last = new Map<string, MergedStep>();
  const silences: Silence[] = [];
  for (const step of steps) {
    const { node, incarnation, atUs } = step;
    const before = last.get(node);
    // A former life that had only been paused, or that was moved in time, interrupts nothing.
    if (before && before.incarnation > incarnation) continue;
    last.set(node, step);
    if (!before || node.startsWith('client-')) continue;
    const kind = before.incarnation === incarnation ? 'silent' : 'down';
    if (kind === 'down' ? atUs > before.atUs : atUs - before.atUs > limitUs)
      silences.push({ node, kind, startUs: before.atUs, endUs: atUs });
  }
  for (const { node, atUs } of last.values()) {
    if (!node.startsWith('client-') && endUs - atUs > limitUs)
      silences.push({ node, kind: 'gone', startUs: atUs, endUs });
  }
  return silences;
}
