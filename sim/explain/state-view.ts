/**
 * A machine's state as lines of `path = value`, for people, and what one step changed in it.
 *
 * A path names fields, keys of Maps and places in lists: `leading.workers.worker-1.credit`. Equal states give equal lines.
 */

/** Every value of the state by its path, in the state's own order. Empty Maps, Sets and lists have a line too. */
export function flattenState(state: unknown): Map<string, string> {
  const lines = new Map<string, string>();
  flatten(state, '', lines);
  return lines;
}

function flatten(value: unknown, path: string, lines: Map<string, string>): void {
  const entries = entriesOf(value);
  if (!entries) {
    if (value !== undefined) lines.set(path, JSON.stringify(value));
    return;
  }
  if (entries.length === 0) lines.set(path, Array.isArray(value) || value instanceof Set ? '[]' : '{}');
  for (const [key, item] of entries) flatten(item, path === '' ? key : `${path}.${key}`, lines);
}

/** What is inside, by name; undefined for a value without an inside. */
function entriesOf(value: unknown): [string, unknown][] | undefined {
  if (value === null || typeof value !== 'object') return undefined;
  if (value instanceof Map) return [...value].map(([key, item]) => [String(key), item]);
  if (value instanceof Set) return [...value].map((item, index) => [String(index), item]);
  if (ArrayBuffer.isView(value)) return Object.entries(Array.from(value as unknown as ArrayLike<number>));
  return Object.entries(value);
}

export interface StateChange {
  readonly path: string;
  /** Absent when the path is new. */
  readonly before?: string;
  /** Absent when the path is gone. */
  readonly after?: string;
}

/** What differs between two states that `flattenState` has laid out, by path. */
export function stateChanges(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): StateChange[] {
  const changes: StateChange[] = [];
  for (const [path, value] of after) {
    const former = before.get(path);
    if (former === value) continue;
    changes.push(former === undefined ? { path, after: value } : { path, before: former, after: value });
  }
  for (const [path, value] of before) if (!after.has(path)) changes.push({ path, before: value });
  return changes;
}
