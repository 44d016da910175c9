/**
 * A machine's armed deadlines: a binary heap with an index, ordered by (time, order of arming). Setting, moving and
 * clearing cost O(log n) and make no keys; the earliest is at hand. Plain data, so that a state can be copied and hashed.
 */

export interface Deadline {
  readonly kind: string;
  readonly id: string;
}

export interface ArmedDeadline extends Deadline {
  readonly at: number;
}

interface Slot extends Deadline {
  at: number;
  order: number;
  /** Where it stands in `heap`; -1 when it is not armed. */
  position: number;
}

export interface Deadlines {
  readonly heap: Slot[];
  /** The same slots by kind, then by id. Those without an id stay when they are cleared: most are armed again at once. */
  readonly index: Map<string, Map<string, Slot>>;
  order: number;
}

export function noDeadlines(): Deadlines {
  return { heap: [], index: new Map(), order: 0 };
}

/** Arms the deadline, or moves it when it is armed already; of two for the same time, the one armed earlier comes first. */
export function arm(deadlines: Deadlines, kind: string, id: string, at: number): void {
  const order = deadlines.order++;
  const { heap, index } = deadlines;
  let ofKind = index.get(kind);
  if (!ofKind) index.set(kind, (ofKind = new Map()));
  let slot = ofKind.get(id);
  if (!slot) ofKind.set(id, (slot = { kind, id, at, order, position: -1 }));
  const rises = slot.position < 0 || at < slot.at;
  slot.at = at;
  slot.order = order;
  if (slot.position < 0) slot.position = heap.push(slot) - 1;
  if (rises) rise(heap, slot.position, slot);
  else sink(heap, slot.position, slot);
}

/** Disarms the deadline; nothing happens when it is not armed. */
export function clear(deadlines: Deadlines, kind: string, id: string): void {
  const slot = find(deadlines, kind, id);
  if (slot) remove(deadlines, slot);
}

export function armedAt(deadlines: Deadlines, kind: string, id: string): number | undefined {
  return find(deadlines, kind, id)?.at;
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
  const slot = find(deadlines, deadline.kind, deadline.id);
  if (!slot || slot.at > now) return false;
  remove(deadlines, slot);
  return true;
}

function find(deadlines: Deadlines, kind: string, id: string): Slot | undefined {
  const slot = deadlines.index.get(kind)?.get(id);
  return slot && slot.position >= 0 ? slot : undefined;
}

function remove({ heap, index }: Deadlines, slot: Slot): void {
  const { position } = slot;
  const last = heap.pop()!;
  if (last !== slot) {
    if (before(last, slot)) rise(heap, position, last);
    else sink(heap, position, last);
  }
  if (slot.id !== '') index.get(slot.kind)!.delete(slot.id);
  slot.position = -1;
  slot.at = 0;
  slot.order = 0;
}

function before(a: Slot, b: Slot): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function rise(heap: Slot[], from: number, slot: Slot): void {
  let position = from;
  while (position > 0) {
    const parent = (position - 1) >> 1;
    const other = heap[parent]!;
    if (!before(slot, other)) break;
    place(heap, position, other);
    position = parent;
  }
  place(heap, position, slot);
}

function sink(heap: Slot[], from: number, slot: Slot): void {
  let position = from;
  for (;;) {
    let child = 2 * position + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    const other = heap[child]!;
    if (!before(other, slot)) break;
    place(heap, position, other);
    position = child;
  }
  place(heap, position, slot);
}

function place(heap: Slot[], position: number, slot: Slot): void {
  heap[position] = slot;
  slot.position = position;
}
