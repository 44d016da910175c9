/** A job with a `mapBytes` beside its `map`: who is asked, and that the answer is one. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
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

const late = `import { defineJob, sum } from 'mapreduce-rehearsal';
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export default defineJob({
  name: 'late',
  async map(line, emit) {
    for (const word of line.split(' ')) emit(word, 1);
    if (line.endsWith('0')) await wait(1); // for what comes late to find the kernel in use
  },
  async mapBytes(lines, emit) {
    for (let n = 0; n < 2000; n++) {
      if (n % 50 === 0) await wait(1);
      emit(0, 2, 1);
    }
  },
  combine: sum,
  reduce: sum,
});
`;

it('goes back to map where mapBytes is async, and takes nothing that it emits late', async () => {
  const lines = Array.from({ length: 400 }, (_, n) => `ab cd ${n}`).join('\n');
  const folder = newFolder({ 'job.ts': late, 'in.txt': lines });
  const args = ['run', 'job.ts', 'in.txt', '-r', '1', '-m', '1', '-w', '1'];
  await succeed([...args, '-o', 'out'], { cwd: folder });
  await succeed([...args, '-o', 'alone', '--sequential'], { cwd: folder });
  expect(partsOf(folder, 'out')).toEqual(partsOf(folder, 'alone'));
});

const flaky = `import { existsSync, writeFileSync } from 'node:fs';
import { defineJob, sum } from 'mapreduce-rehearsal';
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const later = async (emit) => {
  for (let n = 0; n < 1500; n++) {
    await wait(1);
    for (let i = 0; i < 500; i++) emit('zz', 1);
  }
};
export default defineJob({
  name: 'flaky',
  map(line, emit, { params }) {
    if (!existsSync(params.mark!)) {
      writeFileSync(params.mark!, '');
      return Promise.all([later(emit), Promise.reject(new Error('flaky'))]).then(() => undefined);
    }
    for (const word of line.split(' ')) emit(word, 1);
    return line.endsWith('0') ? wait(1) : undefined;
  },
  combine: sum,
  reduce: sum,
});
`;

it('what a failed map goes on to emit does not reach the next attempt of its thread', async () => {
  const lines = Array.from({ length: 2000 }, (_, n) => `ab cd ${n}`).join('\n');
  const folder = newFolder({ 'job.ts': flaky, 'in.txt': lines, mark: '' });
  const args = ['run', 'job.ts', 'in.txt', '-r', '1', '-m', '1', '-w', '1'];
  await succeed([...args, '-o', 'out', '--param', `mark=${join(folder, 'other')}`], { cwd: folder });
  await succeed([...args, '-o', 'alone', '--sequential', '--param', `mark=${join(folder, 'mark')}`], {
    cwd: folder,
  });
  expect(partsOf(folder, 'out')).toEqual(partsOf(folder, 'alone'));
});

const slow = `import { defineJob, sum } from 'mapreduce-rehearsal';
const cell = new Int32Array(new SharedArrayBuffer(4));
let lines = 0;
export default defineJob({
  name: 'slow',
  map(line, emit) {
    emit(line, 1);
    if (++lines % 1000 === 0) Atomics.wait(cell, 0, 0, 12);
  },
  mapBytes(lines, emit) {
    Atomics.wait(cell, 0, 0, 2000 * (lines.length / 7e6)); // long enough for the master to hear how far it is
    if (lines.length > 11 && lines[lines.length - 2] === 33) throw new Error('not this one');
    emit(0, 1, 1);
  },
  combine: sum,
  reduce: sum,
});
`;

it('is alive after it went back to map, though it begins again', async () => {
  const lines = Array.from({ length: 400_000 }, (_, n) => `line of text ${n % 10}`).join('\n');
  const folder = newFolder({ 'job.ts': slow, 'in.txt': `${lines}\nthe end!` });
  const args = ['run', 'job.ts', 'in.txt', '-r', '1', '-m', '1', '-w', '1', '-o', 'out'];
  await succeed([...args, '--task-timeout', '3s', '--max-attempts', '1'], { cwd: folder });
  const [log] = readdirSync(join(folder, '.rehearse/runs'), { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.includes('map-0'),
  );
  expect(readFileSync(join(folder, '.rehearse/runs', log!), 'utf8')).toBe(
    'map is asked instead of mapBytes, for this task: mapBytes failed: Error: not this one\n',
  );
});
