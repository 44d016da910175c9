import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { expectCausesFirst, readMerged } from '../sim/export/read-merged.js';
import { newFolder, onLinux, rehearse, runsOf, start, succeed } from './command.js';

const scenario = fileURLToPath(new URL('../../scenarios/late-worker.yaml', import.meta.url));

/** A worker is killed in its first attempt, and another process takes its place. */
const killing = `
name: a worker dies half way
cluster: { workers: 3 }
job: { maps: 6, reduces: 2, mapTime: 300ms, reduceTime: 300ms }
faults:
  - { when: "map-0@1 started", crash: "its worker", restartAfter: 300ms }
expect: { job: succeeded, exercised: [worker-lost] }
`;

async function simulated(): Promise<string> {
  const cwd = newFolder();
  await succeed(['sim', scenario, '--trace', 'traces', '-q'], { cwd });
  return cwd;
}

describe('trace', () => {
  it('exports a real run in which a worker was killed, and no step stands before its cause', async () => {
    const cwd = newFolder({ 'killing.yaml': killing });
    await succeed(['run', '--faults', 'killing.yaml', '-q'], { cwd });
    const directory = join(runsOf(cwd)[0]!, 'trace');
    const files = readdirSync(directory);
    const texts = files.map((name) => readFileSync(join(directory, name), 'utf8'));
    const steps = texts.reduce((sum, text) => sum + text.trimEnd().split('\n').length - 1, 0);
    const { header, lines } = readMerged((await succeed(['trace', 'last', '--to', 'merged'], { cwd })).out);
    expect(header).toMatchObject({ merged: 'merged.v1', driver: 'runtime', steps });
    expect(header.traces).toHaveLength(files.length);
    expect(lines.some(({ node, incarnation }) => node.startsWith('worker-') && incarnation === 2)).toBe(true);
    expectCausesFirst(lines, steps);
    const told = JSON.parse((await succeed(['explain', 'last', '--json'], { cwd })).out);
    const picture = JSON.parse((await succeed(['trace', 'last', '--to', 'perfetto'], { cwd })).out);
    const attempts = picture.traceEvents.filter(({ cat }: { cat: string }) => cat === 'attempt');
    expect(attempts.map(({ args }: { args: { outcome: string } }) => args.outcome).sort()).toEqual(
      told.attempts.map(({ outcome }: { outcome: string }) => outcome).sort(),
    );
    // Perhaps the worker is given up before anybody knows that it died, or died before it wrote that it began.
    const names = attempts.map(({ name }: { name: string }) => name).join('\n');
    const killed = /^map-0@1 (failed|revoked)$/m.exec(names)?.[1];
    expect(killed, names).toBeDefined();
    for (const form of ['svg', 'html']) {
      const { out } = await succeed(['trace', 'last', '--to', form], { cwd });
      expect(out.match(/ id="attempt-\d+"/g)).toHaveLength(told.attempts.length);
      expect(out).toMatch(new RegExp(`class="bar ${killed}[^"]*"><title>map-0@1 on worker-\\d: ${killed}`));
      expect(out).toContain('>life 2</text>');
    }
    const request = JSON.parse((await succeed(['trace', 'last', '--to', 'otlp'], { cwd })).out);
    const spans = request.resourceSpans.flatMap((resource: { scopeSpans: { spans: unknown[] }[] }) =>
      resource.scopeSpans.flatMap((scope) => scope.spans),
    );
    expect(spans).toHaveLength(told.attempts.length + 1);
  });

  it.each(['merged', 'perfetto', 'shiviz', 'svg', 'html', 'otlp'])(
    'writes to a file what it prints: %s',
    async (form) => {
      const cwd = await simulated();
      const printed = await succeed(['trace', 'traces', '--to', form], { cwd });
      const dashed = await succeed(['trace', 'traces', '--to', form, '-o', '-'], { cwd });
      expect(dashed.out).toBe(printed.out);
      writeFileSync(join(cwd, 'out'), 'what was there before');
      const written = await succeed(['trace', 'traces', '--to', form, '-o', 'out'], { cwd });
      expect(readFileSync(join(cwd, 'out'), 'utf8')).toBe(printed.out);
      expect(written.out).toBe('');
      expect(written.err).toMatch(/^[\d,]+ steps of \d+ traces -> out: /);
      expect(readdirSync(cwd).sort()).toEqual(['out', 'traces']);
    },
  );

  it('shows a part of a run, in the times of explain', async () => {
    const cwd = await simulated();
    const { out } = await succeed(['trace', 'traces', '--to', 'svg', '--from', '2.3s', '--until', '3s'], {
      cwd,
    });
    expect(out).toContain('2.3 s to 3 s of it');
    expect(out).toContain('refused: superseded');
    expect(out).not.toContain('>map-1@1');
  });

  it('reads traces that break off, and a file once that is named twice', async () => {
    const cwd = await simulated();
    const path = join(cwd, 'traces', 'worker-1.1.ndjson');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.slice(0, -40));
    const { out } = await succeed(['trace', 'traces', 'traces/worker-1.1.ndjson', '--to', 'merged'], { cwd });
    const { lines } = readMerged(out);
    const own = lines.filter(({ node }) => node === 'worker-1');
    expect(own).toHaveLength(text.trimEnd().split('\n').length - 2);
  });

  it.each([
    ['U001', ['traces']],
    ['U001', ['traces', '--to', 'png']],
    ['T007', ['traces', '--to', 'merged', '--from', '1s']],
    ['T007', ['traces', '--to', 'otlp', '--until', '1s']],
    ['T008', ['traces', '--to', 'svg', '--from', 'noon']],
    ['T008', ['traces', '--to', 'svg', '--until', `${'9'.repeat(400)}h`]],
    ['T008', ['traces', '--to', 'html', '--from', '1000000000000h', '--until', '1000000000001h']],
    ['T008', ['traces', '--to', 'svg', '--from', '2s', '--until', '1s']],
    ['T009', ['traces', '--to', 'html', '--from', '1h']],
    ['U030', ['traces', '--to', 'perfetto', '--json']],
    ['U031', ['traces', '--to', 'merged', '-o', 'traces/worker-1.1.ndjson']],
    ['T001', ['empty', '--to', 'merged']],
    ['T002', ['broken', '--to', 'merged']],
    ['T002', ['null.ndjson', '--to', 'svg']],
    ['T002', ['number.ndjson', '--to', 'merged']],
    ['T002', ['headless.ndjson', '--to', 'merged']],
    ['T006', ['traces', 'others', '--to', 'merged']],
    ['R001', ['no-such-run', '--to', 'merged']],
  ])('says what is wrong: %s %j', async (code, args) => {
    const cwd = await simulated();
    for (const name of ['empty', 'broken', 'others']) mkdirSync(join(cwd, name));
    writeFileSync(join(cwd, 'broken', 'worker-1.1.ndjson'), '{"trace":"trace.v1"}\n{"i":1\n{}\n');
    copyFileSync(join(cwd, 'traces', 'worker-1.1.ndjson'), join(cwd, 'others', 'worker-1.1.ndjson'));
    const before = readFileSync(join(cwd, 'traces', 'worker-1.1.ndjson'), 'utf8');
    const header = before.slice(0, before.indexOf('\n') + 1);
    writeFileSync(join(cwd, 'null.ndjson'), `${header}null\n`);
    writeFileSync(
      join(cwd, 'number.ndjson'),
      `${header}{"i":1,"at":"x","event":{"type":"node.started"},"effects":[]}\n`,
    );
    writeFileSync(join(cwd, 'headless.ndjson'), '{"trace":"trace.v1"}\n');
    const ended = await rehearse(['trace', ...args], { cwd });
    expect(ended.err + ended.out).toMatch(new RegExp(`error\\[${code}\\]|"code":"${code}"`));
    expect(ended.code).toBe(2);
    expect(readFileSync(join(cwd, 'traces', 'worker-1.1.ndjson'), 'utf8')).toBe(before);
  });

  it('writes over no trace that it reads, by whatever name', async () => {
    const cwd = await simulated();
    const trace = join(cwd, 'traces', 'worker-1.1.ndjson');
    const before = readFileSync(trace, 'utf8');
    symlinkSync(trace, join(cwd, 'link'));
    const { err, code } = await rehearse(['trace', 'traces', '--to', 'merged', '-o', 'link'], { cwd });
    expect(err).toMatch(/^error\[U031\]/);
    expect(code).toBe(2);
    expect(readFileSync(trace, 'utf8')).toBe(before);
  });

  it('leaves nothing where the file cannot be written', async () => {
    const cwd = await simulated();
    const ended = await rehearse(['trace', 'traces', '--to', 'merged', '-o', 'nowhere/out'], { cwd });
    expect(ended.err).toMatch(/^error\[U025\]: -o: there is no such folder\n {2}--> nowhere\/out\n/);
    expect(ended.code).toBe(4);
    const folder = await rehearse(['trace', 'traces', '--to', 'merged', '-o', 'traces'], { cwd });
    expect(folder.err).toMatch(/^error\[U025\]/);
    expect(readdirSync(cwd)).toEqual(['traces']);
  });

  it.runIf(onLinux)('tells of a full disk, and writes into what is no file', async () => {
    const cwd = await simulated();
    const args = ['trace', 'traces', '--to', 'merged'];
    const printed = await rehearse(args, { cwd, before: 'exec > /dev/full' });
    expect(printed.err).toMatch(/^error\[E004\]: standard output could not be written: the disk is full\n/);
    expect(printed.code).toBe(4);
    // By a link: were it taken for a file, the link would be replaced, and not the device of this machine.
    symlinkSync('/dev/full', join(cwd, 'full'));
    const written = await rehearse([...args, '-o', 'full'], { cwd });
    expect(written.err).toMatch(/^error\[U025\]: -o: the disk is full\n/);
    expect(written.code).toBe(4);
    symlinkSync('linked.ndjson', join(cwd, 'link'));
    await succeed([...args, '-o', 'link'], { cwd });
    for (const link of ['full', 'link']) expect(lstatSync(join(cwd, link)).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(cwd, 'linked.ndjson'), 'utf8')).toMatch(/^{"merged":/);
  });

  it('keeps what stood in the place of the file when the disk fills up', async ({ skip }) => {
    const cwd = await simulated();
    const disk = join(cwd, 'disk');
    mkdirSync(disk);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', disk]);
    if (mounted.status !== 0) skip('a small disk cannot be mounted here');
    try {
      writeFileSync(join(disk, 'out'), 'what was there before');
      const ended = await rehearse(['trace', 'traces', '--to', 'merged', '-o', 'disk/out'], { cwd });
      expect(ended.err).toMatch(/^error\[U025\]: -o: the disk is full\n/);
      expect(ended.code).toBe(4);
      expect(readdirSync(disk)).toEqual(['out']);
      expect(readFileSync(join(disk, 'out'), 'utf8')).toBe('what was there before');
    } finally {
      spawnSync('umount', [disk]);
    }
  });

  it('ends in silence when its reader goes away', async () => {
    const running = start(['trace', 'traces', '--to', 'merged'], { cwd: await simulated() });
    running.child.stdout!.destroy();
    const { code, err } = await running.ended;
    expect(err).toBe('');
    expect(code).toBe(0);
  });
});
