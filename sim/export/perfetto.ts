/**
 * A run for ui.perfetto.dev: what every slot did when, what was decided, and which message began and ended each attempt.
 *
 * A process for each node. In it a thread `decisions` for the steps at which something was decided or an arrow begins or
 * ends, and as many threads `slot 1`, `slot 2` … as the attempts that it ran at once need. A step takes no time; it is drawn
 * a microsecond wide, since arrows hold on to slices only.
 */
import { attemptKey, sameLife } from '../../core/ids.js';
import { effectTexts, eventText } from '../explain/causes.js';
import { type MergedStep, type NodeTrace, startOf, stepName } from '../explain/merge.js';
import { momentText } from '../scenario/duration.js';
import type { Fact } from '../scenario/facts.js';
import { isNotable } from '../scenario/timeline.js';
import type { Arrow } from './arrows.js';
import type { AttemptSpan } from './attempt-spans.js';
import { lanesOf } from './lanes.js';
import { type RunView, viewRun } from './run-view.js';
import { Threads, type TimedEvent, type TraceEvent, traceEventText } from './trace-event.js';

export function* exportPerfetto(
  traces: readonly NodeTrace[],
  merged: readonly MergedStep[],
): Generator<string> {
  const picture = new Picture(viewRun(merged));
  const { driver, seed, versions } = traces[0]!.header;
  yield* traceEventText(picture.events(), { driver, seed, versions, zeroUs: startOf(traces) });
}

class Picture {
  readonly #run: RunView;
  readonly #threads: Threads;
  readonly #slots = new Map<AttemptSpan, string>();
  /** Arrows with their numbers, by the attempt at one end and by the step at the other. */
  readonly #arrowsOf = new Map<string, NumberedArrow[]>();
  readonly #drawn: TimedEvent[] = [];

  constructor(run: RunView) {
    this.#run = run;
    this.#threads = new Threads(run.nodes);
    for (const node of run.nodes) this.#threads.of(node, decisions);
    this.#layOut([...run.spans.values()]);
    for (const [index, arrow] of run.arrows.entries()) {
      const numbered = { ...arrow, id: index + 1 };
      for (const end of [arrow.attempt, stepName(arrow.step)]) listOf(this.#arrowsOf, end).push(numbered);
    }
  }

  *events(): Generator<TraceEvent> {
    for (const [key, span] of this.#run.spans) if (!span.life) this.#drawAttempt(key, span);
    for (const [position, step] of this.#run.steps.entries())
      this.#drawStep(step, this.#run.facts[position]!);
    yield* this.#threads.metadata();
    // Stable: of the same time, a slice stays before the arrows that hold on to it, and an arrow's begin before its end.
    yield* this.#drawn.sort((a, b) => a.ts - b.ts);
  }

  /** Attempts of which no trace says that they began are apart: no slot was taken by them, for all that is known. */
  #layOut(spans: readonly AttemptSpan[]): void {
    const groups = new Map<string, AttemptSpan[]>();
    for (const span of spans) listOf(groups, `${span.node} ${threadName(span)}`).push(span);
    for (const group of groups.values()) {
      for (const [span, lane] of lanesOf(group)) this.#slots.set(span, `${threadName(span)} ${lane + 1}`);
    }
  }

  #drawStep(step: MergedStep, facts: readonly Fact[]): void {
    const { node, incarnation, atUs: ts, line } = step;
    const name = stepName({ node, incarnation, index: line.i });
    const arrows = this.#arrowsOf.get(name) ?? [];
    const notable = facts.filter((fact) => isNotable(fact) && fact.name !== 'started');
    const place = this.#threads.of(node, decisions);
    if (arrows.length + notable.length > 0) {
      const args = { step: name, effects: effectTexts(line.effects) };
      this.#drawn.push({ ph: 'X', name: eventText(line.event), cat: 'step', ts, dur: 1, ...place, args });
    }
    for (const { kind, id } of arrows) {
      const end = kind === 'assignment' ? ({ ph: 's' } as const) : ({ ph: 'f', bp: 'e' } as const);
      this.#drawn.push({ ...end, name: kind, cat: 'message', id, ts, ...place });
    }
    for (const fact of notable) {
      const text = fact.attempt ? `${fact.name} ${this.#run.titleOf(fact)}` : fact.name;
      this.#drawn.push({ ph: 'i', name: text, cat: 'decision', ts, s: 't', ...place, args: detailOf(fact) });
    }
    for (const effect of line.effects) {
      if (effect.type !== 'attempt.run') continue;
      const key = attemptKey(effect.attempt);
      const span = this.#run.spans.get(key);
      if (span?.startUs === ts && span.life && sameLife(span.life, step)) this.#drawAttempt(key, span);
    }
  }

  #drawAttempt(key: string, span: AttemptSpan): void {
    const { story, life, startUs: ts, endUs, isEnded } = span;
    const place = this.#threads.of(span.node, this.#slots.get(span)!);
    const title = this.#run.titleOf({ job: story.job, task: story.task, ordinal: story.ordinal });
    const args = {
      job: story.job,
      outcome: story.outcome,
      ...(life ? { life: life.incarnation } : {}),
      ...(life && !isEnded
        ? { end: 'not recorded: drawn until it was given up, or its worker last heard of' }
        : {}),
      story: story.moments.map(({ atUs, text }) => `${momentText(atUs)}: ${text}`),
    };
    const name = story.outcome === 'committed' ? title : `${title} ${story.outcome}`;
    this.#drawn.push({ ph: 'X', name, cat: 'attempt', ts, dur: endUs - ts, ...place, args });
    for (const { kind, id } of this.#arrowsOf.get(key) ?? []) {
      if (kind === 'assignment')
        this.#drawn.push({ ph: 'f', bp: 'e', name: kind, cat: 'message', id, ts, ...place });
      else this.#drawn.push({ ph: 's', name: kind, cat: 'message', id, ts: endUs - 1, ...place });
    }
  }
}

const decisions = 'decisions';

function threadName({ life }: AttemptSpan): string {
  return life ? 'slot' : 'no start recorded';
}

function listOf<T>(lists: Map<string, T[]>, key: string): T[] {
  let list = lists.get(key);
  if (!list) lists.set(key, (list = []));
  return list;
}

interface NumberedArrow extends Arrow {
  readonly id: number;
}

function detailOf({ job, worker, about, epoch, detail }: Fact): object {
  return { job, worker, about, epoch, ...detail };
}
