import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newFolder, rehearse } from './command.js';

const jobOf = (body: string): string =>
  `import { defineJob, sum, type Emit } from 'mapreduce-rehearsal';\nlet calls = 0;\nconst seen = new Set<string>();\nexport default defineJob({ name: 'j', ${body} });\n`;
const text = 'one two\nthree one two\n\none five six one\n';

async function check(body: string) {
  const folder = newFolder({ 'job.ts': jobOf(body), 'in.txt': text });
  return await rehearse(['check', 'job.ts', 'in.txt'], { cwd: folder });
}

const words = 'map(line, emit) { for (const w of line.split(" ")) emit(w, 1); },';

const lengths = 'map(line, emit) { for (const w of line.split(" ")) emit("all", w.length); },';

describe('check', () => {
  it('finds nothing in a job that keeps its promises', async () => {
    const ended = await check(`${words} combine: sum, reduce: sum`);
    expect(ended.out).not.toContain('NO');
    expect(ended.out).toContain('ok   combine is associative');
    expect(ended.out).toContain('ok   the output does not depend on how the input is cut');
    expect(ended.code).toBe(0);
  });

  it('takes a combine that changes its first value, and an order of values', async () => {
    const first =
      '(_key: string, values: Iterable<any>) => { let all: any; for (const one of values) if (all) all.n += one.n; else all = one; return all; }';
    const ended = await check(
      `map(line, emit: Emit<string, any>) { for (const w of line.split(" ")) emit(w, { n: 1 }); }, combine: ${first}, orderValues: (a, b) => a.n - b.n, reduce: ${first}`,
    );
    expect(ended.out).toContain('ok   orderValues puts any values in one order');
    expect(ended.out).toContain('ok   combine is associative');
    expect(ended.out).not.toContain('NO');
  });

  it('of inputs without a record is no answer, and of some with records one', async () => {
    const folder = newFolder({ 'empty.txt': '', 'head.csv': 'word\n', 'in.txt': text });
    writeFileSync(join(folder, 'job.ts'), jobOf(`inputFormat: 'csv', map() {}, reduce: sum`));
    for (const args of [
      ['word-count', 'empty.txt', '-'],
      ['job.ts', 'head.csv'],
      ['job.ts', 'empty.txt'],
    ]) {
      const ended = await rehearse(['check', ...args], { cwd: folder, stdin: '' });
      expect([ended.code, ended.out]).toEqual([2, '']);
      const places = args.slice(1).join(' ');
      expect(ended.err).toContain(
        `error[U043]: there are no records in the inputs: nothing was tried\n  --> ${places}\n`,
      );
    }
    const { code, out } = await rehearse(['check', 'word-count', 'empty.txt', 'in.txt'], { cwd: folder });
    expect([code, out]).toEqual([0, expect.stringContaining('tried on 4 records')]);
  });

  it('reads standard input as well', async () => {
    const ended = await rehearse(['check', 'word-count', '-'], { cwd: newFolder(), stdin: text });
    expect(ended.code, ended.err).toBe(0);
    expect(ended.out).toContain('tried on 4 records');
  });

  it.each([
    ['map answers the same', 'map(line, emit) { emit(line, calls++); }, reduce: sum'],
    [
      'map answers the same',
      `map(line, emit) { for (const w of line.split(" ")) if (!seen.has(w)) { seen.add(w); emit(w, 1); } }, combine: sum, reduce: sum`,
    ],
    ['orderValues puts', `${lengths} orderValues: () => 1, reduce: sum`],
    ['orderValues puts', `${lengths} orderValues: (a, b) => (a > b) as never, reduce: sum`],
    ['orderValues puts', `${lengths} orderValues: (a, b) => (a > b ? 1 : 0), reduce: sum`],
    ['orderValues puts', `${lengths} orderValues: (a, b) => ((b - a + 30) % 3) - 1 || 0, reduce: sum`],
    [
      'values survive',
      'map(line, emit: Emit<string, object>) { emit(line, { a: undefined }); }, reduce: () => 1',
    ],
    ['partition gives', `${words} partition: (key, reduces) => calls++ % reduces, reduce: sum`],
    [
      'combine is associative',
      `${words} combine: (_k, v) => [...v].length, reduce: (_k, v) => [...v].length`,
    ],
    ['reduce gives the same', `${words} combine: sum, reduce: (_k, v) => [...v].length`],
    [
      'the output does not depend',
      `${words} combine: (_k, v) => { const a = [...v]; return a[0]! + a.length; }, reduce: sum`,
    ],
  ])('says which promise is broken, with an example: %s', async (property, body) => {
    const ended = await check(body);
    const lines = ended.out.split('\n');
    const at = lines.findIndex((line) => line.startsWith(`  NO   ${property}`));
    expect(at, ended.out + ended.err).toBeGreaterThan(0);
    expect(lines[at + 1]!.trim().length).toBeGreaterThan(20);
    expect(ended.code).toBe(1);
  });

  it.each([
    [
      'map',
      'map(line, emit) { if (line === "") throw Error("oh"); emit(line, 1); }, combine: sum, reduce: sum',
      5,
    ],
    ['reduce', `${words} combine: sum, reduce(key) { if (key === "one") throw Error("oh"); return 1; }`, 2],
    ['combine', `${words} combine() { throw Error("oh"); }, reduce: sum`, 3],
  ])(
    'says once, with its place, that %s threw, and does not ask what cannot be asked',
    async (name, body, skipped) => {
      const ended = await check(body);
      const place = { map: 'for the record at in.txt, byte 22 ', reduce: 'for the key "one" ', combine: '' }[
        name
      ]!;
      expect(ended.out).toContain(
        `NO   the job's functions throw nothing\n         ${place}${name} threw Error: oh at job.ts:4:`,
      );
      expect(ended.out.match(/NO /g)).toHaveLength(1);
      expect(ended.out.match(/ - .*\n +not asked, since a function threw/g)).toHaveLength(skipped);
      expect(ended.code).toBe(1);
    },
  );

  it('tries the output of a job without reduce, too', async () => {
    const kept = await check("map(line, emit) { emit(line, 1); }, reduce: 'none'");
    expect(kept.out).toContain('ok   the output does not depend on how the input is cut');
    expect(kept.code).toBe(0);
    const numbered = "setup() { calls = 0; }, map(line, emit) { emit(line, ++calls); }, reduce: 'none'";
    const broken = await check(numbered);
    expect(broken.out).toContain('NO   the output does not depend on how the input is cut');
    expect(broken.code).toBe(1);
  });

  const byWord = (changed: string) =>
    `map(line, emit) { for (const w of line.split(" ")) { emit(w, 1); emit.count("words"); } },
    mapBytes(lines, emit, { count }) {
      for (let at = 0, from = 0; at < lines.length; at++) {
        if (lines[at] !== 10 && lines[at] !== 32) continue;
        ${changed}
        from = at + 1;
      }
    }, combine: sum, reduce: sum`;

  it('finds nothing in a mapBytes that emits and counts what map does', async () => {
    const ended = await check(byWord('emit(from, at, 1); count("words");'));
    expect(ended.out).toContain('ok   mapBytes emits what map emits');
    expect(ended.code, ended.out).toBe(0);
  });

  it.each([
    [
      'of a line of the input',
      'emit(from, at, lines[from] === 116 && at - from === 5 ? 2 : 1); count("words");',
      'for the line "three one two" at in.txt, byte 8 map emits ["three",1], and mapBytes ["three",2]',
    ],
    [
      'of lines together',
      'if (from === 0 || at - from > 1) emit(from, at, 1); else if (lines[at] !== 10 || lines.length < 9) emit(from, at, 1); count("words");',
      'for the line "" at in.txt, byte 22, together with the others, map emits ["",1], and mapBytes ["one",1]',
    ],
    ['that are drawn', 'if (lines[from] !== 48) emit(from, at, 1); count("words");', 'map emits ["0'],
    [
      'that end in a character',
      'emit(from, at > from && lines[at - 1]! > 127 ? at - 1 : at, 1); count("words");',
      'a key is whole characters of the',
    ],
    [
      'in what is counted',
      'emit(from, at, 1); if (at > from) count("words");',
      'for the line "" at in.txt, byte 22 map counts [["words",1]], and mapBytes []',
    ],
    [
      'beyond its lines',
      'emit(from, at, new Uint8Array(lines.buffer)[from] === lines[from] ? 1 : 2); count("words");',
      'mapBytes ["one",2]',
    ],
    [
      'by throwing',
      'if (from === 8) throw new Error("eight"); emit(from, at, 1); count("words");',
      'for the line "three one two" at in.txt, byte 8, together with the others, mapBytes threw Error: eight at job.ts:',
    ],
  ])('names the line at which a mapBytes differs: %s', async (_how, changed, why) => {
    const ended = await check(byWord(changed));
    expect(ended.out).toContain('NO   mapBytes emits what map emits');
    expect(ended.out).toContain(why);
    expect(ended.code).toBe(1);
  });

  it('answers as one JSON document', async () => {
    const folder = newFolder({ 'in.txt': text });
    const ended = await rehearse(['check', 'word-count', 'in.txt', '--json', '--records', '2'], {
      cwd: folder,
    });
    const { job, records, properties } = JSON.parse(ended.out) as Record<string, unknown>;
    expect([job, records]).toEqual(['word-count', 2]);
    expect(properties).toHaveLength(9);
  });
});
