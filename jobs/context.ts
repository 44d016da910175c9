/** What a task offers to user code: params, counters, status, keyed randomness. */
import { keyedRandom } from './random.js';
import type { Counters, TaskContext, TaskSetting } from './types.js';
import { compareUtf8, wellFormed } from './utf8.js';

const OWN_COUNTER = /^(map|reduce)\./;
const STATUS_LENGTH_MAX = 200;

/** The context of one task; what user code counts goes to `counters`. */
export function taskContext(setting: TaskSetting, counters: Map<string, number>): TaskContext {
  const { task, params, seed, onStatus } = setting;
  return {
    task,
    params,
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
      counters.set(counter, (counters.get(counter) ?? 0) + by);
    },
    status: (text) => onStatus?.(String(text).slice(0, STATUS_LENGTH_MAX)),
    random: keyedRandom(`${seed} ${task}`),
  };
}

export function sortedCounters(counters: Iterable<readonly [string, number]>): Counters {
  return [...counters].sort(([a], [b]) => compareUtf8(a, b));
}
