/**
 * User code may be asynchronous, and most is not. A promise per line would cost more than the work, so the machinery
 * stays synchronous until a call really returns a promise. This is the one place that knows how.
 */

export type MaybePromise<T> = T | Promise<T>;

export function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

/** `next(result)`, at once if the result is there. */
export function after<T, U>(result: MaybePromise<T>, next: (result: T) => MaybePromise<U>): MaybePromise<U> {
  return isPromise(result) ? (result as Promise<T>).then(next) : next(result as T);
}

/** Visits all items in order, each visit ended before the next begins. Closes the iterator if a visit fails. */
export function forEach<T>(
  items: Iterable<T> | AsyncIterable<T>,
  visit: (item: T) => MaybePromise<void>,
): MaybePromise<void> {
  if (Symbol.asyncIterator in items) return forEachAsync(items, visit);
  const iterator = items[Symbol.iterator]();
  const rest: Iterable<T> = { [Symbol.iterator]: () => iterator };
  for (;;) {
    const { done, value } = iterator.next();
    if (done) return;
    let visited: MaybePromise<void>;
    try {
      visited = visit(value);
    } catch (error) {
      iterator.return?.();
      throw error;
    }
    if (isPromise(visited)) return continueAsync(visited, iterator, rest, visit);
  }
}

async function continueAsync<T>(
  first: Promise<void>,
  iterator: Iterator<T>,
  rest: Iterable<T>,
  visit: (item: T) => MaybePromise<void>,
): Promise<void> {
  try {
    await first;
  } catch (error) {
    iterator.return?.();
    throw error;
  }
  for (const item of rest) await visit(item);
}

async function forEachAsync<T>(
  items: AsyncIterable<T>,
  visit: (item: T) => MaybePromise<void>,
): Promise<void> {
  for await (const item of items) {
    const visited = visit(item);
    if (isPromise(visited)) await visited;
  }
}
