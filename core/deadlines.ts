/**
 * A machine's armed deadlines: a binary heap with an index, ordered by (time, order of arming). Setting, moving and
 * clearing cost O(log n); the earliest is at hand. Plain data, so that a state can be copied and hashed.
 */

export interface Deadline {
  readonly kind: string;
  readonly id: string;
}

export interface ArmedDeadline extends Deadline {
  readonly at: number;
}

interface Slot extends ArmedDeadline {
  readonly order: number;
}

export interface Deadlines {
  heap: Slot[];
  /** Position in `heap` by `kind id`. */
  index: Map<string, number>;
  order: number;
}

export function noDeadlines(): Deadlines {
  return { heap: [], index: new Map(), order: 0 };
}

function key(kind: string, id: string): string {
  return `${kind} ${id}`;
}

function before(a: Slot, b: Slot): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Arms the deadline, or moves it when it is armed already. */
export function arm(deadlines: Deadlines, kind: string, id: string, at: number): void {
  clear(deadlines, kind, id);
  const slot: Slot = { kind, id, at, order: deadlines.order++ };
  deadlines.heap.push(slot);
  rise(deadlines, deadlines.heap.length - 1, slot);
}

/** Disarms the deadline; nothing happens when it is not armed. */
export function clear(deadlines: Deadlines, kind: string, id: string): void {
  const position = deadlines.index.get(key(kind, id));
  if (position === undefined) return;
  deadlines.index.delete(key(kind, id));
  const last = deadlines.heap.pop()!;
  if (position === deadlines.heap.length) return;
  sink(deadlines, position, last);
  rise(deadlines, deadlines.index.get(key(last.kind, last.id))!, last);
}

export function armedAt(deadlines: Deadlines, kind: string, id: string): number | undefined {
  const position = deadlines.index.get(key(kind, id));
  return position === undefined ? undefined : deadlines.heap[position]!.at;
}

export function earliest(deadlines: Deadlines): ArmedDeadline | undefined {
  return deadlines.heap[0];
}

/** All armed deadlines, in no particular order: what an explorer may fire. */
export function armed(deadlines: Deadlines): readonly ArmedDeadline[] {
  return deadlines.heap;
}

/** Disarms a deadline that has come; false when it is not armed, or not due at `now`: then the event is void. */
export function take(deadlines: Deadlines, deadline: Deadline, now: number): boolean {
  const at = armedAt(deadlines, deadline.kind, deadline.id);
  if (at === undefined || at > now) return false;
  clear(deadlines, deadline.kind, deadline.id);
  return true;
}

function rise(deadlines: Deadlines, from: number, slot: Slot): void {
  const { heap, index } = deadlines;
  let position = from;
  while (position > 0) {
    const parent = (position - 1) >> 1;
    const other = heap[parent]!;
    if (!before(slot, other)) break;
    heap[position] = other;
    index.set(key(other.kind, other.id), position);
    position = parent;
  }
  heap[position] = slot;
  index.set(key(slot.kind, slot.id), position);
}

function sink(deadlines: Deadlines, from: number, slot: Slot): void {
  const { heap, index } = deadlines;
  let position = from;
  for (;;) {
    let child = 2 * position + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    const other = heap[child]!;
    if (!before(other, slot)) break;
    heap[position] = other;
    index.set(key(other.kind, other.id), position);
    position = child;
  }
  heap[position] = slot;
  index.set(key(slot.kind, slot.id), position);
}
