/** A job in two ways: as the plain path defines it, and in attempts as workers run them, through whatever lanes they choose. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect } from 'vitest';
import { addCounters, type PlainRecord, type PlainSplit, runPlain } from '../../../jobs/plain.js';
import type { Job } from '../../../jobs/types.js';
import type { InputFile } from '../../../runtime/data/input-file.js';
import { resolveInputs } from '../../../runtime/data/inputs.js';
import { runMapAttempt } from '../../../runtime/data/map-attempt.js';
import { planSplits } from '../../../runtime/data/plan.js';
import { readRecords } from '../../../runtime/data/records.js';
import { runReduceAttempt } from '../../../runtime/data/reduce-attempt.js';

export interface Shape {
  readonly targetMaps: number;
  readonly reduces: number;
  readonly budgetBytes: number;
  readonly fanIn: number;
  readonly kernelFromBytes?: number;
}

export async function plainly(job: Job, files: InputFile[], shape: Shape) {
  const { splits } = planSplits(files, { targetMaps: shape.targetMaps, slots: 1 });
  async function* recordsOf(ranges: (typeof splits)[number]): AsyncGenerator<PlainRecord[]> {
    for await (const { file, records } of readRecords(files, ranges, job))
      yield [...records].map(({ record, offset }) => ({ record, offset, input: file.name }));
  }
  const { reduces, budgetBytes } = shape;
  const plainSplits: PlainSplit[] = splits.map((ranges) => recordsOf(ranges));
  return await runPlain({ job, splits: plainSplits, reduces, budgetBytes, params: {}, seed: '' });
}

export async function inAttempts(directory: string, job: Job, files: InputFile[], shape: Shape) {
  for (const name of ['maps', 'reduces']) {
    rmSync(join(directory, name), { recursive: true, force: true });
    mkdirSync(join(directory, name));
  }
  const { reduces, budgetBytes, fanIn, kernelFromBytes = 0 } = shape;
  const plan = planSplits(files, { targetMaps: shape.targetMaps, slots: 1 });
  const settingOf = (task: string, folder: string) => ({
    job,
    budgetBytes,
    fanIn,
    context: { task, params: {}, seed: '' },
    privateDirectory: join(directory, `private-${task}`),
    target: join(directory, folder, task),
  });
  const results = [];
  for (const [index, ranges] of plan.splits.entries()) {
    results.push(await runMapAttempt({ ...settingOf(`map-${index}`, 'maps'), files, ranges, reduces }));
  }
  const sources = plan.splits.map((_, task) => ({ task, path: join(directory, 'maps', `map-${task}`) }));
  const parts: string[] = [];
  for (let partition = 0; partition < reduces; partition++) {
    const setting = settingOf(`reduce-${partition}`, 'reduces');
    results.push(await runReduceAttempt({ ...setting, partition, sources, kernelFromBytes }));
    parts.push(readFileSync(setting.target, 'utf8'));
  }
  expect(readdirSync(directory).filter((name) => name.startsWith('private'))).toEqual([]);
  for (const { counters } of results) {
    expect(counters).toEqual(counters.toSorted(([one], [other]) => (one < other ? -1 : 1))); // by name, as records have them
  }
  return { parts, counters: addCounters(results.map((result) => result.counters)) };
}

export const shapes = fc.record({
  targetMaps: fc.integer({ min: 1, max: 9 }),
  reduces: fc.integer({ min: 1, max: 5 }),
  budgetBytes: fc.constantFrom(1, 500, 2000, 9000, 1 << 20),
  fanIn: fc.constantFrom(2, 3, 64),
  kernelFromBytes: fc.constantFrom(0, 1e9),
});

export async function filesOf(directory: string, contents: readonly Buffer[]): Promise<InputFile[]> {
  mkdirSync(join(directory, 'in'));
  for (const [index, one] of contents.entries()) {
    if (index === 1) writeFileSync(join(directory, 'in/1.gz'), gzipSync(one));
    else writeFileSync(join(directory, `in/${index}.txt`), one);
  }
  return await resolveInputs(['in'], { cwd: directory });
}
