/**
 * Does every fair run come to a goal? Fair: what waits in a class from some state on in every state, or can be done there,
 * is done some time (weak fairness). A run that never comes there ends in a state without steps, or goes round in a strongly
 * connected component without goals in which every class that waits everywhere is taken somewhere. Components after
 * Tarjan, Depth-First Search and Linear Graph Algorithms, 1972; the test on them as in Lichtenstein and Pnueli, POPL 1985.
 */
import { type Counterexample, concretePath, type ExploreOptions, type Path } from './explore.js';
import { type Graph, graphOf, ordinalsTo } from './graph.js';
import type { Model } from './model.js';

export interface Liveness {
  /** `stuck`: a run ends, or goes round for ever, without a goal. `broken`: a rule is broken before that could be told. */
  readonly verdict: 'holds' | 'stuck' | 'broken' | 'inconclusive';
  readonly distinct: number;
  readonly generated: number;
  readonly limit?: 'states' | 'memory';
  readonly lasso?: Lasso;
  readonly counterexample?: Counterexample;
}

/** A run that never comes to a goal: first the stem, then the cycle again and again. */
export interface Lasso {
  readonly stem: Path;
  /** The steps of the cycle; none when the run ends where the stem does. */
  readonly cycle: readonly string[];
}

export function checkLiveness(model: Model, options: ExploreOptions = {}): Liveness {
  const result = graphOf(model, options);
  switch (result.kind) {
    case 'limit':
      return { verdict: 'inconclusive', limit: result.limit, ...countsOf(result) };
    case 'broken': {
      const { rule, ordinals } = result;
      const counterexample = { rule, path: concretePath(model, ordinals) };
      return { verdict: 'broken', counterexample, ...countsOf(result) };
    }
    case 'graph': {
      const { graph } = result;
      const counts = countsOf(graph);
      const trap = findTrap(graph);
      if (!trap) return { verdict: 'holds', ...counts };
      return { verdict: 'stuck', lasso: lassoOf(model, graph, trap), ...counts };
    }
  }
}

function countsOf({ count, generated }: Pick<Graph, 'count' | 'generated'>) {
  return { distinct: count, generated };
}

/** The states of a component in which a fair run may stay for ever. */
type Trap = ReadonlySet<number>;

function findTrap(graph: Graph): Trap | undefined {
  let found: Trap | undefined;
  eachComponent(graph, (states) => {
    if (found || graph.goals[states[0]!] === 1) return;
    const trap = new Set(states);
    if (isTrap(graph, states, trap)) found = trap;
  });
  return found;
}

function isTrap(graph: Graph, states: readonly number[], trap: Trap): boolean {
  const { rows, targets, classes, pending } = graph;
  let [low, high] = [-1, -1];
  let steps = 0;
  let [tookLow, tookHigh] = [0, 0];
  for (const state of states) {
    low &= pending[2 * state]!;
    high &= pending[2 * state + 1]!;
    if (rows[state] === rows[state + 1]) return true; // nothing ever happens again
    for (let edge = rows[state]!; edge < rows[state + 1]!; edge++) {
      if (!trap.has(targets[edge]!)) continue;
      steps++;
      const taken = classes[edge]!;
      if (taken < 0) continue;
      if (taken < 32) tookLow |= 1 << taken;
      else tookHigh |= 1 << (taken - 32);
    }
  }
  return steps > 0 && (low & ~tookLow) === 0 && (high & ~tookHigh) === 0;
}

/** Tarjan's algorithm without recursion. */
function eachComponent({ count, rows, targets }: Graph, visit: (states: number[]) => void): void {
  const order = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const next = new Int32Array(count);
  const onStack = new Uint8Array(count);
  const stack: number[] = [];
  let visited = 0;
  for (let root = 0; root < count; root++) {
    if (order[root] !== -1) continue;
    const path = [root];
    while (path.length > 0) {
      const state = path.at(-1)!;
      if (order[state] === -1) {
        order[state] = low[state] = visited++;
        next[state] = rows[state]!;
        stack.push(state);
        onStack[state] = 1;
      }
      if (next[state]! < rows[state + 1]!) {
        const target = targets[next[state]!++]!;
        if (order[target] === -1) path.push(target);
        else if (onStack[target] === 1) low[state] = Math.min(low[state]!, order[target]!);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent !== undefined) low[parent] = Math.min(low[parent]!, low[state]!);
      if (low[state] === order[state]) visit(popComponent(stack, onStack, state));
    }
  }
}

function popComponent(stack: number[], onStack: Uint8Array, last: number): number[] {
  const states: number[] = [];
  for (;;) {
    const state = stack.pop()!;
    onStack[state] = 0;
    states.push(state);
    if (state === last) return states;
  }
}

// ---- the lasso --------------------------------------------------------------------------------------------------

interface Edge {
  readonly from: number;
  readonly ordinal: number;
  readonly to: number;
}

/** The shortest stem into the trap, and a cycle that leaves no class waiting for ever. */
function lassoOf(model: Model, graph: Graph, trap: Trap): Lasso {
  const start = Math.min(...trap);
  const stem = concretePath(model, ordinalsTo(graph.parents, graph.ordinals, start));
  const cycle: Edge[] = [];
  let at = start;
  const go = (isEnd: (edge: Edge) => boolean): void => {
    const way = wayTo(graph, trap, at, isEnd);
    cycle.push(...way);
    at = way.at(-1)?.to ?? at;
  };
  for (let fairness = 0; fairness < 64; fairness++) {
    const waits = (state: number): boolean =>
      ((graph.pending[2 * state + (fairness >> 5)]! >> (fairness & 31)) & 1) === 1;
    const isDone = (edge: Edge): boolean =>
      graph.classes[graph.rows[edge.from]! + edge.ordinal] === fairness || !waits(edge.to);
    if (waits(at) && !cycle.some(isDone)) go(isDone);
  }
  if (graph.rows[start] !== graph.rows[start + 1] && (cycle.length === 0 || at !== start))
    go(({ to }) => to === start);
  const steps = cycle.map(({ from, ordinal }) => model.describe(graph.states, from * graph.words, ordinal));
  return { stem, cycle: steps };
}

/** The shortest way within the trap whose last step is such an end; empty when there is none. */
function wayTo(graph: Graph, trap: Trap, from: number, isEnd: (edge: Edge) => boolean): Edge[] {
  const by = new Map<number, Edge | undefined>([[from, undefined]]);
  for (const state of by.keys()) {
    for (let edge = graph.rows[state]!; edge < graph.rows[state + 1]!; edge++) {
      const to = graph.targets[edge]!;
      if (!trap.has(to)) continue;
      const step = { from: state, ordinal: edge - graph.rows[state]!, to };
      if (isEnd(step)) {
        const way = [step];
        for (let before = by.get(state); before; before = by.get(before.from)) way.unshift(before);
        return way;
      }
      if (!by.has(to)) by.set(to, step);
    }
  }
  return [];
}
