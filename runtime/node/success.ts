/**
 * `_SUCCESS.json`: what the output is and where it came from. A pure function of the journal and of what it refers to,
 * so that every publisher of a job writes the same bytes.
 */
import type { OutputPublish } from '../../core/effects.js';
import { partName } from '../../jobs/output-names.js';
import { jobCountersMax } from '../transport/limits.js';
import { paramsOfTasks, type WorkOrder } from './work-order.js';

/** What the journal says of a finished job, parts in order of their partitions. */
export interface SuccessFacts extends Pick<OutputPublish, 'counters' | 'work'> {
  readonly parts: readonly { readonly digest: string; readonly bytes: number }[];
}

/** Why a job that counts so many things is not published, whoever publishes it. */
export function countersRefusal({ length }: SuccessFacts['counters']): string | undefined {
  if (length <= jobCountersMax) return undefined;
  return `its tasks count ${length} different things, and the most is ${jobCountersMax}`;
}

export function successText(effect: SuccessFacts, order: WorkOrder): string {
  const { code, files, splits, seed } = order;
  const document = {
    format: 'rehearse.success.v1',
    job: {
      name: code.name,
      kind: code.kind,
      ...(code.kind === 'bundle' ? { bundle: code.hash } : {}),
      params: paramsOfTasks(order),
      seed,
    },
    run: order.runId,
    work: effect.work,
    maps: splits.length,
    reduces: effect.parts.length,
    inputs: files.map(({ name, sizeBytes }) => ({ name, sizeBytes })),
    counters: Object.fromEntries(effect.counters),
    parts: effect.parts.map(({ digest, bytes }, partition) => ({
      name: partName(partition),
      bytes,
      sha256: digest,
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
