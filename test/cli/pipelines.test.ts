import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newFolder, rehearse, start, until } from './command.js';

/** All parts of an output, in their order. */
function output(folder: string, name: string): string {
  const parts = readdirSync(join(folder, name)).filter((file) => file.startsWith('part-'));
  return parts
    .sort()
    .map((part) => readFileSync(join(folder, name, part), 'utf8'))
    .join('');
}

/** Word lengths, then how many words there are of each length: exact through two stages. */
const twoStages = `
import { definePipeline, defineJob, sum, type StageRecord } from 'mapreduce-rehearsal';
const words = defineJob({
  name: 'words',
  map(line, emit) { for (const w of line.split(' ')) emit(w, 1); },
  combine: sum,
  reduce: (_w, n) => ({ times: sum('', n) }),
});
const lengths = defineJob({
  name: 'lengths',
  inputFormat: 'ndjson',
  map({ key, value }: StageRecord<{ times: number }>, emit) { emit(String(key.length), value.times); },
  reduce: sum,
});
export default definePipeline({ name: 'two', stages: [words, lengths] });
`;

const links = 'a b\nb c\nc a\nd a\n# no link\n';

describe('a pipeline', () => {
  it('hands exactly what a stage returned to the next one, sequentially and distributed', async () => {
    const folder = newFolder({ 'job.ts': twoStages, 'in.txt': 'bb a\na ccc bb\ta\n' });
    const flags = ['-w', '2', '-r', '1', '-m', '2'];
    const ran = await rehearse(['run', 'job.ts', 'in.txt', ...flags, '-o', 'out'], { cwd: folder });
    expect(ran.err).toMatch(/stage 1 of 2, words/);
    expect(output(folder, 'out')).toBe('1 2\n2 1\n3 1\n4 1\n');
    // What lay between the stages is gone.
    const runs = join(folder, '.rehearse', 'runs');
    for (const run of readdirSync(runs)) expect(readdirSync(join(runs, run))).not.toContain('output');
    const again = await rehearse(['run', 'job.ts', 'in.txt', ...flags, '--sequential', '-o', '-', '-q'], {
      cwd: folder,
    });
    expect(again.out).toBe('1 2\n2 1\n3 1\n4 1\n');
    expect([ran.code, again.code]).toEqual([0, 0]);
  });

  it('is refused as a whole before anything is started when its output exists', async () => {
    const folder = newFolder({ 'job.ts': twoStages, 'in.txt': 'a\n', out: 'in the way' });
    const ended = await rehearse(['run', 'job.ts', 'in.txt', '-o', 'out'], { cwd: folder });
    expect(ended.err).toContain('error[O002]');
    expect(ended.code).toBe(2);
    expect(readdirSync(folder)).not.toContain('.rehearse');
  });

  it.each([0, 1])('that was killed at stage %i goes on there, and with those that follow', async (stage) => {
    const again = 'defineJob({ ...lengths, map({ key, value }, emit) { emit(key, value); } })';
    const threeStages = twoStages.replace('[words, lengths]', `[words, lengths, ${again}]`);
    const map = ['map(line, emit) {', 'map({ key, value }: StageRecord<{ times: number }>, emit) {'][stage]!;
    const waits = 'await new Promise((r) => setTimeout(r, 400));';
    const folder = newFolder({
      'job.ts': threeStages.replace(map, `async ${map} ${waits}`),
      'in.txt': 'bb a\na ccc bb a\n',
    });
    const command = start(['run', 'job.ts', 'in.txt', '-w', '1', '-m', '4', '-r', '1', '-o', 'out'], {
      cwd: folder,
      env: { REHEARSE_DATA_DIR: 'data' },
    });
    const runs = join(folder, 'data', 'runs');
    const begun = (run: string): boolean => {
      try {
        return readdirSync(join(runs, run, 'work')).length > 0;
      } catch {
        return false;
      }
    };
    const allRuns = (): string[] => (existsSync(runs) ? readdirSync(runs) : []);
    await until('the stage runs', () => allRuns().length === stage + 1 && allRuns().some(begun));
    command.child.kill('SIGKILL');
    await command.ended;
    const ended = await rehearse(['resume', 'last', '--data-dir', 'data'], { cwd: folder });
    expect(ended.code, ended.err).toBe(0);
    expect(output(folder, 'out')).toBe('1 3\n2 2\n3 1\n');
    // All stages are in one place, and what lay between them is gone.
    expect(readdirSync(folder).sort()).toEqual(['data', 'in.txt', 'job.ts', 'out']);
    expect(allRuns()).toHaveLength(3);
    for (const run of allRuns()) expect(readdirSync(join(runs, run))).not.toContain('output');
    const said: string[] = [];
    for (const run of allRuns())
      said.push((await rehearse(['resume', join(runs, run)], { cwd: folder })).err);
    expect(said.filter((err) => err.includes('the stage that followed has read its output'))).toHaveLength(2);
    expect(said.filter((err) => err.includes(' is done: '))).toHaveLength(1);
  });

  it('that is stopped while a stage is at its end begins no other, and goes on with it', async () => {
    const slowly = `reduce: async (_w, n) => {
      const times = sum('', n);
      writeFileSync(${JSON.stringify('reducing')}, '');
      await new Promise((r) => setTimeout(r, 500));
      return { times };
    },`;
    const folder = newFolder({
      'job.ts': `import { writeFileSync } from 'node:fs';${twoStages.replace("reduce: (_w, n) => ({ times: sum('', n) }),", slowly)}`,
      'in.txt': 'bb a\na ccc bb a\n',
    });
    const command = start(['run', 'job.ts', 'in.txt', '-w', '1', '-m', '1', '-r', '1', '-o', 'out'], {
      cwd: folder,
    });
    await until('the first stage reduces', () => existsSync(join(folder, 'reducing')));
    command.child.kill('SIGINT');
    const ended = await command.ended;
    expect(ended.code, ended.err).toBe(130);
    expect(ended.err).toMatch(/stopped\. to go on: rehearse resume /);
    const runs = join(folder, '.rehearse', 'runs');
    expect(readdirSync(runs)).toHaveLength(1);
    expect(existsSync(join(folder, 'out'))).toBe(false);
    const resumed = await rehearse(['resume', readdirSync(runs)[0]!, '--json'], { cwd: folder });
    expect(resumed.code, resumed.err).toBe(0);
    expect(JSON.parse(resumed.out)).toMatchObject({ outcome: 'published' });
    expect(output(folder, 'out')).toBe('1 3\n2 2\n3 1\n');
    expect(readdirSync(runs)).toHaveLength(2);
  });
});

