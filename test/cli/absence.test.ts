import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Absence } from '../../cli/run/absence.js';
import { defaultClusterConfig } from '../../core/config.js';
import type { JobStatus } from '../../core/messages.js';

/** A leader's word, as far as it is looked at. */
const word = (workers: number) => ({ workers }) as JobStatus;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched() {
  const said: string[] = [];
  const absence = new Absence({
    config: defaultClusterConfig,
    say: (line) => said.push(line),
    unanswered: () => said.push('over'),
  });
  /** With a word each second. */
  const pass = (seconds: number, workers?: number): void => {
    for (let second = 0; second < seconds; second++) {
      vi.advanceTimersByTime(1000);
      if (workers !== undefined) absence.heard(word(workers));
    }
  };
  return { absence, said, pass };
}

it('That nobody leads is said once for each while in which nobody does', () => {
  const { said, pass } = watched();
  pass(20, 2);
  expect(said).toEqual([]);
  pass(30);
  expect(said).toEqual(['no master has led for 9 s']);
  pass(1, 2);
  pass(30);
  expect(said).toHaveLength(2);
});

it('That no worker comes is said once, and that one is there again is no news', () => {
  const { said, pass } = watched();
  pass(30, 0);
  expect(said).toEqual(['no worker has come for 9 s']);
  pass(30, 1);
  expect(said).toHaveLength(1);
});

it('A drain is over when no leader speaks, and not while one does', () => {
  const { absence, said, pass } = watched();
  absence.drain();
  pass(3600, 2);
  expect(said).toEqual([]);
  pass(60);
  expect(said.slice(1)).toEqual([expect.stringContaining('stopping at once'), 'over']);
});

it('A drain that begins long after the last word of a leader is over at once', () => {
  const { absence, said, pass } = watched();
  pass(60);
  absence.drain();
  pass(1);
  expect(said.at(-1)).toBe('over');
});

it('Time in which the process itself stood still is nobody’s absence', () => {
  const { absence, said, pass } = watched();
  absence.drain();
  pass(5, 2);
  const now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now + 3_600_000);
  vi.advanceTimersByTime(2000);
  expect(said).toEqual([]);
});
