/**
 * The faults that traces show: lives that ended before the run did, nodes that stood still, leaders that lost the lease, a
 * drain. Each begins with what happened last before it, as another run of the same story comes to that at another time.
 */
import type { NodeId } from '../../core/ids.js';
import { durationText } from '../scenario/duration.js';
import type { FactName } from '../scenario/fact-names.js';
import type { Fact } from '../scenario/facts.js';
import type { RawFault } from '../scenario/schema.js';
import { durationSpelling } from '../scenario/write-fault.js';
import type { RecordedLife, Recording } from './recording.js';

/** What lies so near to something else may be of it. */
const nearUs = 1_000_000;

export interface SeenFault {
  readonly atUs: number;
  /** Absent when it is not known what a scenario could do to the same end. */
  readonly raw?: RawFault;
  /** For people: what was seen. */
  readonly note: string;
}

interface Endings extends Recording {
  /** Lives that ended before the run did. */
  readonly ended: ReadonlySet<RecordedLife>;
}

/** What a silence may be. */
interface Silences {
  /** As long as that it has consequences, and is more than messages on their way. */
  readonly lossUs: number;
  /** Messages are slow in the scenario as well: leaders lose touch there by themselves. */
  readonly isSlow: boolean;
}

/** In the order in which they came. */
export function seenFaults(recording: Recording, silences: Silences): SeenFault[] {
  const faults: SeenFault[] = [];
  const nodes = [...recording.lives.values()].filter(([life]) => !isClient(life!.node));
  const ended = nodes.flatMap((lives) =>
    lives.filter((life, index) => hasEnded(recording, life, lives[index + 1])),
  );
  const endings = { ...recording, ended: new Set(ended) };
  for (const lives of nodes) {
    for (const [index, life] of lives.entries())
      faults.push(...faultsOfLife(endings, life, lives[index + 1], silences));
  }
  const drain = recording.facts.find(({ name }) => name === 'draining');
  if (drain) {
    const { atUs } = drain;
    const note = 'the run was asked to wind down';
    const isResumed = recording.endUs < Number.POSITIVE_INFINITY; // which no scenario can say
    faults.push(
      isResumed ? { atUs, note } : { atUs, note, raw: { ...triggerAt(recording, atUs), drain: 'run' } },
    );
  }
  return faults.sort((a, b) => a.atUs - b.atUs);
}

function faultsOfLife(
  recording: Endings,
  life: RecordedLife,
  next: RecordedLife | undefined,
  silences: Silences,
): SeenFault[] {
  if (recording.ended.has(life)) return [death(recording, life, next)];
  const losses = lossesOf(recording, life);
  // A leader may be told more than once that it is none: the first time counts.
  const seen = new Map(
    losses
      .reverse()
      .map((loss) => silence(recording, life, loss, silences))
      .map((one) => [one.note, one]),
  );
  return [...seen.values()];
}

/** Before the run did: another life followed, or what it had was given up only after its last step. */
function hasEnded(recording: Recording, life: RecordedLife, next: RecordedLife | undefined): boolean {
  if (next) return life.toUs < recording.endUs;
  const [first] = lossesOf(recording, life);
  return first !== undefined && first.atUs > life.toUs;
}

function lossesOf(recording: Recording, life: RecordedLife): Fact[] {
  return recording.facts.filter((fact) => fact.atUs < recording.endUs && isLossOf(recording, fact, life));
}

/** A master gave the worker up, or the life was a leader that led no more. */
function isLossOf(recording: Recording, fact: Fact, life: RecordedLife): boolean {
  const { node, fromUs } = life;
  const { name, about, atUs, detail } = fact;
  if (atUs < fromUs) return false;
  if (name === 'worker-lost') return about === node && hasJoined(recording, life, atUs);
  if (name === 'leader-began') return fact.node !== node && isLeader(recording, node, atUs - 1);
  if (fact.node !== node) return false;
  return name === 'leader-fenced' || (name === 'lease-expired' && detail?.role === 'leader');
}

