/**
 * The life of every attempt, told from the facts that a run recorded: why it began, what befell it, why it ended.
 * Nothing is guessed: what no node decided or saw is not told.
 */
import type { JobId, NodeId } from '../../core/ids.js';
import { durationText } from '../scenario/duration.js';
import type { Fact } from '../scenario/facts.js';
import { attemptText } from '../scenario/facts.js';
import { lossText, revocationText, verdictText } from './words.js';

export interface Moment {
  /** Who saw it, by its own clock. */
  readonly node: NodeId;
  readonly atUs: number;
  readonly text: string;
}

export type AttemptOutcome = 'open' | 'committed' | 'failed' | 'revoked' | 'refused' | 'lost';

export interface AttemptStory {
  readonly job: JobId;
  readonly task: string;
  /** 1 for the first attempt of its task. */
  readonly ordinal: number;
  worker: NodeId | undefined;
  /** How it stands at the end of the trace. `lost`: it was committed, and its output is gone, or the record of it. */
  outcome: AttemptOutcome;
  /** Whether a worker has recorded that it began. */
  hasStarted: boolean;
  /** Whether its job ended, so that nothing can come of it any more. */
  isOver: boolean;
  readonly moments: Moment[];
}

/** The stories of all attempts, in the order in which they began. `facts` are those of all nodes, ordered by time. */
export function tellAttempts(facts: Iterable<Fact>): AttemptStory[] {
  const teller = new Teller();
  for (const fact of facts) teller.hear(fact);
  return teller.stories;
}

class Teller {
  readonly stories: AttemptStory[] = [];
  readonly #byAttempt = new Map<string, AttemptStory>();
  readonly #assigned = new Set<AttemptStory>();
  readonly #lastOfTask = new Map<string, AttemptStory>();
  /** Committed when the store was found to have lost some of what it had acknowledged: perhaps that. */
  readonly #doubtful = new Set<AttemptStory>();
  /** Why each node was given up the last time. */
  readonly #losses = new Map<NodeId, string>();

  hear(fact: Fact): void {
    const { name, about, node, detail } = fact;
    if (name === 'worker-lease-expired' || name === 'worker-lost') {
      const lost = about ?? node;
      const known = name === 'worker-lost' && detail?.end === 'silent' ? this.#losses.get(lost) : undefined;
      this.#losses.set(lost, known ?? lossText(lost, name, detail ?? {}));
    } else if (name === 'worker-joined') {
      this.#losses.delete(about ?? node);
    }
    if (name === 'store-went-back')
      for (const story of this.stories) if (story.outcome === 'committed') this.#doubtful.add(story);
    if (name === 'job-published' || name === 'job-failed') this.#jobEnded(fact.job!);
    if (fact.attempt && fact.task !== undefined && fact.ordinal !== undefined) this.#ofAttempt(fact);
  }

