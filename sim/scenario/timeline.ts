/** A run as people read it: one line per notable fact. */
import { clockText, momentText } from './duration.js';
import type { FactName } from './fact-names.js';
import { attemptText, type Fact } from './facts.js';

/** Said better by another fact of the same step, or of no interest beside it. */
const quiet: ReadonlySet<FactName> = new Set([
  'attempt-assigned',
  'attempt-failed',
  'task-committed',
  'task-invalidated',
  'finished',
  'point-reached',
  'intent-dropped',
]);

export function isNotable(fact: Fact): boolean {
  return !quiet.has(fact.name);
}

/** `worker-1 started map-0@1`; without the time, so that golden files show decisions and not latencies. */
export function factText(fact: Fact): string {
  const { name, node, about, detail } = fact;
  const words = [node.padEnd(9), name.padEnd(20)];
  if (fact.ofJob !== undefined) words.push(`job-${fact.ofJob}`);
  if (fact.attempt) words.push(attemptText(fact));
  else if (fact.job !== undefined && fact.ofJob === undefined) words.push(`job-${fact.job}`);
  if (about !== undefined) words.push(`(${about})`);
  if (fact.epoch !== undefined) words.push(`epoch ${fact.epoch}`);
  const details = Object.entries(detail ?? {}).filter(([key]) => !key.endsWith('Us') && key !== 'task');
  if (details.length > 0) words.push(details.map(([key, value]) => `${key}=${value}`).join(' '));
  return words.join(' ').trimEnd();
}

/** With the time in front: since the start, or of the day for a story that begins at one. */
export function timeline(facts: readonly Fact[], startsUs?: number): string[] {
  const timeText = (us: number): string =>
    startsUs === undefined ? momentText(us) : clockText(startsUs + us);
  return facts.filter(isNotable).map((fact) => `${timeText(fact.atUs).padStart(12)}  ${factText(fact)}`);
}
