/** A run as every picture of it shows it: steps in time, what they tell, the attempts, and the messages that count. */
import type { NodeId } from '../../core/ids.js';
import { type LifeStep, type MergedStep, stepName } from '../explain/merge.js';
import { factsByStep } from '../explain/merged-facts.js';
import type { Fact } from '../scenario/facts.js';
import { type Arrow, arrowsOf } from './arrows.js';
import { type AttemptSpan, attemptSpans } from './attempt-spans.js';
import { inTime } from './in-time.js';

export interface RunView {
  /** No step stands before its cause. */
  readonly steps: readonly MergedStep[];
  /** One list for each step. */
  readonly facts: readonly (readonly Fact[])[];
  /** By the keys of the attempts, in the order in which they began. */
  readonly spans: ReadonlyMap<string, AttemptSpan>;
  readonly arrows: readonly Arrow[];
  /** Clients, masters, workers, each by their numbers. */
  readonly nodes: readonly NodeId[];
  timeOf(step: LifeStep): number;
  /** `map-0@1`; where the run had several jobs, with the job's. */
  titleOf(attempt: Pick<Fact, 'job' | 'task' | 'ordinal'>): string;
}

export function viewRun(merged: readonly MergedStep[]): RunView {
  const steps = inTime(merged);
  const facts = factsByStep(steps);
  const spans = attemptSpans(steps, facts.flat());
  const nodes = [...new Set([...steps, ...spans.values()].map(({ node }) => node))].sort(inOrder);
  const jobs = new Set([...spans.values()].map(({ story }) => story.job));
  const times = new Map(
    steps.map(({ node, incarnation, line, atUs }) => [stepName({ node, incarnation, index: line.i }), atUs]),
  );
  return {
    steps,
    facts,
    spans,
    arrows: arrowsOf(steps, spans),
    nodes,
    timeOf: (step) => times.get(stepName(step))!,
    titleOf: ({ job, task, ordinal }) => `${jobs.size > 1 ? `job-${job} ` : ''}${task}@${ordinal}`,
  };
}

const roles = ['client', 'master', 'worker'];

function inOrder(a: NodeId, b: NodeId): number {
  const [roleA, numberA] = partsOf(a);
  const [roleB, numberB] = partsOf(b);
  return roleA - roleB || numberA - numberB || (a < b ? -1 : 1);
}

function partsOf(node: NodeId): readonly [role: number, number: number] {
  const dash = node.lastIndexOf('-');
  return [roles.indexOf(node.slice(0, dash)), Number(node.slice(dash + 1))];
}
