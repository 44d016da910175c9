/** Traces that somebody has damaged are told as such by whoever cannot read them. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Ajv } from 'ajv';
import { beforeAll, describe, expect, it } from 'vitest';
import { traceForm } from '../../cli/trace-form.js';
import { newFolder, rehearse, succeed } from './command.js';

const scenario = `
name: made
cluster: { workers: 2 }
job: { maps: 2, reduces: 1 }
faults:
  - { when: "map-0@1 started", crash: "its worker", restartAfter: 1s }
expect: { exercised: [worker-lost] }
`;
const schema = join(import.meta.dirname, '../../scenarios/schema/trace.v1.json');
const cwd = newFolder({ 'made.yaml': scenario });
const linesOf = (file: string): string[] => readFileSync(file, 'utf8').trimEnd().split('\n');

beforeAll(async () => {
  await succeed(['sim', 'made.yaml', '--trace', 'whole', '-q'], { cwd });
});

describe('a damaged line', () => {
  it.each([
    ['whose effect is nothing', /("effects":\[)\{.*?\}(?=[,\]])/, '$1null'],
    [
      'whose entry is none',
      /("type":"journal.appended",.*?"entry":)\{.*\}(?=,"lastSlot|\},"effects)/,
      '$1[]',
    ],
  ])('%s is named', async (what, found, instead) => {
    const folder = what.replaceAll(' ', '-');
    cpSync(join(cwd, 'whole'), join(cwd, folder), { recursive: true });
    const name = 'master-1.1.ndjson';
    const lines = linesOf(join(cwd, folder, name));
    const index = lines.findIndex((line) => found.test(line));
    lines[index] = lines[index]!.replace(found, instead);
    writeFileSync(join(cwd, folder, name), `${lines.join('\n')}\n`);
    const ended = [];
    for (const words of [
      ['explain', folder],
      ['trace', folder, '--to', 'html'],
      ['sim', '--from', folder],
    ])
      ended.push(await rehearse(words, { cwd }));
    const failed = ended.filter(({ code }) => code !== 0);
    expect(failed.length).toBeGreaterThan(0);
    for (const { code, err } of failed) {
      expect(err).toMatch(/^error\[T002\]: this is no line of a trace\n/);
      expect(err).toContain(`${folder}/${name}:${index + 1}\n`);
      expect(code).toBe(2);
    }
  });

  it('that is the header is named as well', async () => {
    const text = readFileSync(join(cwd, 'whole/master-1.1.ndjson'), 'utf8');
    writeFileSync(join(cwd, 'headed.ndjson'), text.replace('"masters":["master-1"],', ''));
    const { code, err } = await rehearse(['sim', '--from', 'headed.ndjson'], { cwd });
    expect([code, err]).toEqual([
      2,
      expect.stringContaining('T002]: this is no line of a trace\n  --> headed.ndjson:1\n'),
    ]);
  });
});

describe('a process that was killed before its first line was whole', () => {
  const readers = [
    ['explain', 'born'],
    ['trace', 'born', '--to', 'html'],
    ['sim', '--from', 'born', '-q'],
    ['replay', 'born'],
  ];

  it('is left out, and named', async () => {
    cpSync(join(cwd, 'whole'), join(cwd, 'born'), { recursive: true });
    const header = linesOf(join(cwd, 'born/worker-1.1.ndjson'))[0]!;
    writeFileSync(join(cwd, 'born/master-1.5002.ndjson'), '');
    writeFileSync(join(cwd, 'born/worker-2.5003.ndjson'), header.slice(0, 40));
    for (const words of readers) {
      const { code, err } = await rehearse(words, { cwd });
      expect([code, err], words.join(' ')).toEqual([
        0,
        expect.stringContaining('master-1 life 5002 ended before it wrote anything\n'),
      ]);
      expect(err).toContain('worker-2 life 5003 ended before it wrote anything\n');
    }
    const { out } = await rehearse(['replay', 'born', '--json'], { cwd });
    const { traces } = JSON.parse(out) as { traces: { file: string; outcome: string; steps: number }[] };
    expect(traces.every(({ outcome }) => outcome === 'same')).toBe(true);
    expect(traces.filter(({ steps }) => steps === 0).map(({ file }) => file)).toEqual([
      expect.stringContaining('master-1.5002'),
      expect.stringContaining('worker-2.5003'),
    ]);
  });

  it('leaves no traces where there is no other, and a trace that is empty when it is named', async () => {
    mkdirSync(join(cwd, 'empty'));
    writeFileSync(join(cwd, 'empty/master-1.1.ndjson'), '');
    const folder = await rehearse(['explain', 'empty'], { cwd });
    const file = await rehearse(['explain', 'empty/master-1.1.ndjson'], { cwd });
    expect([folder.code, folder.err]).toEqual([2, expect.stringContaining('T001]: there are no traces')]);
    expect([file.code, file.err]).toEqual([2, expect.stringContaining('T002]: the trace is empty')]);
  });
});

it('the form of a line is judged as the schema has it, in every place of it', () => {
  const ajv = new Ajv({ allErrors: false, strict: false }).addSchema(
    JSON.parse(readFileSync(schema, 'utf8')),
  );
  const form = traceForm(pathToFileURL(schema));
  const whole = ['client-1.1', 'master-1.1', 'worker-1.1'].flatMap((life) =>
    linesOf(join(cwd, `whole/${life}.ndjson`)).slice(0, 25),
  );
  let refused = 0;
  for (const text of whole) {
    const isHeader = text.startsWith('{"trace"');
    const right = ajv.getSchema(`trace.v1.json#/definitions/${isHeader ? 'TraceHeader' : 'TraceLine'}`)!;
    const own = isHeader ? form.header : form.step;
    expect(own(JSON.parse(text))).toBe(true);
    for (const damaged of damages(JSON.parse(text))) {
      const isRight = right(damaged) === true;
      if (!isRight) refused++;
      expect(own(damaged), JSON.stringify(damaged)).toBe(isRight);
    }
  }
  expect(refused).toBeGreaterThan(1000);
});

/** The value with each of its parts gone, or of another kind. */
function* damages(value: unknown): Generator<unknown> {
  if (value === null || typeof value !== 'object') return;
  for (const [key, part] of Object.entries(value)) {
    for (const instead of [undefined, null, 7, 'zz', [], {}, ...damages(part)]) {
      const copy = structuredClone(value) as Record<string, unknown>;
      if (instead !== undefined) copy[key] = instead;
      else if (Array.isArray(value)) (copy as unknown as unknown[]).splice(Number(key), 1);
      else delete copy[key];
      yield copy;
    }
  }
}
