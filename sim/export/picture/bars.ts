/** Where the attempts of one node are drawn: a row for each that it ran at once; what is too narrow to be told apart, together. */
import { type AttemptOutcome, isOrdinary } from '../../explain/attempts.js';
import { durationText, momentText } from '../../scenario/duration.js';
import type { AttemptSpan } from '../attempt-spans.js';
import { lanesOf } from '../lanes.js';
import type { Scale } from './scale.js';

/** An attempt with what pictures call it. */
export interface Named {
  readonly id: string;
  readonly title: string;
  readonly span: AttemptSpan;
}

export interface Bar {
  /** One, or several that are drawn together. */
  readonly attempts: readonly Named[];
  readonly outcome: AttemptOutcome;
  /** Whether a trace says that it began. */
  readonly isBegun: boolean;
  readonly row: number;
  readonly x: number;
  readonly width: number;
  /** Beside the bar when there is no room in it; absent when there is none beside it either. */
  readonly text?: { readonly text: string; readonly x: number };
}

/** Narrower ones, of which there is nothing to tell, are drawn together. */
const apartMin = 4;
const troubledWidthMin = 7;
export const characterWidth = 6.1;

/** Rows of those whose begin no trace tells come last. */
export function barsOf(
  attempts: readonly Named[],
  scale: Scale,
): { readonly bars: Bar[]; readonly rows: number } {
  const shown = attempts.filter(({ span }) => scale.shows(span));
  const begun = rowsOf(shown.filter(({ span }) => span.life));
  const other = rowsOf(shown.filter(({ span }) => !span.life));
  const rows = [...begun, ...other];
  return { bars: rows.flatMap((row, index) => drawRow(row, index, scale)), rows: rows.length };
}

function rowsOf(attempts: readonly Named[]): Named[][] {
  const named = new Map(attempts.map((attempt) => [attempt.span, attempt]));
  const rows: Named[][] = [];
  for (const [span, lane] of lanesOf([...named.keys()])) (rows[lane] ??= []).push(named.get(span)!);
  return rows;
}

function drawRow(attempts: readonly Named[], row: number, scale: Scale): Bar[] {
  const groups: { attempts: Named[]; x: number; end: number; isNarrow: boolean }[] = [];
  for (const attempt of attempts) {
    const x = scale.x(attempt.span.startUs);
    const end = Math.max(scale.x(attempt.span.endUs), x + 1);
    const isNarrow = isOrdinary(attempt.span.story) && end - x < apartMin;
    const last = groups.at(-1);
    if (isNarrow && last?.isNarrow && x - last.end < apartMin) {
      last.attempts.push(attempt);
      last.end = Math.max(last.end, end);
    } else groups.push({ attempts: [attempt], x, end, isNarrow });
  }
  return groups.map(({ attempts, x, end }, index) => {
    const { span } = attempts[0]!;
    const { outcome } = span.story;
    const width = Math.max(end - x, isOrdinary(span.story) ? 1 : troubledWidthMin);
    const text = placeText(textOf(attempts), x, width, groups[index + 1]?.x ?? scale.width + 100);
    return {
      attempts,
      outcome,
      isBegun: span.life !== undefined,
      row,
      x,
      width: tenths(width),
      ...(text ? { text } : {}),
    };
  });
}

function textOf(attempts: readonly Named[]): string {
  const [{ title, span }] = attempts as readonly [Named];
  if (attempts.length > 1) return `×${attempts.length}`;
  const { outcome } = span.story;
  return outcome === 'committed' ? title : `${title} ${span.life ? '' : 'never began, '}${outcome}`;
}

function placeText(text: string, x: number, width: number, nextX: number): Bar['text'] {
  const needed = text.length * characterWidth + 6;
  if (needed <= width) return { text, x: tenths(x + 4) };
  if (x + width + needed <= nextX) return { text, x: tenths(x + width + 3) };
  return undefined;
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

/** All that is known of the bar's attempts, a line each. */
export function barTitle({ attempts, isBegun }: Bar): string {
  const [{ title, span }] = attempts as readonly [Named];
  if (attempts.length > 1)
    return `${attempts.length} attempts, committed: ${title} … ${attempts.at(-1)!.title}`;
  const { story, startUs, endUs, isEnded } = span;
  const lines = story.moments.map(({ atUs, text }) => `${momentText(atUs)}: ${text}`);
  const end =
    isBegun && !isEnded
      ? ['no end is recorded: drawn until it was given up, or its worker last heard of']
      : [];
  const took = isBegun ? `, ${durationText(endUs - startUs)}` : ', no begin is recorded';
  return [`${title} on ${story.worker ?? 'nobody'}: ${story.outcome}${took}`, ...lines, ...end].join('\n');
}
