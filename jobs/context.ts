/** What a task offers to user code: params, counters, status, keyed randomness, the signal. */
import { keyedRandom } from './random.js';
import type { Counters, ParamValues, TaskContext, TaskSetting, TaskSignal } from './types.js';
import { compareUtf8, wellFormed } from './utf8.js';

const OWN_COUNTER = /^(map|reduce)\./;
const STATUS_LENGTH_MAX = 200;
/** What a task counts travels in one message, beside that of other tasks: names are for kinds of things, not for keys. */
const COUNTERS_MAX = 250;
const COUNTER_LENGTH_MAX = 200;

const NEVER_ABORTED = {
  aborted: false,
  throwIfAborted() {},
  addEventListener() {},
  removeEventListener() {},
} as TaskSignal;

/** The context of one task; what user code counts goes to `counters`. Its signal is made when it is asked for. */
export function taskContext(setting: TaskSetting, counters: Map<string, number>): TaskContext<ParamValues> {
  const { task, params, seed, onStatus } = setting;
  return {
    task,
    params,
    get signal() {
      return setting.signal?.() ?? NEVER_ABORTED;
    },
    count(name, by = 1) {
      if (typeof name !== 'string' || name === '' || OWN_COUNTER.test(name)) {
        throw new TypeError(
          `ctx.count: ${JSON.stringify(name)} cannot name a counter: names are not empty and do not begin with "map." or "reduce."`,
        );
      }
      if (!Number.isSafeInteger(by)) {
        throw new TypeError(
          `ctx.count: counter ${JSON.stringify(name)} cannot grow by ${String(by)}: not a safe integer`,
        );
      }
      const counter = wellFormed(name);
      const before = counters.get(counter);
      if (before === undefined) expectRoom(counter, counters.size);
      counters.set(counter, (before ?? 0) + by);
    },
    status: (text) => onStatus?.(String(text).slice(0, STATUS_LENGTH_MAX)),
    random: keyedRandom(`${seed} ${task}`),
  };
}

/** Throws TypeError when there is no room for one more counter of this name. */
function expectRoom(name: string, others: number): void {
  const shown = JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
  if (name.length > COUNTER_LENGTH_MAX || name.includes('\0')) {
    throw new TypeError(
      `ctx.count: ${shown} cannot name a counter: names have at most ${COUNTER_LENGTH_MAX} characters, and no NUL`,
    );
  }
  if (others < COUNTERS_MAX) return;
  throw new TypeError(
    `ctx.count: counter ${shown} is one too many: a task has at most ${COUNTERS_MAX} (for counts by key, emit the key)`,
  );
}

export function sortedCounters(counters: Iterable<readonly [string, number]>): Counters {
  return [...counters].sort(([a], [b]) => compareUtf8(a, b));
}
