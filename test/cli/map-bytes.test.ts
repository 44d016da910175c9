/** A job with a `mapBytes` beside its `map`: who is asked, and that the answer is one. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newFolder, partsOf, succeed } from './command.js';

const job = `import { existsSync, writeFileSync } from 'node:fs';
import { defineJob, sum } from 'mapreduce-rehearsal';
export default defineJob({
  name: 'j',
  map(line, emit) { for (const word of line.split(' ')) emit(word, 1); },
  mapBytes(lines, emit, { params }) {
    writeFileSync(params.mark!, '');
    for (let at = 0, from = 0; at < lines.length; at++) {
      if (lines[at] !== 10 && lines[at] !== 32) continue;
      emit(from, at, 1);
      from = at + 1;
    }
  },
  combine: sum,
  reduce: sum,
});
`;

it('asks mapBytes in processes and map in the command, for the same bytes, however much is spilled', async () => {
  const lines = Array.from({ length: 9000 }, (_, n) => `${n % 5} wörd${n} ${n % 700}é\r\n`);
  const folder = newFolder({ 'job.ts': job, 'a.txt': lines.join(''), 'b.txt': lines.join('').slice(7, -2) });
  const args = ['run', 'job.ts', 'a.txt', 'b.txt', '-r', '2', '-m', '3', '--budget', '64KiB'];
  const paths = ['bytes', 'lines'].map((name) => join(folder, name));
  await succeed([...args, '-o', 'out', '--param', `mark=${paths[0]}`], { cwd: folder });
  await succeed([...args, '-o', 'alone', '--sequential', '--param', `mark=${paths[1]}`], { cwd: folder });
  expect(paths.map((path) => existsSync(path))).toEqual([true, false]);
  expect(partsOf(folder, 'out')).toEqual(partsOf(folder, 'alone'));
  const { counters } = JSON.parse(readFileSync(join(folder, 'out', '_SUCCESS.json'), 'utf8'));
  expect(counters['map.spills']).toBeGreaterThan(3);
});
