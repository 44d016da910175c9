/** Faults of user code that has begun to run well. What misbehaves from its start is part of the job. */
import { type AttemptId, sameAttempt, taskName } from '../../core/ids.js';
import type { CodeFault } from '../scenario/types.js';
import type { Occasion, Perform } from './occasion.js';

export const codeFaults = {
  misbehave: (occasion, { attempt, how }) =>
    occasion.world.executors.misbehave(how, (running) => isMeant(occasion, attempt, running))
      ? 'hit'
      : 'missed',
} satisfies { misbehave: Perform<CodeFault> };

function isMeant({ world, fact }: Occasion, target: CodeFault['attempt'], running: AttemptId): boolean {
  if (target.kind === 'its-attempt') return fact?.attempt !== undefined && sameAttempt(fact.attempt, running);
  const { kind, index, ordinal } = target.task;
  if (taskName(running.task, world.reader.mapsOfJob.get(running.job)!) !== `${kind}-${index}`) return false;
  return ordinal === undefined || ordinal === world.ordinalOf(running);
}
