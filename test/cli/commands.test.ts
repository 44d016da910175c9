import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newFolder, rehearse, start } from './command.js';

/** Word counts in awk, as somebody brings them along from Hadoop streaming. */
const mapper = `awk '{ for (i = 1; i <= NF; i++) print $i "\\t1"; print "reporter:counter:mine,lines,1" > "/dev/stderr" }'`;
const reducer = `awk -F '\\t' '{ if (NR > 1 && $1 != k) { print k "\\t" n; n = 0 } k = $1; n += $2 } END { if (NR) print k "\\t" n }'`;

const lines = Array.from({ length: 400 }, (_, i) => `w${i % 7} w${i % 31} é${i % 3}`);
const text = `${lines.join('\n')}\n`;

function counted(): string[] {
  const counts = new Map<string, number>();
  for (const word of lines.join(' ').split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, times]) => `${word}\t${times}`).sort();
}

function output(folder: string, name: string): string[] {
  const parts = readdirSync(join(folder, name)).filter((file) => file.startsWith('part-'));
  return parts.flatMap((part) =>
    readFileSync(join(folder, name, part), 'utf8')
      .split('\n')
      .slice(0, -1),
  );
}

function isRunning(command: string): boolean {
  try {
    return execFileSync('pgrep', ['-fc', `^${command}`], { encoding: 'utf8' }).trim() !== '0';
  } catch {
    return false;
  }
}

