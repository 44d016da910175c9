/**
 * Which faults begin and end, given the facts as they come. Knows no driver: it says what to do to whom, once; the
 * driver does it in virtual time or with signals, and runs the clock for `at` and `for`.
 */
import type { Fact } from './facts.js';
import type {
  EndTarget,
  FactPattern,
  Fault,
  FaultAction,
  NodeTarget,
  Scenario,
  TaskPattern,
} from './types.js';

export interface FiredFault {
  readonly fault: Fault;
  readonly phase: 'begin' | 'end';
  /** What set it off; absent when the clock did. */
  readonly fact?: Fact;
}

export interface Triggers {
  /** Waiting for the fact after which their trigger counts. */
  readonly dormant: Set<Fault>;
  /** Waiting for their fact. */
  readonly waiting: Set<Fault>;
  /** Begun, and waiting for the fact that ends them. */
  readonly lasting: Set<Fault>;
  /** Who leads, as far as the facts say. */
  leader: string | undefined;
}

export function newTriggers(scenario: Scenario): Triggers {
  const triggered = scenario.faults.filter((fault) => fault.trigger.kind !== 'at');
  return {
    dormant: new Set(triggered.filter((fault) => fault.after)),
    waiting: new Set(triggered.filter((fault) => !fault.after)),
    lasting: new Set(),
    leader: undefined,
  };
}

export interface TimedFault {
  readonly fault: Fault;
  readonly atUs: number;
}

/** Faults that the clock begins; the driver calls `began` when it has. */
export function timedFaults(scenario: Scenario): TimedFault[] {
  return scenario.faults.flatMap((fault) =>
    fault.trigger.kind === 'at' ? [{ fault, atUs: fault.trigger.atUs }] : [],
  );
}

/** Whether something of the scenario depends on facts: what sets a fault off, whom it means, what is expected. */
export function waitsForFacts({ faults, expect }: Scenario): boolean {
  const { commits, attempts, exercised, not } = expect;
  if (commits.length + attempts.length + exercised.length + not.length > 0) return true;
  return faults.some(
    ({ trigger, after, until, action }) =>
      trigger.kind !== 'at' || after !== undefined || until !== undefined || !isBlind(action),
  );
}

/** It knows by itself whom it means. */
function isBlind(action: FaultAction): boolean {
  if ('files' in action || 'attempt' in action) return false;
  return endsOf(action).every(({ kind }) => kind === 'node' || kind === 'all');
}

function endsOf(action: FaultAction): readonly EndTarget[] {
  if ('target' in action) return [action.target];
  if ('link' in action) return [action.link.from, action.link.to];
  return 'masters' in action ? [action.masters] : [];
}

const noneFired: readonly FiredFault[] = [];

/** Takes one fact and says what it sets off, ends before beginnings, each in the order of the file. */
export function observe(triggers: Triggers, fact: Fact): readonly FiredFault[] {
  if (fact.name === 'leader-began') triggers.leader = fact.node;
  if (triggers.lasting.size + triggers.waiting.size + triggers.dormant.size === 0) return noneFired;
  const fired: FiredFault[] = [];
  for (const fault of triggers.lasting) {
    if (!fault.until || !matches(fault.until, fact)) continue;
    triggers.lasting.delete(fault);
    fired.push({ fault, phase: 'end', fact });
  }
  for (const fault of triggers.waiting) {
    if (!sets(triggers, fault, fact)) continue;
    triggers.waiting.delete(fault);
    began(triggers, fault);
    fired.push({ fault, phase: 'begin', fact });
  }
  for (const fault of triggers.dormant) {
    if (!matches(fault.after!, fact)) continue;
    triggers.dormant.delete(fault);
    triggers.waiting.add(fault);
  }
  return fired;
}

/** The fault has begun: from now on its `until` is watched for. */
export function began(triggers: Triggers, fault: Fault): void {
  if (fault.until) triggers.lasting.add(fault);
}

function sets(triggers: Triggers, fault: Fault, fact: Fact): boolean {
  const { trigger } = fault;
  if (trigger.kind === 'when') return matches(trigger.pattern, fact);
  if (trigger.kind !== 'point' || fact.name !== 'point-reached') return false;
  if (fact.detail?.point !== trigger.point) return false;
  if (trigger.job !== undefined && jobOf(fact) !== trigger.job) return false;
  if (trigger.task && !matchesTask(trigger.task, fact)) return false;
  if (!trigger.on) return true;
  switch (trigger.on.kind) {
    case 'node':
      return trigger.on.node === fact.node;
    case 'leader':
      return triggers.leader === fact.node;
    case 'any':
      return trigger.on.of === 'standby'
        ? triggers.leader !== fact.node
        : fact.node.startsWith(trigger.on.of);
    default:
      return true;
  }
}

export function matches(pattern: FactPattern, fact: Fact): boolean {
  if (pattern.name !== fact.name) return false;
  if (pattern.job !== undefined && pattern.job !== jobOf(fact)) return false;
  if (pattern.node !== undefined && pattern.node !== fact.node && pattern.node !== fact.about) return false;
  return pattern.task === undefined || matchesTask(pattern.task, fact);
}

/** Which of the scenario's jobs the fact is about, as far as it is known. */
export function jobOf({ job, ofJob }: Fact): number | undefined {
  return ofJob ?? job;
}

export function matchesTask(task: TaskPattern, fact: Fact): boolean {
  return (
    fact.task === `${task.kind}-${task.index}` &&
    (task.ordinal === undefined || task.ordinal === fact.ordinal)
  );
}

/** What a driver must say of its cluster for a role to become a name. */
export interface Cast {
  readonly masters: readonly string[];
  readonly workers: readonly string[];
  readonly clients: readonly string[];
  /** Neither down nor paused. */
  isUp(node: string): boolean;
  /** A number from 0 to `below` - 1, by seed or by chance. */
  pick(below: number): number;
}

/** The node that a target means now; undefined when nobody plays that role. */
export function resolveNode(
  triggers: Triggers,
  target: NodeTarget,
  fact: Fact | undefined,
  cast: Cast,
): string | undefined {
  switch (target.kind) {
    case 'node':
      return target.node;
    case 'leader':
      return triggers.leader;
    case 'it':
      return fact?.node;
    case 'its-worker':
      return fact?.worker ?? (fact?.about?.startsWith('worker') ? fact.about : undefined);
    case 'any': {
      const nodes = target.of === 'worker' ? cast.workers : cast.masters;
      const candidates = nodes.filter(
        (node) => cast.isUp(node) && (target.of !== 'standby' || node !== triggers.leader),
      );
      return candidates.length === 0 ? undefined : candidates[cast.pick(candidates.length)];
    }
  }
}

/** The nodes that an end of links means now, up or not. */
export function resolveEnd(
  triggers: Triggers,
  target: EndTarget,
  fact: Fact | undefined,
  cast: Cast,
): readonly string[] {
  if (target.kind !== 'all') {
    const name = resolveNode(triggers, target, fact, cast);
    return name === undefined ? [] : [name];
  }
  const { masters, workers, clients } = cast;
  return { master: masters, worker: workers, client: clients, node: [...masters, ...workers, ...clients] }[
    target.of
  ];
}
