/** A job that says by a schema what its params are: the same values for every task, however it is run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newFolder, partsOf, rehearse, runsOf, start, succeed, until } from './command.js';

/** What zod would make of them, with a default that is another every time it is asked for. */
const schema = `const schema = {
  '~standard': {
    version: 1 as const,
    vendor: 'by hand',
    validate(given: unknown) {
      const { limit = '2', file } = given as Record<string, string>;
      if (Number.isNaN(Number(limit))) return { issues: [{ message: 'is no number', path: ['limit'] }] };
      return { value: { limit: Number(limit), list: [1, 'two'], file: file ?? '', drawn: Math.random() } };
    },
  },
};
`;
const head = `import { defineJob, definePipeline, sum, type StageRecord } from 'mapreduce-rehearsal';\n${schema}`;
const show = 'JSON.stringify([typeof params.limit, params])';

/** Each map and each reduce says what its params are. */
const job = `${head}export default defineJob({
  name: 'j', params: schema,
  *map(line, { params }) { yield [${show}, params.limit]; },
  *reduce(key, values, { params }) { yield key === ${show} && sum(key, values); },
});\n`;

const inputs = { 'a.txt': 'one\ntwo\n', 'b.txt': 'three\n' };
const args = ['run', 'job.ts', 'a.txt', 'b.txt', '-w', '2', '-m', '2', '-r', '1', '-o', 'out'];

describe('params with a schema', () => {
  it.each([['in processes'], ['in the command', '--sequential']])(
    'are the same for all tasks: %s',
    async (_how, ...how) => {
      const folder = newFolder({ 'job.ts': job, ...inputs });
      await succeed([...args, ...how, '--param', 'limit=5'], { cwd: folder });
      const [line = '', ...others] = Object.values(partsOf(folder)).join('').trimEnd().split('\n');
      expect(others).toEqual([]); // one key: both maps were given one and the same default
      expect(line).toMatch(/^\["number",\{"limit":5,"list":\[1,"two"\],"file":"","drawn":0\.\d+\}\] 15$/);
      const success = JSON.parse(readFileSync(join(folder, 'out', '_SUCCESS.json'), 'utf8'));
      expect(success.job.params).toMatchObject({ limit: 5, list: [1, 'two'] });
    },
  );

  it('are one error before anything is started', async () => {
    const folder = newFolder({ 'job.ts': job, ...inputs });
    const wrong = await rehearse([...args, '--param', 'limit=many'], { cwd: folder });
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(wrong.err).toBe(
      'error[U036]: the params of job "j" are not what its schema takes\n  --> --param limit=many\n  limit: is no number\n',
    );
    const unknown = await rehearse(['check', 'job.ts', 'a.txt', '--param', 'limits=1'], { cwd: folder });
    expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('did you mean "limit"?') });
    expect(() => runsOf(folder)).toThrow('ENOENT');
  });

  it('are said as they were given, and not as what every object has', async () => {
    const odd = job.replace("path: ['limit']", "path: ['constructor']");
    const folder = newFolder({ 'job.ts': odd, ...inputs });
    const { err } = await rehearse([...args, '--param', 'limit=many'], { cwd: folder });
    expect(err).toContain('  --> --param constructor=…\n');
  });

  it('are shown by check and --dry-run', async () => {
    const folder = newFolder({ 'job.ts': job, ...inputs });
    const planned = await succeed([...args, '--dry-run'], { cwd: folder });
    expect(planned.out).toContain('\nparams: limit 2, list [1,"two"], ');
    const checked = await rehearse(['check', 'job.ts', 'a.txt', '--json', '--param', 'limit=4'], {
      cwd: folder,
    });
    expect(JSON.parse(checked.out)).toMatchObject({ params: { limit: 4 } });
  });

  it('of a pipeline are drawn once for all stages', async () => {
    const stage = (more: string, record: string) =>
      `defineJob({ name: 's', ${more} map(${record}, emit, { params }) { emit(JSON.stringify(params), 1); }, reduce: sum })`;
    const [one, two] = [stage('', 'line'), stage('inputFormat: "ndjson",', '{ key }: StageRecord<number>')];
    const both = two.replace('emit(', 'emit(String(key === JSON.stringify(params)) + ');
    const folder = newFolder({
      ...inputs,
      'job.ts': `${head}export default definePipeline({ name: 'p', params: schema, stages: ({ limit }) => [${one}, ${both}].slice(0, limit) });\n`,
    });
    await succeed(args, { cwd: folder });
    expect(Object.values(partsOf(folder)).join('')).toMatch(/^true\{"limit":2,.*\} 1\n$/);
  });

  it('of the stages of a pipeline are asked for once, before the first, however it goes on', async () => {
    const asking = head
      .replace('validate(given: unknown) {', "validate(given: unknown) { appendFileSync('asked', 'x');")
      .replace('import ', "import { appendFileSync } from 'node:fs';\nimport ");
    const stage = (slow: string, more: string) =>
      `defineJob({ name: 's', params: schema, ${more} map(_line, emit) { ${slow} emit('a', 1); }, reduce: sum })`;
    const wait = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);';
    const stages = `[${stage(wait, '')}, ${stage('', 'inputFormat: "ndjson",')}]`;
    const text = `${asking}export default definePipeline({ name: 'p', stages: ${stages} });\n`;
    const folder = newFolder({ ...inputs, 'job.ts': text, 'a.txt': 'line\n'.repeat(12) });
    const running = start(args, { cwd: folder });
    await until('it runs', () => isBegun(folder));
    running.child.kill('SIGKILL');
    await running.ended;
    await succeed(['resume', 'last'], { cwd: folder });
    expect(Object.values(partsOf(folder)).join('')).toBe('a 1\n');
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toBe('xx');
  });

  it('are those of the beginning when a run is resumed', async () => {
    const cell = 'const cell = new Int32Array(new SharedArrayBuffer(4));\n';
    const slow = job.replace(
      '*map(line, { params }) {',
      '*map(line, { params }) { Atomics.wait(cell, 0, 0, 300);',
    );
    const folder = newFolder({ ...inputs, 'job.ts': cell + slow, 'a.txt': 'line\n'.repeat(12) });
    const running = start([...args, '--param', 'limit=5'], { cwd: folder });
    await until('it runs', () => running.err().includes('map') || isBegun(folder));
    running.child.kill('SIGKILL');
    await running.ended;
    await succeed(['resume', 'last'], { cwd: folder });
    expect(Object.values(partsOf(folder)).join('')).toMatch(/^\["number",\{"limit":5,.*\}\] 65\n$/);
  });
});

it('a job whose params have a schema is not for scenarios: nobody would ask it', async () => {
  const scenario =
    'name: own\ncluster: { workers: 1 }\njob: { run: ./job.ts, input: ["one two"], maps: 1, reduces: 1 }\nexpect: { job: succeeded }\n';
  const folder = newFolder({ 'job.ts': job, 'own.yaml': scenario });
  const ended = await rehearse(['sim', 'own.yaml'], { cwd: folder });
  expect(ended.code, ended.out).toBe(2);
  expect(ended.err).toContain('its params have a schema');
});

function isBegun(folder: string): boolean {
  try {
    const [run] = runsOf(folder);
    return readFileSync(join(run!, 'run.json')).length > 0;
  } catch {
    return false;
  }
}
