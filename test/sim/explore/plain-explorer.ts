/**
 * A plain explorer of the yardstick, written straight from the TLA+ module with objects and JSON keys: what the packed one
 * is held against, for its counts and its speed.
 */
import type { YardstickSize } from '../../../sim/explore/yardstick.js';

interface PlainMessage {
  readonly kind: 'do' | 'done';
  readonly task: number;
  readonly worker: number;
  readonly attempt: number;
}

interface PlainState {
  readonly tasks: readonly PlainTask[];
  /** In the order of their keys: a set. */
  readonly net: readonly PlainMessage[];
  readonly up: readonly boolean[];
  readonly crashes: number;
}

interface PlainTask {
  readonly state: 'idle' | 'run' | 'ok';
  readonly attempts: number;
  readonly owner: number | null;
  readonly commits: number;
}

export interface PlainCounts {
  readonly generated: number;
  readonly distinct: number;
  readonly terminal: number;
  /** States in which a task is committed twice. */
  readonly broken: number;
}

export function explorePlainly(size: YardstickSize): PlainCounts {
  const initial: PlainState = {
    tasks: Array.from({ length: size.tasks }, () => ({
      state: 'idle',
      attempts: 0,
      owner: null,
      commits: 0,
    })),
    net: [],
    up: Array.from({ length: size.workers }, () => true),
    crashes: 0,
  };
  const seen = new Set([JSON.stringify(initial)]);
  const queue = [initial];
  let [generated, terminal, broken] = [1, 0, 0];
  for (const state of queue) {
    if (state.tasks.some((task) => task.commits > 1)) broken++;
    const next = successors(size, state);
    generated += next.length;
    if (next.length === 0) terminal++;
    for (const one of next) {
      const key = JSON.stringify(one);
      if (seen.has(key)) continue;
      seen.add(key);
      queue.push(one);
    }
  }
  return { generated, distinct: seen.size, terminal, broken };
}

function successors(size: YardstickSize, state: PlainState): PlainState[] {
  return [...masterSteps(size, state), ...messageSteps(size, state), ...workerSteps(size, state)];
}

function withTask(state: PlainState, index: number, change: Partial<PlainTask>): PlainState {
  return { ...state, tasks: state.tasks.map((task, at) => (at === index ? { ...task, ...change } : task)) };
}

function inOrder(net: readonly PlainMessage[]): PlainMessage[] {
  const byKey = new Map(net.map((message) => [JSON.stringify(message), message]));
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, message]) => message);
}

function masterSteps(size: YardstickSize, state: PlainState): PlainState[] {
  const steps: PlainState[] = [];
  for (const [index, task] of state.tasks.entries()) {
    if (task.state === 'run' && task.attempts < size.attempts) {
      steps.push(withTask(state, index, { state: 'idle', owner: null }));
    }
    if (task.state !== 'idle' || task.attempts >= size.attempts) continue;
    for (const [worker, up] of state.up.entries()) {
      if (!up || state.tasks.some((one) => one.state === 'run' && one.owner === worker)) continue;
      const attempt = task.attempts + 1;
      const order: PlainMessage = { kind: 'do', task: index, worker, attempt };
      const assigned = withTask(state, index, { state: 'run', owner: worker, attempts: attempt });
      steps.push({ ...assigned, net: inOrder([...state.net, order]) });
    }
  }
  return steps;
}

function messageSteps(size: YardstickSize, state: PlainState): PlainState[] {
  return state.net.flatMap((message) => {
    const rest = state.net.filter((one) => one !== message);
    if (message.kind === 'do') {
      if (!state.up[message.worker]) return [];
      return [{ ...state, net: inOrder([...rest, { ...message, kind: 'done' }]) }];
    }
    const task = state.tasks[message.task]!;
    const counts = task.state === 'run' && task.attempts === message.attempt;
    const heard = { ...state, net: rest };
    if (!counts && !size.acceptsLate) return [heard];
    return [withTask(heard, message.task, { state: 'ok', commits: task.commits + 1 })];
  });
}

function workerSteps(size: YardstickSize, state: PlainState): PlainState[] {
  return state.up.flatMap((isUp, worker): PlainState[] => {
    const up = state.up.map((one, at) => (at === worker ? !one : one));
    if (!isUp) return [{ ...state, up }];
    if (state.crashes >= size.crashes) return [];
    const net = state.net.filter((message) => message.kind !== 'do' || message.worker !== worker);
    return [{ ...state, up, net, crashes: state.crashes + 1 }];
  });
}