/** Up to that step, whoever was given up was the life before: a master that greets a new one has given up the old one. */
function hasJoined({ facts }: Recording, { node, incarnation }: RecordedLife, byUs: number): boolean {
  return facts.some(
    ({ name, about, detail, atUs }) =>
      name === 'worker-joined' && about === node && detail?.incarnation === incarnation && atUs < byUs,
  );
}

function death(recording: Endings, life: RecordedLife, next: RecordedLife | undefined): SeenFault {
  const { node } = life;
  const together = endedTogether(recording, life);
  const running =
    together === undefined
      ? openAttempt(recording, node, life.fromUs, next?.fromUs ?? Number.POSITIVE_INFINITY)
      : undefined;
  const atUs = Math.max(life.toUs, running?.atUs ?? 0);
  const back = next ? { restartAfter: spelling(Math.max(next.fromUs - atUs, 1)) } : {};
  const story = next
    ? `and came back ${durationText(next.fromUs - life.toUs)} later`
    : 'and did not come back';
  const raw: RawFault = running
    ? { when: `${attemptPattern(recording, running)} started`, crash: 'its worker', ...back }
    : {
        ...triggerAt(recording, together ?? atUs),
        crash: isLeader(recording, node, atUs) && !endedWithMaster(recording, life) ? 'leader' : node,
        ...back,
      };
  return { atUs, raw, note: `${node} ${endOf(recording, life, next)} ${story}; why is not known` };
}

/** What a master was told of it, if any was. */
function endOf({ facts }: Recording, { node, toUs }: RecordedLife, next: RecordedLife | undefined): string {
  const untilUs = next?.toUs ?? Number.POSITIVE_INFINITY;
  const loss = facts.find(
    ({ name, about, atUs }) => name === 'worker-lost' && about === node && atUs >= toUs && atUs <= untilUs,
  );
  if (loss?.detail?.end === 'killed') return 'was killed';
  return loss?.detail?.end === 'crashed' ? 'crashed' : 'ended';
}

/**
 * When the first of several nodes ended, of which this life is one: as where the whole run was interrupted, and resumed. Then
 * each is named, since two attempts that were lost may be with one worker another time.
 */
function endedTogether(recording: Endings, life: RecordedLife): number | undefined {
  const near = endedNear(recording, life);
  return near.length === 0 ? undefined : Math.min(life.toUs, ...near.map(({ toUs }) => toUs));
}

/** Whoever leads in another run may be that master: by its own name each fault is about a node of its own. */
function endedWithMaster(recording: Endings, life: RecordedLife): boolean {
  return endedNear(recording, life).some(({ node }) => node.startsWith('master-'));
}

/** Of masters only those that came back: where each leads after the one before it, they end one after the other. */
function endedNear({ lives, ended }: Endings, { node, toUs }: RecordedLife): RecordedLife[] {
  const near = [...ended].filter((other) => other.node !== node && Math.abs(other.toUs - toUs) < nearUs);
  return near.filter((other) => !other.node.startsWith('master-') || lives.get(other.node)!.at(-1) !== other);
}

function isClient(node: NodeId): boolean {
  return node.startsWith('client-');
}

/** The first attempt that the worker was given in this time, and that it neither finished nor saw fail in it. */
function openAttempt({ facts }: Recording, node: NodeId, fromUs: number, toUs: number): Fact | undefined {
  const own = facts.filter(
    ({ worker, task, atUs }) => worker === node && task !== undefined && atUs >= fromUs && atUs <= toUs,
  );
  const ended = own.filter(({ name }) => name === 'finished' || name === 'broke' || name === 'starved');
  const isOpen = (fact: Fact): boolean =>
    !ended.some(
      ({ job, task, ordinal }) => job === fact.job && task === fact.task && ordinal === fact.ordinal,
    );
  return (
    own.find((fact) => fact.name === 'started' && isOpen(fact)) ??
    own.find((fact) => fact.name === 'attempt-assigned' && isOpen(fact))
  );
}

