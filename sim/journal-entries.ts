/** The entries of the journal that a machine was told, by the answer to an append or to a read. */
import type { MachineEvent } from '../core/events.js';
import type { JournalEntry } from '../core/records.js';

export function entriesOf(event: MachineEvent): readonly JournalEntry[] {
  switch (event.type) {
    case 'journal.entries':
      return event.entries;
    case 'journal.appended':
    case 'journal.taken':
      return event.entry ? [event.entry] : [];
    default:
      return [];
  }
}
