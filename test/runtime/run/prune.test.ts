import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runLayout } from '../../../runtime/node/layout.js';
import { pruneRuns, pruneRunsNowAndThen } from '../../../runtime/run/prune.js';

let data: string;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'rehearse-prune-'));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

function makeRun(number: number, resumable = false): string {
  const layout = runLayout(data, `run-${String(number).padStart(3, '0')}`);
  for (const path of [layout.trace, layout.journal, layout.files, layout.logs, layout.output]) {
    mkdirSync(path, { recursive: true });
  }
  if (resumable) mkdirSync(layout.work);
  writeFileSync(layout.request, '{}');
  return layout.runId;
}

it('beyond fifty ended runs the oldest lose their records, and no run its output', () => {
  const runs = Array.from({ length: 53 }, (_, index) => makeRun(index));
  pruneRuns(data, runs.at(-1)!);
  const kept = runs.filter((run) => existsSync(runLayout(data, run).trace));
  expect(kept).toEqual(runs.slice(2));
  expect(existsSync(runLayout(data, runs[0]!).journal)).toBe(false);
  expect(runs.every((run) => existsSync(runLayout(data, run).output))).toBe(true);
});

it('of ten runs in a row one looks at those before it', () => {
  const runs = Array.from({ length: 60 }, (_, index) => makeRun(index));
  const keptOf = (count: number) =>
    runs.slice(0, count).filter((run) => existsSync(runLayout(data, run).trace)).length;
  const left = Array.from({ length: 10 }, (_, index) => {
    runs.push(makeRun(60 + index));
    pruneRunsNowAndThen(data, runs.at(-1)!);
    return keptOf(runs.length);
  });
  expect(left.filter((count) => count === 51)).toHaveLength(1); // fifty, and the one that looks
});

it('a run that can be resumed keeps everything, however old', () => {
  const old = makeRun(0, true);
  const runs = Array.from({ length: 60 }, (_, index) => makeRun(index + 1));
  pruneRuns(data, runs.at(-1)!);
  expect(existsSync(runLayout(data, old).trace)).toBe(true);
  expect(existsSync(runLayout(data, old).journal)).toBe(true);
});

it('a stage of a pipeline keeps its records until the next stage has read its output', () => {
  const stages = [makeRun(0), makeRun(1), makeRun(2)];
  for (const [index, run] of stages.entries()) {
    const { request, output } = runLayout(data, run);
    writeFileSync(request, JSON.stringify({ spec: { output }, stage: { index, count: 3 } }));
  }
  rmSync(runLayout(data, stages[0]!).output, { recursive: true });
  const runs = Array.from({ length: 53 }, (_, index) => makeRun(index + 3));
  pruneRuns(data, runs.at(-1)!);
  expect(stages.map((run) => existsSync(runLayout(data, run).trace))).toEqual([false, true, false]);
});

it('a run that cannot be looked at, or not be removed, keeps nobody from removing the others', () => {
  const runs = Array.from({ length: 54 }, (_, index) => makeRun(index));
  const [first, second, third] = runs.map((run) => runLayout(data, run));
  for (const path of [first!.trace, runLayout(data, runs[20]!).trace]) {
    rmSync(path, { recursive: true });
    writeFileSync(path, 'no folder');
  }
  pruneRuns(data, runs.at(-1)!);
  expect(existsSync(first!.journal)).toBe(true);
  for (const { trace, journal } of [second!, third!]) expect([trace, journal].some(existsSync)).toBe(false);
});
