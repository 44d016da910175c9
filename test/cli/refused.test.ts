import { expect, it } from 'vitest';
import { type Concluding, concludeRun } from '../../cli/run/conclude.js';
import type { JobRefused } from '../../core/messages.js';

/** How a run ends whose job was refused: its exit code, and what people are told. */
async function ended(reason: JobRefused['reason']): Promise<{ code: number; said: string }> {
  const said: string[] = [];
  const terminal = {
    out: () => {},
    say: () => {},
    warn: (line: string) => void said.push(line),
    interactive: false,
  };
  const message = 'the store has gone back in time';
  const refused = { type: 'job.refused', epoch: 2, requestId: 'run-1', slot: 4, reason, message } as const;
  const ending = { type: 'concluded', conclusion: { type: 'refused', refused }, left: [] } as const;
  const code = await concludeRun(ending, {
    request: { runId: 'run-1' },
    terminal,
    flags: {},
  } as unknown as Concluding);
  return { code, said: said.join('\n') };
}

it('a run whose accepted job the store has lost ends with exit code 4, and says why', async () => {
  const { code, said } = await ended('gone');
  expect(code).toBe(4);
  expect(said).toContain('the store has gone back in time');
});

it('a run that was turned away for what it asked is the user’s mistake', async () => {
  expect((await ended('output-overlaps')).code).toBe(2);
});
