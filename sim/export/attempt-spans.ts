/** From when to when each attempt ran, as its worker recorded it; where nothing is recorded, what its master knew. */
import { attemptKey, type NodeId, type NodeLife } from '../../core/ids.js';
import { type AttemptStory, nameOf, tellAttempts } from '../explain/attempts.js';
import type { MergedStep } from '../explain/merge.js';
import { attemptText, type Fact } from '../scenario/facts.js';
import type { Span } from './lanes.js';

export interface AttemptSpan extends Span {
  readonly story: AttemptStory;
  /** Whose it was; where nobody is known to have had it, who decided about it. */
  readonly node: NodeId;
  /** The life that ran it; absent when no trace tells that it began. */
  readonly life?: NodeLife;
  /** Whether its worker recorded the end. */
  readonly isEnded: boolean;
}

/** The spans of all attempts of which the facts tell, by the keys of the attempts. A span takes a microsecond at least. */
export function attemptSpans(steps: readonly MergedStep[], facts: readonly Fact[]): Map<string, AttemptSpan> {
  const runs = new Runs(steps);
  const firstOf = new Map<string, Fact>();
  const givenUpUs = new Map<string, number>();
  for (const fact of facts) {
    if (!fact.attempt) continue;
    const name = `${fact.job} ${attemptText(fact)}`;
    if (!firstOf.has(name)) firstOf.set(name, fact);
    const key = attemptKey(fact.attempt);
    const isGivenUp = fact.name === 'attempt-revoked' || fact.name === 'failed';
    if (isGivenUp && !givenUpUs.has(key)) givenUpUs.set(key, fact.atUs);
  }
  const spans = new Map<string, AttemptSpan>();
  for (const story of tellAttempts(facts)) {
    const first = firstOf.get(`${story.job} ${nameOf(story)}`)!;
    const key = attemptKey(first.attempt!);
    spans.set(key, runs.spanOf(key, story, givenUpUs.get(key)) ?? neverBegun(story, first));
  }
  return spans;
}

function neverBegun(story: AttemptStory, first: Fact): AttemptSpan {
  const endUs = Math.max(first.atUs + 1, story.moments.at(-1)?.atUs ?? 0);
  return { story, node: story.worker ?? first.node, startUs: first.atUs, endUs, isEnded: false };
}

interface Run extends NodeLife {
  readonly startUs: number;
  endUs?: number;
}

class Runs {
  readonly #runs = new Map<string, Run>();
  /** Of each node, when each life was first and last heard of. */
  readonly #livesOf = new Map<NodeId, { incarnation: number; firstUs: number; lastUs: number }[]>();

  constructor(steps: readonly MergedStep[]) {
    for (const step of steps) this.#hear(step);
  }

  spanOf(key: string, story: AttemptStory, givenUpUs: number | undefined): AttemptSpan | undefined {
    const run = this.#runs.get(key);
    if (!run) return undefined;
    const { node, incarnation, startUs } = run;
    const endUs = Math.max(startUs + 1, run.endUs ?? this.#cutUs(run, givenUpUs));
    return { story, node, life: { node, incarnation }, startUs, endUs, isEnded: run.endUs !== undefined };
  }

  #hear({ node, incarnation, atUs, line }: MergedStep): void {
    const lives = this.#livesOf.get(node) ?? [];
    this.#livesOf.set(node, lives);
    const life = lives.find((known) => known.incarnation === incarnation);
    if (life) life.lastUs = atUs;
    else lives.push({ incarnation, firstUs: atUs, lastUs: atUs });
    const { event } = line;
    switch (event.type) {
      case 'attempt.finished':
      case 'attempt.broke':
      case 'attempt.starved':
      case 'attempt.aborted': {
        const run = this.#runs.get(attemptKey(event.attempt));
        if (run) run.endUs ??= atUs;
      }
    }
    for (const effect of line.effects) {
      if (effect.type !== 'attempt.run') continue;
      const key = attemptKey(effect.attempt);
      if (!this.#runs.has(key)) this.#runs.set(key, { node, incarnation, startUs: atUs });
    }
  }

  /** No end was recorded: until the life was last heard of, or the attempt given up; but not into the node's next life. */
  #cutUs({ node, incarnation }: Run, givenUpUs = 0): number {
    const lives = this.#livesOf.get(node)!;
    const { lastUs } = lives.find((life) => life.incarnation === incarnation)!;
    const nextUs = lives.filter((life) => life.incarnation > incarnation).map(({ firstUs }) => firstUs);
    return Math.min(Math.max(lastUs, givenUpUs), ...nextUs);
  }
}
