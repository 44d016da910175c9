/**
 * How a running job shows on stderr: a bar per phase on a terminal; elsewhere a line per change of phase, per failure
 * and per ten seconds, nothing cut; or NDJSON for programs.
 */
import { taskName } from '../../core/ids.js';
import type { JobStatus, PhaseStatus } from '../../core/messages.js';
import { firstLine } from '../../sim/thrown-text.js';
import { printable } from '../printable.js';
import type { Terminal } from '../terminal.js';
import { drawBars } from './bars.js';

export interface ProgressView {
  status(status: JobStatus): void;
  /** Something worth a line of its own. */
  event(line: string): void;
  /** The last word: whatever moves on the screen stops. */
  done(): void;
}

export type ProgressKind = 'auto' | 'tty' | 'plain' | 'ndjson' | 'none';

export async function openProgress(
  kind: ProgressKind,
  terminal: Terminal,
  quiet: boolean,
): Promise<ProgressView> {
  const chosen = kind === 'auto' ? (quiet ? 'none' : terminal.interactive ? 'tty' : 'plain') : kind;
  switch (chosen) {
    case 'tty':
      return await barView();
    case 'plain':
      return plainView();
    case 'ndjson':
      return ndjsonView();
    default:
      return { status: () => {}, event: () => {}, done: () => {} };
  }
}

const plainEveryUs = 10_000_000;

/** Remembers which failures were told, since a status carries the last few of them each time. */
function failureTeller(tell: (line: string) => void): (status: JobStatus) => void {
  const told = new Set<string>();
  return (status) => {
    for (const { attempt, node, failure } of status.failures) {
      const key = `${attempt.job} ${attempt.task} ${attempt.epoch} ${attempt.n}`;
      if (told.has(key)) continue;
      told.add(key);
      tell(`${taskName(attempt.task, status.maps.total)} failed on ${node}: ${firstLine(failure.message)}`);
    }
  };
}

function nowUs(): number {
  return performance.now() * 1000;
}

function plainView(): ProgressView {
  const write = (line: string): void => void process.stderr.write(`${printable(line)}\n`);
  const tellFailures = failureTeller(write);
  let phase: string | undefined;
  let lastUs = nowUs();
  return {
    status: (status) => {
      tellFailures(status);
      if (status.phase === phase && nowUs() - lastUs < plainEveryUs) return;
      phase = status.phase;
      lastUs = nowUs();
      write(
        `${status.phase}: ${phasesOf(status)
          .map(([name, one]) => counts(name, one))
          .join(', ')}`,
      );
    },
    event: write,
    done: () => {},
  };
}

/** Of a job without reduce, the core's reduces are its maps. */
function phasesOf({ maps, reduces }: JobStatus): (readonly [name: string, phase: PhaseStatus])[] {
  return maps.total === 0
    ? [['map', reduces]]
    : [
        ['map', maps],
        ['reduce', reduces],
      ];
}

function counts(name: string, phase: PhaseStatus): string {
  const again = phase.attempts - phase.total > 0 && phase.failed > 0 ? `, ${phase.failed} failed` : '';
  return `${name} ${phase.done}/${phase.total} (${phase.running} running${again})`;
}

function ndjsonView(): ProgressView {
  const write = (value: object): void => void process.stderr.write(`${printable(JSON.stringify(value))}\n`);
  return {
    status: ({ phase, maps, reduces, workers }) => write({ type: 'status', phase, maps, reduces, workers }),
    event: (message) => write({ type: 'event', message }),
    done: () => {},
  };
}

/** Of a pipe that is to be treated as a terminal, and of terminals that say 0. */
const columnsUnlessKnown = 80;

async function barView(): Promise<ProgressView> {
  const { createLogUpdate } = await import('log-update');
  const update = createLogUpdate(process.stderr);
  const tellFailures = failureTeller((line) => persist(line));
  const mapsSince = sinceFirst();
  const reducesSince = sinceFirst();
  let frame = '';
  const persist = (line: string): void => {
    update.clear();
    process.stderr.write(`${printable(line)}\n`);
    if (frame) update(frame);
  };
  return {
    status: (status) => {
      tellFailures(status);
      const since = { map: mapsSince(status.maps), reduce: reducesSince(status.reduces) };
      const phases = phasesOf(status).map(([name, phase]) => ({
        name,
        phase,
        tookUs: nowUs() - since[phase === status.maps ? 'map' : 'reduce'],
      }));
      frame = drawBars(phases, process.stderr.columns || columnsUnlessKnown);
      update(frame);
    },
    event: persist,
    done: () => {
      frame = '';
      update.clear();
      update.done();
    },
  };
}

/** When a phase was first seen at work. */
function sinceFirst(): (phase: PhaseStatus) => number {
  let startedUs: number | undefined;
  return (phase) => {
    if (phase.running + phase.done > 0) startedUs ??= nowUs();
    return startedUs ?? nowUs();
  };
}