/** It was given up, and yet it lived: a gap in its trace is a pause, or else nobody can tell. */
function silence(
  recording: Recording,
  life: RecordedLife,
  loss: Fact,
  { lossUs, isSlow }: Silences,
): SeenFault {
  const { node } = life;
  const { fromUs, gapUs } = gapAt(life, loss.atUs);
  if (gapUs >= lossUs) {
    const running = openAttempt(recording, node, life.fromUs, fromUs);
    const begin: RawFault = running
      ? { when: `${attemptPattern(recording, running)} started`, pause: 'its worker' }
      : { ...triggerAt(recording, fromUs), pause: isLeader(recording, node, fromUs) ? 'leader' : node };
    const raw: RawFault = { ...begin, for: spelling(gapUs) };
    const note = `${node} did nothing for ${durationText(gapUs)}; whether it was stopped, cut off or slow is not known`;
    return { atUs: fromUs, raw, note };
  }
  const { atUs } = loss;
  if (loss.name === 'worker-lost')
    return { atUs, note: `${node} was given up although it lived; what cut it off is not known` };
  const note = `${node} led no more although it lived; how it lost the lease is not known`;
  if (isSlow) return { atUs, note };
  // Not at what the loss has led to, as that another leader began.
  return { atUs, raw: { ...triggerAt(recording, atUs - 1), expire: 'lease' }, note };
}

/** The longest time without a step that touches the moment, or ended shortly before it. */
function gapAt({ stepsUs }: RecordedLife, atUs: number): { fromUs: number; gapUs: number } {
  let longest = { fromUs: atUs, gapUs: 0 };
  for (const [index, fromUs] of stepsUs.entries()) {
    const gapUs = (stepsUs[index + 1] ?? fromUs) - fromUs;
    const touches = fromUs <= atUs && fromUs + gapUs >= atUs - nearUs;
    if (touches && gapUs > longest.gapUs) longest = { fromUs, gapUs };
  }
  return longest;
}

/** Whatever the run of a scenario comes to as well. */
const landmarks: ReadonlySet<FactName> = new Set<FactName>([
  'leader-began',
  'job-accepted',
  'started',
  'committed',
  'maps-done',
  'reduces-done',
  'job-publishing',
]);

/**
 * A scenario's trigger is the first of its kind. One that had come before counts after something between the two: what lies
 * midway is least likely to come before the one or after the other in another run.
 */
function triggerAt(recording: Recording, atUs: number): RawFault {
  const before = recording.facts.filter((fact) => landmarks.has(fact.name) && fact.atUs <= atUs);
  const patterns = before.map((fact) => patternOf(recording, fact));
  const when = patterns.at(-1);
  if (when === undefined) return { at: spelling(atUs) };
  const earlier = patterns.lastIndexOf(when, -2);
  if (earlier < 0) return { when };
  const between = patterns.slice(earlier + 1, -1);
  const single = between.filter((pattern, index) => patterns.indexOf(pattern) === earlier + 1 + index);
  const after = single[Math.floor(single.length / 2)];
  return after === undefined ? { at: spelling(atUs) } : { when, after };
}

function patternOf(recording: Recording, fact: Fact): string {
  return [attemptPattern(recording, fact), fact.name].filter((word) => word !== '').join(' ');
}

/** `map-0@2`, or the job, or nothing; with the job where there are several. */
function attemptPattern({ jobs }: Recording, { job, task, ordinal }: Fact): string {
  const place = jobs.findIndex((one) => one.job === job);
  const words = jobs.length > 1 && place >= 0 ? [`job-${place + 1}`] : [];
  if (task !== undefined) words.push(`${task}@${ordinal}`);
  return words.join(' ');
}

function isLeader({ facts }: Recording, node: string, atUs: number): boolean {
  return facts.findLast(({ name, atUs: us }) => name === 'leader-began' && us <= atUs)?.node === node;
}

/** In milliseconds: what was measured is not more exact. */
export function spelling(us: number): string {
  return durationSpelling(Math.max(1, Math.round(us / 1000)) * 1000);
}
