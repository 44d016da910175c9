/**
 * The progress of a job's phases as lines of a terminal: none is wider than it, or each would take two lines.
 */
import type { PhaseStatus } from '../../core/messages.js';
import { sayDuration } from '../quantities.js';

export interface PhaseProgress {
  readonly name: string;
  readonly phase: PhaseStatus;
  /** Since the phase was first seen at work. */
  readonly tookUs: number;
}

const nameWidth = 7;
const barWidthMax = 30;
/** A shorter bar tells nothing: the numbers do. */
const barWidthMin = 5;

/** A line for each phase, with bars of one width. What does not fit into the columns is cut: first bars, then words. */
export function drawBars(phases: readonly PhaseProgress[], columns: number): string {
  const texts = phases.map(textOf);
  const room = columns - 1 - nameWidth - 1 - Math.max(...texts.map((text) => text.length));
  const width = room < barWidthMin ? 0 : Math.min(barWidthMax, room);
  return phases
    .map(({ name, phase }, index) => name.padEnd(nameWidth) + track(phase, width) + texts[index])
    .map((line) => line.slice(0, columns - 1))
    .join('\n');
}

function track({ done, total }: PhaseStatus, width: number): string {
  if (width === 0) return '';
  const filled = total === 0 ? width : Math.floor((width * done) / total);
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)} `;
}

function textOf({ phase, tookUs }: PhaseProgress): string {
  const { done, total, running, attempts } = phase;
  const left = done > 0 && done < total ? `, about ${sayLeft((tookUs / done) * (total - done))} left` : '';
  const retried = attempts > total ? `, ${attempts - total} again` : '';
  return `${done}/${total}, ${running} running${retried}${left}`;
}

function sayLeft(us: number): string {
  return us < 60e6 ? `${Math.ceil(us / 1e6)} s` : sayDuration(us);
}
