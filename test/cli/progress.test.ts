/** Progress on a terminal: as wide as it, and without cursor movements where there are none. */
import { afterEach, expect, it, vi } from 'vitest';
import { drawBars } from '../../cli/run/bars.js';
import { openProgress } from '../../cli/run/progress.js';
import { openTerminal } from '../../cli/terminal.js';
import type { PhaseStatus } from '../../core/messages.js';

const untroubled = { stale: 0, speculative: 0, invalidated: 0 };
const maps: PhaseStatus = { total: 200, done: 100, running: 4, failed: 3, attempts: 204, ...untroubled };
const reduces: PhaseStatus = { total: 5, done: 0, running: 0, failed: 0, attempts: 0, ...untroubled };
const phases = [
  { name: 'map', phase: maps, tookUs: 200e6 },
  { name: 'reduce', phase: reduces, tookUs: 0 },
];

afterEach(() => {
  vi.unstubAllEnvs();
});

it('no line of a bar is as wide as the terminal, and bars are of one width', () => {
  for (let columns = 1; columns <= 200; columns++) {
    const lines = drawBars(phases, columns).split('\n');
    for (const line of lines) expect(line.length, `${columns}: ${line}`).toBeLessThan(Math.max(2, columns));
    const widths = lines.map((line) => /[█░]*(?=[^█░]*$)/.exec(line)?.[0].length);
    expect(widths[0]).toBe(widths[1]);
  }
});

it('numbers stay when there is no room for a bar', () => {
  expect(drawBars(phases, 120)).toBe(
    `map    ${'█'.repeat(15)}${'░'.repeat(15)} 100/200, 4 running, 4 again, about 3 min 20 s left
reduce ${'░'.repeat(30)} 0/5, 0 running`,
  );
  expect(drawBars(phases, 69).split('\n')[0]).toBe(
    'map    █████░░░░░ 100/200, 4 running, 4 again, about 3 min 20 s left',
  );
  expect(drawBars(phases, 60).split('\n')[0]).toBe(
    'map    100/200, 4 running, 4 again, about 3 min 20 s left',
  );
  expect(drawBars(phases, 20)).toBe('map    100/200, 4 r\nreduce 0/5, 0 runni');
});

it('a terminal that says it is dumb gets no cursor movements', () => {
  const was = process.stderr.isTTY;
  process.stderr.isTTY = true;
  try {
    vi.stubEnv('TERM', 'xterm');
    expect(openTerminal({}).interactive).toBe(true);
    vi.stubEnv('TERM', 'dumb');
    expect(openTerminal({}).interactive).toBe(false);
  } finally {
    process.stderr.isTTY = was;
  }
});

it('NDJSON quotes every control character, and means the same', async () => {
  const message = 'lost: a\u007f\u009b2J';
  const written: string[] = [];
  const write = vi
    .spyOn(process.stderr, 'write')
    .mockImplementation((text) => written.push(String(text)) > 0);
  try {
    (await openProgress('ndjson', openTerminal({}), false)).event(message);
  } finally {
    write.mockRestore();
  }
  expect(written).toEqual(['{"type":"event","message":"lost: a\\u007f\\u009b2J"}\n']);
  expect(JSON.parse(written[0]!)).toEqual({ type: 'event', message });
});
