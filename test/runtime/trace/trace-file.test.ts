import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { defaultClusterConfig } from '../../../core/config.js';
import { type TraceHeader, type TraceLine, traceVersion } from '../../../core/trace.js';
import { TraceFile } from '../../../runtime/trace/trace-file.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rehearse-trace-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const header: TraceHeader = {
  trace: traceVersion,
  driver: 'runtime',
  versions: {},
  setup: { role: 'client', config: defaultClusterConfig, life: { node: 'client-1', incarnation: 1 } },
};
const line = (i: number): TraceLine => ({
  i,
  at: i,
  event: { type: 'node.started' },
  effects: [],
  chain: '',
});

/** A trace with so many lines, each in a turn of its own. */
async function traceOf(path: string, count: number): Promise<TraceFile> {
  const trace = new TraceFile(path, header, (error) => {
    throw error;
  });
  for (let i = 1; i <= count; i++) {
    trace.write(line(i));
    await new Promise(setImmediate);
  }
  return trace;
}

it('A trace has every line in its place, in a hurry too, once it is closed', async () => {
  const path = join(folder, 'client-1.1.ndjson');
  const trace = await traceOf(path, 50);
  trace.close();
  const [first, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  expect(JSON.parse(first!)).toEqual(JSON.parse(JSON.stringify(header)));
  expect(lines.map((text) => JSON.parse(text).i)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
});

it('What is waiting is written without being asked for', async () => {
  const path = join(folder, 'client-1.1.ndjson');
  const trace = await traceOf(path, 20);
  await expect.poll(() => readFileSync(path, 'utf8').trimEnd().split('\n').length).toBe(21);
  trace.close();
});
