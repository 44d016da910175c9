/** A binary min-heap of small integers, as a plain array: task indexes that wait, lowest first. Push and pop O(log n). */

export type IntHeap = number[];

export function pushInt(heap: IntHeap, value: number): void {
  let position = heap.length;
  heap.push(value);
  while (position > 0) {
    const parent = (position - 1) >> 1;
    const other = heap[parent]!;
    if (other <= value) break;
    heap[position] = other;
    position = parent;
  }
  heap[position] = value;
}

/** Takes the smallest, or undefined from an empty heap. */
export function popInt(heap: IntHeap): number | undefined {
  const smallest = heap[0];
  const value = heap.pop();
  if (smallest === undefined || value === undefined || heap.length === 0) return smallest;
  let position = 0;
  for (;;) {
    let child = 2 * position + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
    const other = heap[child]!;
    if (value <= other) break;
    heap[position] = other;
    position = child;
  }
  heap[position] = value;
  return smallest;
}