describe('built-in jobs on files', () => {
  it('sort orders all lines over all parts, as sort does', async () => {
    const lines = Array.from({ length: 3000 }, (_, i) => `${(i * 7919) % 1009} é\t\\ ${'x'.repeat(i % 50)}`);
    const folder = newFolder({ 'in.txt': `${lines.join('\n')}\n` });
    const ended = await rehearse(['run', 'sort', 'in.txt', '-m', '5', '-r', '4', '-w', '2', '-o', 'out'], {
      cwd: folder,
    });
    expect(ended.code).toBe(0);
    const expected = lines.map((line) => Buffer.from(line)).sort(Buffer.compare);
    expect(output(folder, 'out')).toBe(`${expected.join('\n')}\n`);
    const sizes = readdirSync(join(folder, 'out')).filter((file) => file.startsWith('part-')).length;
    expect(sizes).toBe(4);
    for (const part of ['part-00000', 'part-00003'])
      expect(readFileSync(join(folder, 'out', part)).length).toBeGreaterThan(5000);
  });

  it('join puts rows side by side and keeps left rows without a partner when asked', async () => {
    const folder = newFolder({
      'people.tsv': '1\talice\n2\tbob\n3\tcarl\n',
      'orders.tsv': '1\tbook\n1\tpen\n3\tcup\n9\tx\n',
    });
    const join_ = [
      'run',
      'join',
      'people.tsv',
      'orders.tsv',
      '--param',
      'right=orders',
      '-r',
      '1',
      '-o',
      '-',
      '-q',
    ];
    const inner = await rehearse(join_, { cwd: folder });
    expect(inner.out).toBe('1\talice\tbook\n1\talice\tpen\n3\tcarl\tcup\n');
    const outer = await rehearse([...join_, '--param', 'outer=left'], { cwd: folder });
    expect(outer.out).toBe('1\talice\tbook\n1\talice\tpen\n2\tbob\n3\tcarl\tcup\n');
  });

  it('top-k and page-rank answer as their definitions say', async () => {
    const folder = newFolder({ 'in.txt': 'b a c\na b a d\n', 'links.txt': links });
    const top = await rehearse(['run', 'top-k', 'in.txt', '--param', 'k=3', '-o', '-', '-q'], {
      cwd: folder,
    });
    expect(top.out).toBe('3 a\n2 b\n1 c\n');
    const ranks = await rehearse(
      ['run', 'page-rank', 'links.txt', '--param', 'rounds=3', '-r', '1', '-o', '-', '-q'],
      {
        cwd: folder,
      },
    );
    expect(ranks.out).toBe(ranksByHand(3));
  });
});