describe('programs in the place of a job', () => {
  it.each([
    [[]],
    [['--sequential']],
    [['--combiner', reducer]],
    [['--combiner', reducer, '--budget', '64kB']],
  ])('map and reduce as their pipe through sort would: %j', async (more) => {
    const folder = newFolder({ 'in.txt': text });
    const flags = ['--mapper', mapper, '--reducer', reducer, ...more];
    const ended = await rehearse(['run', ...flags, 'in.txt', '-m', '3', '-r', '2', '-w', '2', '-o', 'out'], {
      cwd: folder,
    });
    expect(ended.code, ended.err).toBe(0);
    expect(output(folder, 'out').sort()).toEqual(counted());
    expect(ended.err).toMatch(/mine: lines +400/);
  });

  it('see which task they are, and which inputs they read', async () => {
    const folder = newFolder({ 'a.txt': 'x\n', 'b.txt': 'y\n' });
    const tell = 'sed "s|^|$REHEARSE_TASK $(echo $REHEARSE_INPUT) $mapreduce_task_ismap |"';
    const ended = await rehearse(
      ['run', '--mapper', tell, 'a.txt', 'b.txt', '-m', '1', '-r', '1', '-o', '-', '-q'],
      {
        cwd: folder,
      },
    );
    expect(ended.out).toBe('map-0 a.txt b.txt true x\t\nmap-0 a.txt b.txt true y\t\n');
  });

  it('see the params', async () => {
    const folder = newFolder({ 'a.txt': 'x\n' });
    const tell = 'sed "s|$|$REHEARSE_PARAM_by $REHEARSE_PARAM_least_n|"';
    const programs = ['--mapper', tell, '--combiner', tell, '--reducer', tell];
    const params = ['--param', 'by=an hour', '--param', 'least-n=3'];
    const args = ['run', ...programs, ...params, 'a.txt', '-w', '1', '-r', '1', '-o', '-', '-q'];
    const ended = await rehearse(args, { cwd: folder });
    expect(ended.out).toBe('xan hour 3\tan hour 3an hour 3\n');
  });

  it('see the name of their attempt, which is that of no other', async () => {
    const folder = newFolder({ 'a.txt': 'x\n' });
    const names = join(folder, 'names');
    const tell = `echo $REHEARSE_ATTEMPT $mapreduce_task_attempt_id >> ${names}`;
    const failOnce = `[ $(wc -l < ${names}) -gt 1 ] && cat`;
    const programs = [
      '--mapper',
      `${tell}; ${failOnce}`,
      '--combiner',
      `${tell}; cat`,
      '--reducer',
      `${tell}; cat`,
    ];
    const run = ['run', ...programs, 'a.txt', '-r', '1', '-w', '1', '--no-speculate', '-q', '-o'];
    const first = await rehearse([...run, 'one'], { cwd: folder });
    expect(first.code, first.err).toBe(0);
    const second = await rehearse([...run, 'two', '--sequential'], { cwd: folder });
    expect(second.code, second.err).toBe(0);
    const lines = readFileSync(names, 'utf8').trim().split('\n');
    const told = lines.map((line) => line.split(' '));
    for (const [own, asHadoop] of told) expect(own).toBe(asHadoop);
    const [failed, mapper, combiner, reducer, ...sequentially] = told.map(([own]) => own);
    expect(failed).toMatch(/map-0/);
    expect(reducer).toMatch(/reduce-0/);
    expect(combiner).toBe(mapper);
    expect(sequentially).toHaveLength(3);
    expect(sequentially[0]).toBe(sequentially[1]);
    expect(new Set([failed, mapper, reducer, ...sequentially]).size).toBe(5);
  });

  it('see the environment of whoever runs them, and nothing that is for workers alone', async () => {
    const folder = newFolder({ 'a.txt': 'x\n', 'more.pem': '' });
    const tell = 'sed "s|^|<$NODE_EXTRA_CA_CERTS> <$MALLOC_ARENA_MAX> |"';
    const env = { NODE_EXTRA_CA_CERTS: join(folder, 'more.pem') };
    const args = ['run', '--mapper', tell, 'a.txt', '-w', '1', '-r', '1', '-o', '-', '-q'];
    const ended = await rehearse(args, { cwd: folder, env });
    expect(ended.out).toBe(`<${env.NODE_EXTRA_CA_CERTS}> <> x\t\n`);
    const asked = await rehearse(args, { cwd: folder, env: { ...env, MALLOC_ARENA_MAX: '3' } });
    expect(asked.out).toBe(`<${env.NODE_EXTRA_CA_CERTS}> <3> x\t\n`);
  });

  it('exchange NDJSON when asked', async () => {
    const folder = newFolder({ 'in.txt': 'b\na\nb\n' });
    const make = `sed 's/.*/{"key":"&","value":{"n":1}}/'`;
    const ended = await rehearse(
      ['run', '--mapper', make, '--io', 'ndjson', '--reducer', 'cat', 'in.txt', '-r', '1', '-o', '-', '-q'],
      { cwd: folder },
    );
    expect(ended.out.split('\n')).toEqual([
      '{"key":"a","value":{"n":1}}',
      '{"key":"b","value":{"n":1}}',
      '{"key":"b","value":{"n":1}}',
      '',
    ]);
  });

  it.each([
    [
      'mapper',
      ['--mapper', 'echo so >&2; exit 3'],
      'the mapper (echo so >&2; exit 3) ended with exit code 3: so',
    ],
    [
      'combiner',
      ['--mapper', 'cat', '--combiner', 'echo so >&2; exit 3'],
      'the combiner (echo so >&2; exit 3) ended with exit code 3: so',
    ],
    ['reducer', ['--mapper', 'cat', '--reducer', 'no-such-program'], 'exit code 127'],
  ])('that fail are the cause of the failure: the %s', async (_role, flags, cause) => {
    const folder = newFolder({ 'in.txt': 'a\n' });
    const ended = await rehearse(['run', ...flags, 'in.txt', '--max-attempts', '1', '-w', '1', '-o', 'out'], {
      cwd: folder,
    });
    expect(ended.err).toContain(cause);
    expect(ended.code).toBe(1);
    expect(readdirSync(folder)).not.toContain('out');
  });

  it.each([
    [[], 'g,n,99999999999999999999', 'not a safe integer'],
    [['--sequential'], 'g,n,99999999999999999999', 'not a safe integer'],
    [['--sequential'], 'map.x,n,1', 'cannot name a counter'],
  ])('that count what cannot be counted are the cause of the failure: %j %s', async (more, counter, why) => {
    const folder = newFolder({ 'in.txt': 'a\n' });
    const count = `echo reporter:counter:${counter} >&2; cat`;
    const flags = ['--mapper', count, '--max-attempts', '1', '-w', '1', '-o', 'out', ...more];
    const ended = await rehearse(['run', ...flags, 'in.txt'], { cwd: folder });
    expect(ended.err).toMatch(/the mapper \(echo .*\) counted what cannot be: /);
    expect(ended.err).toContain(why);
    expect(ended.err).not.toContain('ctx.count');
    expect(ended.code).toBe(1);
  });

  it.each(['tsv', 'ndjson'])(
    'print empty lines that mean the same, who prints them aside: %s',
    async (io) => {
      const line = io === 'tsv' ? 'a' : '{"key":"a","value":1}';
      const folder = newFolder({ 'in.txt': `${line}\n\n${line}\n\n` });
      const linesBy = async (...combiner: string[]): Promise<string> => {
        const flags = ['--io', io, '--mapper', 'cat', ...combiner, '--reducer', 'grep -c ""', '-r', '1'];
        return (await rehearse(['run', ...flags, 'in.txt', '-o', '-', '-q'], { cwd: folder })).out;
      };
      const lines = io === 'tsv' ? '4\n' : '2\n';
      expect(await linesBy()).toBe(lines);
      expect(await linesBy('--combiner', io === 'tsv' ? 'cut -f1' : 'cat; echo " "')).toBe(lines);
    },
  );

  it('that read nothing, or only the beginning, are fine', async () => {
    const folder = newFolder({ 'in.txt': 'line\n'.repeat(200_000) });
    const ended = await rehearse(
      ['run', '--mapper', 'head -n 2', 'in.txt', '-m', '1', '-r', '1', '-o', '-', '-q'],
      {
        cwd: folder,
      },
    );
    expect(ended.out).toBe('line\t\nline\t\n');
  });

  it('are asked also where there is nothing to read', async () => {
    const folder = newFolder({ 'in.txt': '' });
    const count = "awk 'END { print NR }'";
    const ended = await rehearse(
      ['run', '--mapper', count, 'in.txt', '-w', '1', '-r', '1', '-o', '-', '-q'],
      {
        cwd: folder,
      },
    );
    expect(ended.out).toBe('0\t\n');
  });

  it('are counted by the lines that they are given, and not by what they print', async () => {
    const folder = newFolder({ 'in.txt': 'line\n'.repeat(5) });
    const ended = await rehearse(
      ['run', '--mapper', 'cat; echo more', 'in.txt', '-w', '1', '-o', 'out', '--json'],
      {
        cwd: folder,
      },
    );
    expect(JSON.parse(ended.out).counters).toMatchObject({ 'map.records.in': 5, 'map.records.out': 6 });
  });

  it('that print what is no pair are told what one is, and no place in an input', async () => {
    const folder = newFolder({ 'in.txt': 'null\n' });
    const flags = ['--mapper', 'cat', '--io', 'ndjson', '--max-attempts', '1'];
    const ended = await rehearse(['run', ...flags, 'in.txt', '-w', '1', '-o', 'out'], { cwd: folder });
    expect(ended.code).toBe(1);
    expect(ended.err).toContain('a line of NDJSON is {"key":"…","value":…}, not null');
    expect(ended.err).not.toContain('byte 0');
  });

  it('end with the command that started them, even by kill -9', async () => {
    const folder = newFolder({ 'in.txt': 'a\n' });
    const running = start(['run', '--mapper', 'sleep 6543', 'in.txt', '-w', '1', '-o', 'out'], {
      cwd: folder,
    });
    while (!isRunning('sleep 6543')) await new Promise((resolve) => setTimeout(resolve, 50));
    running.child.kill('SIGKILL');
    await running.ended;
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(isRunning('sleep 6543')).toBe(false);
  });

  it.each(['mapper', 'combiner', 'reducer'])(
    'end with their task, which took too long: the %s',
    async (role) => {
      const folder = newFolder({ 'in.txt': 'a\n' });
      const sleep = `sleep 65${role.length}${process.pid}`;
      const programs = { mapper: 'cat', combiner: 'cat', reducer: 'cat', [role]: sleep };
      const flags = Object.entries(programs).flatMap(([name, command]) => [`--${name}`, command]);
      const limits = ['--task-timeout', '500ms', '--max-attempts', '1', '-w', '1', '-r', '1'];
      const ended = await rehearse(['run', ...flags, ...limits, 'in.txt', '-o', 'out'], { cwd: folder });
      expect(ended.code, ended.err).toBe(1);
      while (isRunning(sleep)) await new Promise((resolve) => setTimeout(resolve, 50));
    },
  );

  it.each([[[]], [['--sequential']]])('are heard, the combiner as the others: %j', async (more) => {
    const folder = newFolder({ 'in.txt': 'a\n'.repeat(50_000) });
    const heard = (role: string): string => `echo reporter:counter:heard,${role},1 >&2; cat`;
    const programs = ['mapper', 'combiner', 'reducer'].flatMap((role) => [`--${role}`, heard(role)]);
    // The budget makes several runs, each of which the combiner is given.
    const shape = ['-m', '1', '-r', '1', '--budget', '64kB', '-w', '1', '-o', 'out', '--json'];
    const ended = await rehearse(['run', ...programs, ...shape, ...more, 'in.txt'], { cwd: folder });
    expect(ended.code, ended.err).toBe(0);
    const { counters } = JSON.parse(ended.out);
    expect(counters).toMatchObject({ 'heard: mapper': 1, 'heard: reducer': 1 });
    expect(counters['heard: combiner']).toBeGreaterThan(2);
    expect(output(folder, 'out')).toHaveLength(50_000);
  });

  it('are refused without a mapper', async () => {
    const ended = await rehearse(['run', '--reducer', 'cat', 'in.txt'], { cwd: newFolder({ 'in.txt': '' }) });
    expect(ended.err).toContain('error[U014]: --reducer needs a --mapper');
    expect(ended.code).toBe(2);
  });
});
