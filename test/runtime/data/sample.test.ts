import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sum } from '../../../jobs/aggregates.js';
import type { Job } from '../../../jobs/types.js';
import { resolveInputs } from '../../../runtime/data/inputs.js';
import { sampleBoundaries } from '../../../runtime/data/sample.js';
import { temporaryDirectory } from './temporary.js';

it('lines that are no records leave the keys beside them to be looked at', async () => {
  const cwd = temporaryDirectory();
  const line = (index: number): string =>
    index % 150 === 7 ? '{"n": ' : `{"n":"${String(index).padStart(5, '0')}"}`;
  const lines = Array.from({ length: 20_000 }, (_, index) => `${line(index)}\n`);
  writeFileSync(join(cwd, 'in.ndjson'), lines.join(''));
  const job: Job = {
    name: 'by number',
    inputFormat: 'ndjson',
    partition: 'range',
    map: (record: { n: string }, emit) => emit(record.n, 1),
    reduce: sum,
  };
  const files = await resolveInputs(['in.ndjson'], { cwd });
  const boundaries = await sampleBoundaries({ job, files, reduces: 4, params: {}, seed: '0' });
  expect(boundaries!.map((key) => Math.round(Number(key) / 1000))).toEqual([5, 10, 15]);
});

it('no record is looked at twice, however small the input', async () => {
  const cwd = temporaryDirectory();
  const key = (index: number): string => String(index).padStart(4, '0');
  writeFileSync(join(cwd, 'in.txt'), Array.from({ length: 300 }, (_, index) => `${key(index)}\n`).join(''));
  const seen: string[] = [];
  const job: Job = {
    name: 'by number',
    partition: 'range',
    map: (line: string, emit) => {
      seen.push(line);
      emit(line, 1);
    },
    reduce: sum,
  };
  const files = await resolveInputs(['in.txt'], { cwd });
  const boundaries = await sampleBoundaries({ job, files, reduces: 2, params: {}, seed: '0' });
  expect(seen).toEqual(Array.from({ length: 300 }, (_, index) => key(index)));
  expect(boundaries).toEqual([key(150)]);
});
