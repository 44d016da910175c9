/**
 * Garbage of which the engine does not know yet that it is some. A run that was spilled lies among the old objects, where the
 * engine would look next when these have grown by half; until then the next run grows beside it.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collecting takes some milliseconds: what is less may wait. */
const WORTH_FROM_BYTES = 8 * 1024 * 1024;
/** Collecting means looking at all that lives: of who keeps so many times the budget, that takes longer than it gains. */
const BUDGETS_MAX = 4;

let collect: (() => void) | undefined;
let isAsked = false;

/** To be called with what has become garbage still on the stack: it is collected in the next turn of the event loop, once. */
export function collectSoon(budgetBytes: number): void {
  if (isAsked || budgetBytes < WORTH_FROM_BYTES) return;
  isAsked = true;
  setImmediate(() => {
    isAsked = false;
    if (getHeapStatistics().used_heap_size > BUDGETS_MAX * budgetBytes) return;
    collect ??= collectorOfEngine();
    collect?.();
  });
}

/**
 * The flag is there for the moment in which the function is made, since V8 refuses compiled code of other flags. It is one for
 * all threads: when another one takes it away in this moment there is no function, and whoever spills next tries again.
 */
function collectorOfEngine(): (() => void) | undefined {
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('globalThis.gc') as (() => void) | undefined;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