/** The ranks of `links`, computed on the whole graph at once. */
function ranksByHand(rounds: number): string {
  const pages: Record<string, string[]> = { a: ['b'], b: ['c'], c: ['a'], d: ['a'] };
  let ranks = Object.fromEntries(Object.keys(pages).map((page) => [page, 1]));
  for (let round = 0; round < rounds; round++) {
    const next = Object.fromEntries(Object.keys(pages).map((page) => [page, 0.15]));
    for (const [page, to] of Object.entries(pages)) {
      for (const link of to) next[link]! += (0.85 * ranks[page]!) / to.length;
    }
    ranks = next;
  }
  return Object.entries(ranks)
    .map(([page, rank]) => `${page} ${rank.toFixed(6)}\n`)
    .join('');
}

describe('a job without reduce', () => {
  const job =
    "import { defineJob, type Emit } from 'mapreduce-rehearsal';\n" +
    "export default defineJob({ name: 'upper', outputFormat: 'lines', reduce: 'none',\n" +
    "  map(line, emit: Emit<string, string>) { if (line === 'bad') throw new Error('no'); if (line) emit('', line.toUpperCase()); } });\n";

  it('writes what its maps emit, in the order of the input, a part per map task', async () => {
    const lines = Array.from({ length: 500 }, (_, i) => (i % 7 === 3 ? '' : `b ${500 - i} é`));
    const folder = newFolder({ 'job.ts': job, 'in.txt': `${lines.join('\n')}\n` });
    const ended = await rehearse(['run', 'job.ts', 'in.txt', '-m', '4', '-w', '2', '-o', 'out'], {
      cwd: folder,
    });
    const expected = lines.filter((line) => line !== '').map((line) => `${line.toUpperCase()}\n`);
    expect(output(folder, 'out')).toBe(expected.join(''));
    expect(readdirSync(join(folder, 'out')).filter((file) => file.startsWith('part-'))).toHaveLength(4);
    expect(ended.err).toMatch(/map +4 tasks/);
    expect(ended.err).not.toMatch(/reduce +\d/);
    const sequential = await rehearse(
      ['run', 'job.ts', 'in.txt', '-m', '4', '--sequential', '-o', '-', '-q'],
      {
        cwd: folder,
      },
    );
    expect(sequential.out).toBe(expected.join(''));
  });

  it('that throws says where', async () => {
    const folder = newFolder({ 'job.ts': job, 'in.txt': 'a\nbad\n' });
    const ended = await rehearse(['run', 'job.ts', 'in.txt', '-w', '1', '--max-attempts', '1', '-o', 'out'], {
      cwd: folder,
    });
    expect(ended.code).toBe(1);
    expect(ended.err).toContain('map-0 failed 1 times');
    expect(ended.err).toContain('at in.txt, byte 2');
  });

  it('that emits a key which is no string is told so', async () => {
    const odd = job.replace("emit('',", 'emit(5 as unknown as string,');
    const folder = newFolder({ 'job.ts': odd, 'in.txt': 'a\n' });
    const ended = await rehearse(['run', 'job.ts', 'in.txt', '--sequential', '-o', 'out'], { cwd: folder });
    expect(ended.code).toBe(1);
    expect(ended.err).toContain('a key must be a string, but 5 was emitted: use String(key)');
  });
});
