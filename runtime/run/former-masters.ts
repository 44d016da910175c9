/**
 * What the masters of former starts of a run have left in their traces: how far its journal had come. The store itself
 * cannot tell when it has come back older, and after a kill nobody is alive who could.
 */
import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { MachineEvent } from '../../core/events.js';
import type { NodeId } from '../../core/ids.js';
import type { EpochPlace } from '../../core/master/state.js';
import type { JournalEntry } from '../../core/records.js';
import type { RunLayout } from '../node/layout.js';

/** The last slot that is known to have been durable, in the last epoch; undefined when no trace tells of any. */
export async function formerPlace(
  layout: RunLayout,
  masters: readonly NodeId[],
): Promise<EpochPlace | undefined> {
  let last: EpochPlace | undefined;
  if (!existsSync(layout.trace)) return undefined;
  for (const name of readdirSync(layout.trace)) {
    if (!/\.\d+\.ndjson$/.test(name) || !masters.includes(name.split('.')[0]!)) continue;
    for await (const place of placesIn(join(layout.trace, name))) {
      if (!last || place.epoch > last.epoch || (place.epoch === last.epoch && place.slot > last.slot))
        last = place;
    }
  }
  return last;
}

/** Of every entry that this life of a master saw in the journal, once it had seen in which epoch. */
async function* placesIn(path: string): AsyncGenerator<EpochPlace> {
  let epoch: number | undefined;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (!line.includes('"journal.')) continue;
    for (const { slot, records } of entriesIn(line)) {
      for (const record of records) if (record.type === 'leader.began') epoch = record.epoch;
      if (epoch !== undefined) yield { epoch, slot };
    }
  }
}

/** A line that was cut off by a kill, or is none of a trace, tells nothing. */
function entriesIn(line: string): readonly JournalEntry[] {
  try {
    const { event } = JSON.parse(line) as { event?: MachineEvent };
    if (event?.type === 'journal.appended') return [event.entry];
    return event?.type === 'journal.entries' ? event.entries : [];
  } catch {
    return [];
  }
}