  #jobEnded(job: JobId): void {
    for (const story of this.stories) if (story.job === job) story.isOver = true;
  }

  #ofAttempt(fact: Fact): void {
    const story = fact.name === 'attempt-assigned' ? this.#beginStory(fact) : this.#storyOf(fact);
    if (fact.name === 'started') story.hasStarted = true;
    if (fact.worker !== undefined) story.worker = fact.worker;
    const text = this.#tell(fact, story);
    if (text !== undefined) story.moments.push({ node: fact.node, atUs: fact.atUs, text });
  }

  #storyOf(fact: Fact): AttemptStory {
    return this.#byAttempt.get(keyOf(fact)) ?? this.#newStory(fact);
  }

  /** No attempt is given out twice: of two of one name, the first is of a history that the store has lost, unnoticed. */
  #beginStory(fact: Fact): AttemptStory {
    const story = this.#storyOf(fact);
    if (!this.#assigned.has(story)) {
      this.#assigned.add(story);
      return story;
    }
    if (story.outcome === 'committed') this.#doubtful.add(story);
    const other = this.#newStory(fact);
    this.#assigned.add(other);
    return other;
  }

  #newStory(fact: Fact): AttemptStory {
    const story: AttemptStory = {
      job: fact.job!,
      task: fact.task!,
      ordinal: fact.ordinal!,
      worker: fact.worker,
      outcome: 'open',
      hasStarted: false,
      isOver: false,
      moments: [],
    };
    this.#byAttempt.set(keyOf(fact), story);
    this.stories.push(story);
    return story;
  }

  /** What the fact means for the attempt, in words; undefined when another fact of the same step says it better. */
  #tell(fact: Fact, story: AttemptStory): string | undefined {
    const detail = fact.detail ?? {};
    switch (fact.name) {
      case 'attempt-assigned':
        return this.#whyBegun(fact, story);
      case 'attempt-adopted':
        return `${fact.node}, the new leader, found it running and lets it go on`;
      case 'started':
        return `started on ${fact.worker ?? fact.node}`;
      case 'finished':
        return 'finished; its report is under way';
      case 'committed':
        story.outcome = 'committed';
        return `committed: this is the result of ${story.task}`;
      case 'failed':
        story.outcome = 'failed';
        return `failed (${detail.kind}); ${detail.counted ? 'it counts against the limit' : 'not counted'}`;
      case 'attempt-failed':
        return `said to have failed: ${detail.message}`;
      case 'attempt-timed-out':
        return `no progress for ${durationText(Number(detail.limitUs))}: ended, ${detail.done} of ${detail.total} done`;
      case 'attempt-revoked':
        if (story.outcome === 'open') story.outcome = 'revoked';
        return revocationText(String(detail.why), fact.about ?? '', this.#losses.get(fact.about ?? ''));
      case 'late-report-accepted':
        return `reported although it was revoked; the policy ${detail.policy} accepts whoever reaches the journal first`;
      case 'late-report-refused':
        if (story.outcome !== 'committed') story.outcome = 'refused';
        return verdictText(String(detail.verdict), detail, this.#winnerOf(fact));
      case 'duplicate-report':
        return 'reported again; the answer was repeated';
      case 'nondeterminism-seen':
        return `its output differs from that of another attempt (epoch ${detail.otherEpoch}, number ${detail.otherN}): the user's code is not deterministic`;
      case 'attempt-preempted':
        return 'chosen to give its slot to a map that waits: of all waiting reduces it had the least to lose';
      case 'record-skipped':
        return `a record failed twice and is left out from now on: ${detail.record}`;
      case 'starved':
        return `could not read the output of ${detail.source}: ${detail.reason}`;
      case 'input-reported-unreadable':
        return `a reader says that its output is unreadable: ${detail.reason}`;
      case 'invalidated':
        story.outcome = 'lost';
        return `its committed output is lost (${detail.reason}): ${story.task} runs again`;
      case 'order-refused':
        return `${fact.node} refused an order about it: it came from a lower epoch, or was meant for another life`;
      default:
        return undefined;
    }
  }

  #whyBegun(fact: Fact, story: AttemptStory): string {
    const before = this.#lastOfTask.get(`${story.job} ${story.task}`);
    this.#lastOfTask.set(`${story.job} ${story.task}`, story);
    const to = `given to ${fact.about ?? fact.worker}`;
    if (fact.detail?.speculative === true) {
      return `${to} as a second copy: ${before ? nameOf(before) : 'the first'} would have taken the longest`;
    }
    if (!before) return `${to}, which had a free slot; the first attempt`;
    if (before.outcome === 'committed' && this.#doubtful.has(before)) {
      before.outcome = 'lost';
      return `${to}, because the store has lost that ${nameOf(before)} was committed`;
    }
    return `${to}, because ${nameOf(before)} ${endText[before.outcome]}`;
  }

  #winnerOf(fact: Fact): string | undefined {
    const winner = this.stories.find(
      (story) => story.job === fact.job && story.task === fact.task && story.outcome === 'committed',
    );
    return winner && nameOf(winner);
  }
}

function keyOf(fact: Fact): string {
  return `${fact.job} ${attemptText(fact)}`;
}

const endText: Readonly<Record<AttemptOutcome, string>> = {
  open: 'had no result',
  committed: 'had been committed by a former leader',
  failed: 'failed',
  revoked: 'was revoked',
  refused: 'was refused',
  lost: 'lost its output',
};

export function nameOf(story: AttemptStory): string {
  return `${story.task}@${story.ordinal}`;
}

/** What became of it, in words: of one without an outcome more can be said once its job has ended. */
export function outcomeText({ outcome, hasStarted, isOver }: AttemptStory): string {
  if (outcome !== 'open' || !isOver) return outcome;
  return hasStarted ? 'over with its job' : 'no start is recorded';
}

/**
 * From its first moment to its last in microseconds, where one node saw both: clocks of two nodes tell nothing of each other.
 * `worker`: they did not, and this is what its worker saw of it.
 */
export function lengthOf(
  story: AttemptStory,
): { readonly us: number; readonly by: 'one' | 'worker' } | undefined {
  const { moments, worker } = story;
  const isSeenByOne = moments[0]?.node === moments.at(-1)?.node;
  const seen = isSeenByOne ? moments : moments.filter(({ node }) => node === worker);
  if (seen.length < 2) return undefined;
  const us = seen.at(-1)!.atUs - seen[0]!.atUs;
  // Lives of a node may have clocks of their own, too.
  return us < 0 ? undefined : { us, by: isSeenByOne ? 'one' : 'worker' };
}

/** Given out once, and committed: nothing to explain. */
export function isOrdinary(story: AttemptStory): boolean {
  return story.ordinal === 1 && story.outcome === 'committed' && story.moments.length <= 4;
}
