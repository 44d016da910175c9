/**
 * What workers know of jobs' map outputs. All of them hear the same list, each up to a place of its own: it is kept once,
 * and a worker keeps how far it has heard. So 2,000 workers that know 200,000 outputs cost one list.
 */
import type { TaskIndex } from '../core/ids.js';
import type { OutputChange } from '../core/messages.js';

/** The changes that one leader tells, in order; and for each the place of the one before it of the same map, or -1. */
interface ChangeList {
  readonly changes: OutputChange[];
  readonly before: number[];
  /** By map, the place of its last change. */
  readonly last: number[];
  /** By place, a piece that was found to begin there: most who hear it hear the very same. */
  readonly found: Map<number, readonly OutputChange[]>;
}

/** The lists of one job: one for each leader that has told any. */
export class OutputLists {
  readonly #lists: ChangeList[] = [];

  /** What somebody knows who now hears the first piece. */
  begin(changes: readonly OutputChange[]): LearnedOutputs {
    return new LearnedOutputs(this.#listWith(0, changes, undefined)).heard(changes.length);
  }

  /** What somebody knows who hears the next piece. */
  extend({ list, length }: LearnedOutputs, changes: readonly OutputChange[]): LearnedOutputs {
    return new LearnedOutputs(this.#listWith(length, changes, list), length).heard(changes.length);
  }

  /** The list that goes on like this from there: a known one, made longer if need be, or a new one. */
  #listWith(from: number, changes: readonly OutputChange[], known: ChangeList | undefined): ChangeList {
    for (const list of known ? [known] : this.#lists) {
      if (list.found.get(from) === changes) return list;
      if (!agrees(list, from, changes)) continue;
      for (let place = list.changes.length - from; place < changes.length; place++)
        append(list, changes[place]!);
      list.found.set(from, changes);
      return list;
    }
    const list: ChangeList = { changes: [], before: [], last: [], found: new Map() };
    for (let place = 0; place < from; place++) append(list, known!.changes[place]!);
    for (const change of changes) append(list, change);
    this.#lists.push(list);
    return list;
  }
}

/** One worker's knowledge of one job's map outputs. Never changes. */
export class LearnedOutputs {
  readonly list: ChangeList;
  readonly length: number;

  constructor(list: ChangeList, length = 0) {
    this.list = list;
    this.length = length;
  }

  heard(more: number): LearnedOutputs {
    return new LearnedOutputs(this.list, this.length + more);
  }

  /** Where the map's output lies, as far as this worker has heard; undefined when nowhere. */
  of(map: TaskIndex): OutputChange | undefined {
    const { changes, before, last } = this.list;
    let place = last[map] ?? -1;
    while (place >= this.length) place = before[place]!;
    const change = place < 0 ? undefined : changes[place];
    return change?.holder === undefined ? undefined : change;
  }

  /** The maps that changes from this place on are about, lowest first; from the beginning on, perhaps others as well. */
  since(place: number): Iterable<TaskIndex> {
    if (place === 0) return this.list.last.keys();
    const maps = new Set<TaskIndex>();
    for (let next = place; next < this.length; next++) maps.add(this.list.changes[next]!.attempt.task);
    return [...maps].sort((a, b) => a - b);
  }
}

function agrees({ changes: known }: ChangeList, from: number, changes: readonly OutputChange[]): boolean {
  if (from === 0 && known.length > 0 && changes.length > 0 && known[0] !== changes[0]) return false;
  const common = Math.min(changes.length, known.length - from);
  for (let place = 0; place < common; place++) if (known[from + place] !== changes[place]) return false;
  return true;
}

function append({ changes, before, last }: ChangeList, change: OutputChange): void {
  const { task } = change.attempt;
  before.push(last[task] ?? -1);
  last[task] = changes.length;
  changes.push(change);
}
