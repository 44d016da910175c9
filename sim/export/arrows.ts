/** The messages that begin and end attempts: from the master's assignment to the run, and from the run to the report's hearer. */
import { type AttemptId, attemptKey } from '../../core/ids.js';
import type { Message } from '../../core/messages.js';
import type { LifeStep, MergedStep } from '../explain/merge.js';
import type { AttemptSpan } from './attempt-spans.js';

export interface Arrow {
  readonly attempt: string;
  readonly kind: 'assignment' | 'report';
  /** The master's step: it sent the assignment, or received the report. */
  readonly step: LifeStep;
}

/** Only those of attempts whose begin, or end, is recorded: an arrow has two ends. */
export function arrowsOf(
  steps: readonly MergedStep[],
  spans: ReadonlyMap<string, AttemptSpan>,
): readonly Arrow[] {
  const arrows: Arrow[] = [];
  const assigned = new Set<string>();
  for (const { node, incarnation, cause, line } of steps) {
    if (!cause || line.event.type !== 'message.received') continue;
    const { message } = line.event;
    if (message.type === 'attempt.assign') {
      const key = attemptKey(message.attempt);
      if (!spans.get(key)?.life || assigned.has(key)) continue;
      assigned.add(key);
      arrows.push({ attempt: key, kind: 'assignment', step: cause });
    }
    const step = { node, incarnation, index: line.i };
    for (const key of reportedIn(message).map(attemptKey)) {
      if (spans.get(key)?.isEnded) arrows.push({ attempt: key, kind: 'report', step });
    }
  }
  return arrows;
}

/** The attempts whose end a message tells. */
function reportedIn(message: Message): AttemptId[] {
  switch (message.type) {
    case 'attempt.completed':
    case 'attempt.ended':
    case 'input.unreadable':
      return [message.attempt];
    case 'worker.hello':
      return [...message.finished, ...message.starved, ...message.broken].map(({ attempt }) => attempt);
    default:
      return [];
  }
}
