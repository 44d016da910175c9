// Real processes on a real directory: racing, killed and stopped at random moments and at every step.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileJournal, JOURNAL_STEPS, type JournalStep } from '../../../runtime/store/file-journal.js';
import type { JournalEntry } from '../../../runtime/store/ports.js';
import { appendMany, expectLogFrom, readAll } from './journal-contract.js';

const PROGRAM = fileURLToPath(new URL('./fixtures/journal-writer.mjs', import.meta.url));
const BUILT = fileURLToPath(new URL('../../../dist/runtime/store/file-journal.js', import.meta.url));

const trimSteps: ReadonlySet<JournalStep> = new Set([
  'journal.before_trim',
  'journal.before_remove',
  'journal.after_remove',
]);

interface Answer {
  readonly slot: number;
  readonly nonce: string;
  readonly outcome: 'ok' | 'taken' | 'unknown';
  readonly mine: boolean;
}

/** A writer process and what it said so far. */
class Writer {
  readonly answers: Answer[] = [];
  readonly ended: Promise<unknown>;
  readonly #process: ChildProcess;
  #errors = '';
  #listeners: (() => void)[] = [];
  #reached = false;

  constructor(
    path: string,
    name: string,
    count: number,
    at?: { step: JournalStep; signal: string; nth: number; trims: boolean },
  ) {
    const env = at && {
      STEP: at.step,
      SIGNAL: at.signal,
      NTH: String(at.nth),
      ...(at.trims ? { TRIM: 'yes' } : {}),
    };
    this.#process = spawn(process.execPath, [PROGRAM, path, name, String(count)], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process.stderr?.on('data', (data) => {
      this.#errors += data;
    });
    const lines = createInterface({ input: this.#process.stdout! });
    lines.on('line', (text) => {
      const line = JSON.parse(text);
      if ('at' in line) this.#reached = true;
      else this.answers.push(line);
      for (const listener of this.#listeners) listener();
    });
    this.ended = Promise.all([once(this.#process, 'exit'), once(lines, 'close')]);
    void this.ended.then(() => {
      for (const listener of this.#listeners) listener();
    });
  }

  get acknowledged(): Map<number, string> {
    return new Map(this.answers.filter(({ mine }) => mine).map(({ slot, nonce }) => [slot, nonce]));
  }

  get errors(): string {
    return this.#errors;
  }

  /** Until it said so many answers, reached its step, or ended. */
  async until(answers: number): Promise<void> {
    const done = () => this.answers.length >= answers || this.#reached || this.gone;
    while (!done()) await new Promise<void>((resolve) => this.#listeners.push(resolve));
  }

  get reached(): boolean {
    return this.#reached;
  }

  get gone(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    if (!this.gone) this.#process.kill(signal);
  }
}

describe.skipIf(!existsSync(BUILT))('processes on one journal (needs the build in dist/)', () => {
  let path: string;
  let writers: Writer[];
  /** Somebody trims: the journal need not begin with slot 1. */
  let trimming: boolean;
  const start = (
    ...[name, count, at]: [string, number, { step: JournalStep; signal: string; nth: number }?]
  ) => {
    if (at && trimSteps.has(at.step)) trimming = true;
    const writer = new Writer(path, name, count, at && { ...at, trims: trimSteps.has(at.step) });
    writers.push(writer);
    return writer;
  };
  const log = async (): Promise<JournalEntry<string>[]> => {
    const journal = await FileJournal.open<string>(path);
    const entries = await readAll(journal, 1000);
    await journal.close();
    return entries;
  };
  const expectAll = async (...more: Map<number, string>[]) => {
    expect(writers.map((writer) => writer.errors).join('')).toBe('');
    const entries = await log();
    const first = trimming ? entries[0]!.slot : 1;
    expectLogFrom(first, entries, ...writers.map((writer) => writer.acknowledged), ...more);
  };

  beforeEach(async () => {
    path = join(await mkdtemp(join(tmpdir(), 'journal-')), 'journal');
    writers = [];
    trimming = false;
  });
  afterEach(async () => {
    for (const writer of writers) {
      await writer.signal('SIGKILL');
      await writer.ended;
    }
    await rm(join(path, '..'), { recursive: true });
  });

  it('four that race through thousands of appends lose nothing and share no slot', {
    timeout: 240_000,
  }, async () => {
    for (const name of ['a', 'b', 'c', 'd']) start(name, 600);
    await Promise.all(writers.map((writer) => writer.ended));
    for (const writer of writers) expect(writer.acknowledged.size).toBe(600);
    expect(await log()).toHaveLength(2400);
    await expectAll();
  });

  it('kill -9 at random moments loses nothing acknowledged', { timeout: 240_000 }, async () => {
    for (let round = 0; round < 10; round++) {
      const [victim, other] = [start(`v${round}`, 100_000), start(`o${round}`, 10)];
      await victim.until(Math.floor(Math.random() * 25));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 8));
      await victim.signal('SIGKILL');
      await Promise.all([victim.ended, other.ended]);
      expect(other.acknowledged.size).toBe(10);
    }
    await expectAll();
  });

  it.each(JOURNAL_STEPS)('kill -9 at %s loses nothing acknowledged, and others go on', async (step) => {
    const own = await FileJournal.open<string>(path);
    const before = await appendMany(own, 'before', 2);
    // The second time it passes a step of an append it is an owner of standing.
    const nth = JOURNAL_STEPS.indexOf(step) < JOURNAL_STEPS.indexOf('journal.after_write') ? 1 : 2;
    const victim = start('victim', 100, { step, signal: 'SIGKILL', nth });
    await victim.ended;
    expect(victim.reached).toBe(true);
    const after = await appendMany(own, 'after', 3);
    await own.close();
    await expectAll(before, after);
  });

  it.each(JOURNAL_STEPS)(
    'stopped at %s while another takes over, it never acknowledges what is not there',
    async (step) => {
      const own = await FileJournal.open<string>(path);
      const before = await appendMany(own, 'before', 2);
      const nth = JOURNAL_STEPS.indexOf(step) < JOURNAL_STEPS.indexOf('journal.after_write') ? 1 : 2;
      const stopped = start('stopped', 3, { step, signal: 'SIGSTOP', nth });
      await stopped.until(1000);
      expect(stopped.reached).toBe(true);
      const answered = stopped.answers.length;
      const meanwhile = await appendMany(own, 'meanwhile', 3);
      const then = await log();
      await stopped.signal('SIGCONT');
      await stopped.ended;
      await own.close();
      expect(stopped.acknowledged.size).toBe(3);
      // The append it was stopped in: acknowledged only if it was in the log before it woke, or is behind all others.
      const interrupted = stopped.answers[answered]!;
      const present = then.some((entry) => entry.nonce === interrupted.nonce);
      const last = then.at(-1)!.slot;
      if (interrupted.mine && !present) expect(interrupted.slot).toBeGreaterThan(last);
      const now = await log();
      expect(now.filter(({ slot }) => slot <= last)).toEqual(then.filter(({ slot }) => slot >= now[0]!.slot));
      await expectAll(before, meanwhile);
    },
  );
});
