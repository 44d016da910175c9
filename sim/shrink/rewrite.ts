/**
 * Renames things all over a scenario: what is taken away changes the names of what comes after it. Works on any kind of
 * fault, because it goes by the shape of the data: a named node, a task, a pattern of facts.
 */
import type { FactPattern, Fault, Scenario, TaskPattern } from '../scenario/types.js';
import { patternText, withText } from '../scenario/write-fault.js';

export interface Renaming {
  node?(name: string): string;
  /** `job` is the one it is a task of, where that is said. */
  task?(task: TaskPattern, job?: number): TaskPattern;
  /** Counted from 1. */
  job?(job: number): number;
}

/** The faults with new names, numbered anew. */
export function renameFaults(faults: readonly Fault[], renaming: Renaming): Fault[] {
  return faults.map((fault, index) => withText({ ...(rewrite(fault, renaming) as Fault), index }));
}

/** Expectations and misbehaviours are about tasks, the healing about nodes. */
export function renameAll(scenario: Scenario, renaming: Renaming): Scenario {
  const { jobs, heal, expect, faults } = scenario;
  return {
    ...scenario,
    jobs: jobs.map((job) => ({
      ...job,
      misbehaviours: rewrite(job.misbehaviours, renaming) as typeof job.misbehaviours,
      ...(job.times ? { times: rewrite(job.times, renaming) as typeof job.times } : {}),
    })),
    faults: renameFaults(faults, renaming),
    ...(heal ? { heal: { ...heal, nodes: renameNodes(heal.nodes, renaming) } } : {}),
    expect: rewrite(expect, renaming) as typeof expect,
  };
}

function renameNodes(nodes: readonly string[], { node }: Renaming): string[] {
  return node ? [...new Set(nodes.map(node))] : [...nodes];
}

function rewrite(value: unknown, renaming: Renaming, job?: number): unknown {
  if (Array.isArray(value)) return value.map((item) => rewrite(item, renaming));
  if (value === null || typeof value !== 'object') return value;
  if (isTask(value)) return renaming.task ? renaming.task(value, job) : value;
  const renamed: Record<string, unknown> = {};
  const own = (value as { readonly job?: number }).job;
  for (const [key, item] of Object.entries(value)) {
    if (key === 'node' && typeof item === 'string') renamed.node = renaming.node ? renaming.node(item) : item;
    else if (key === 'job' && typeof item === 'number')
      renamed.job = renaming.job ? renaming.job(item) : item;
    else renamed[key] = rewrite(item, renaming, own);
  }
  return isPattern(renamed) ? { ...renamed, text: patternText(renamed) } : renamed;
}

function isTask(value: object): value is TaskPattern {
  const { kind, index } = value as Partial<TaskPattern>;
  return (kind === 'map' || kind === 'reduce') && typeof index === 'number';
}

function isPattern(value: object): value is FactPattern {
  const { name, text } = value as Partial<FactPattern>;
  return typeof name === 'string' && typeof text === 'string';
}
