/**
 * The yardstick of a simulator's speed: nothing but a queue. A binary heap in typed arrays, ordered by (time, order),
 * that holds 1,000 events; one operation takes the earliest and adds another one later.
 */
const pending = 1000;

class TypedHeap {
  #times = new Float64Array(pending + 1);
  #orders = new Int32Array(pending + 1);
  #size = 0;

  push(time, order) {
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#times[parent] <= time) break;
      this.#times[at] = this.#times[parent];
      this.#orders[at] = this.#orders[parent];
      at = parent;
    }
    this.#times[at] = time;
    this.#orders[at] = order;
  }

  /** The earliest time. */
  pop() {
    const earliest = this.#times[0];
    const last = --this.#size;
    const time = this.#times[last];
    const order = this.#orders[last];
    let at = 0;
    for (let child = 1; child < last; child = 2 * at + 1) {
      if (child + 1 < last && this.#isBefore(child + 1, this.#times[child], this.#orders[child])) child++;
      if (!this.#isBefore(child, time, order)) break;
      this.#times[at] = this.#times[child];
      this.#orders[at] = this.#orders[child];
      at = child;
    }
    this.#times[at] = time;
    this.#orders[at] = order;
    return earliest;
  }

  #isBefore(at, time, order) {
    const other = this.#times[at];
    return other < time || (other === time && this.#orders[at] < order);
  }
}

/** The sum of the times taken, so that nothing of it can be left out. */
export function turnOver(events) {
  const heap = new TypedHeap();
  let bits = 1;
  const delay = () => {
    bits = (Math.imul(bits, 1_103_515_245) + 12_345) & 0x7fffffff;
    return bits % 1_000_000;
  };
  let order = 0;
  while (order < pending) heap.push(delay(), order++);
  let sum = 0;
  for (let done = 0; done < events; done++) {
    const now = heap.pop();
    sum += now;
    heap.push(now + delay(), order++ | 0);
  }
  return sum;
}
