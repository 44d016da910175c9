/** Jobs that say what they want of JSON, as commands: every way of running them gives what a few lines of JavaScript give. */
import { describe, expect, it } from 'vitest';
import { expectTidy, linesOf, newFolder, succeed } from './command.js';

const records = Array.from({ length: 4000 }, (_, index) => ({
  path: `/${index % 13}/"${index}"`,
  host: `host-${(index * 7919) % 1500}.example.org`,
  bytes: index % 97,
}));
const text = `${records.map((record) => JSON.stringify(record)).join('\n')}\nno json\n\n{"host":1}`;

function expectedLines(): string[] {
  const groups = new Map<string, number[]>();
  for (const { host, bytes } of records) groups.set(host, [...(groups.get(host) ?? []), bytes]);
  const lines = [...groups].map(([host, all]) =>
    [host, all.length, all.reduce((a, b) => a + b), Math.min(...all), Math.max(...all)].join('\t'),
  );
  return lines.sort();
}

describe('statistics of JSON', () => {
  it.each([
    ['two workers', ['-w', '2', '-m', '7', '-r', '3']],
    ['one process', ['--sequential']],
    ['a tiny budget', ['-w', '2', '--budget', '64KiB']],
    ['a folder for each worker', ['-w', '2', '-m', '5', '--private-data']],
    ['bad records that are skipped', ['-w', '2', '--skip-bad-records']],
  ])('are the same with %s', async (_, flags) => {
    const folder = newFolder({ 'in.ndjson': text });
    const job = ['log-statistics', 'in.ndjson', '--param', 'format=ndjson'];
    const { out } = await succeed(['run', ...job, ...flags, '-o', 'out', '--json'], { cwd: folder });
    expect(linesOf(folder).sort()).toEqual(expectedLines());
    expect(out).toMatch(/"lines not understood",? ?:? ?3/);
    expectTidy(folder);
  });

  it('are those of a job of one’s own, made of params', async () => {
    const job = `import { defineJob } from 'mapreduce-rehearsal';
      export default ({ by }) => defineJob({
        name: 'most', groupBy: by, aggregates: { times: 'count', most: { max: 'bytes' } },
      });`;
    const folder = newFolder({ 'in.ndjson': text, 'job.mjs': job });
    await succeed(['run', 'job.mjs', 'in.ndjson', '--param', 'by=bytes', '-o', 'out', '-q'], { cwd: folder });
    expect(linesOf(folder)).toContain('96 {"times":41,"most":96}');
    const { out } = await succeed(['check', 'job.mjs', 'in.ndjson', '--param', 'by=bytes'], { cwd: folder });
    expect(out).toContain('ok   combine is associative');
  });

  it('may be written with a map of their own that names its fields', async () => {
    const job = `import { defineJob, sum } from 'mapreduce-rehearsal';
      export default defineJob({
        name: 'bytes', inputFormat: 'ndjson', fields: ['host', 'bytes'],
        map(record, emit) { emit(Object.keys(record).join() + record.host, record.bytes); },
        combine: sum, reduce: sum,
      });`;
    const good = text.slice(0, text.indexOf('no json'));
    const folder = newFolder({ 'in.ndjson': good, 'job.mjs': job });
    await succeed(['run', 'job.mjs', 'in.ndjson', '-w', '2', '-m', '4', '-o', 'out', '-q'], { cwd: folder });
    const expected = expectedLines().map((line) => line.split('\t'));
    expect(linesOf(folder).sort()).toEqual(
      expected.map(([host, , bytes]) => `host,bytes${host} ${bytes}`).sort(),
    );
  });
});
