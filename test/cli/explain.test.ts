import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { momentText } from '../../sim/scenario/duration.js';
import { newFolder, rehearse, succeed } from './command.js';

const scenario = fileURLToPath(new URL('../../scenarios/late-worker.yaml', import.meta.url));

describe('explain, replay --at, schema and the traces of a simulation', () => {
  it('tell the same story of a simulation and of its written traces', async () => {
    const cwd = newFolder();
    const traced = await rehearse(['sim', scenario, '--trace', 'traces', '-q'], { cwd });
    expect(traced.code).toBe(0);
    const replayed = await rehearse(['replay', 'traces'], { cwd });
    expect(replayed.code).toBe(0);
    expect(replayed.err.match(/same decisions/g)).toHaveLength(readdirSync(join(cwd, 'traces')).length);
    const played = await rehearse(['explain', scenario, 'map-0'], { cwd });
    const read = await rehearse(['explain', 'traces', 'map-0'], { cwd });
    expect(read.out).toBe(played.out);
    expect(read.out).toContain('its late report was ignored: map-0@2');
    const document = JSON.parse((await rehearse(['explain', scenario, 'map-0@1', '--json'], { cwd })).out);
    expect(document.attempts).toHaveLength(1);
  });

  it('gives the times that the simulation gives', async () => {
    const cwd = newFolder();
    const told = (await rehearse(['sim', scenario], { cwd })).out;
    const startedAt = /^ *(.*?) {2}worker-1 {2}started +map-0@1$/m.exec(told)![1]!;
    const explained = (await rehearse(['explain', scenario, 'map-0@1'], { cwd })).out;
    expect(explained).toContain(` ${startedAt}  started on worker-1`);
  });

  it('explain a real run, its steps and their state', async () => {
    const cwd = newFolder({ 'in.txt': 'a b\nc a\n' });
    const ran = await rehearse(['run', 'word-count', 'in.txt', '-w', '1', '-o', 'out'], { cwd });
    expect(ran.code).toBe(0);
    const told = await rehearse(['explain', 'last'], { cwd });
    expect(told.out).toMatch(/^times are since the first step that was recorded\nthe cluster\n/);
    expect(told.out).toMatch(/job 1, map-0@1 on worker-1: committed after/);
    const traces = join(cwd, '.rehearse', 'runs', readdirSync(join(cwd, '.rehearse', 'runs'))[0]!, 'trace');
    const lines = readFileSync(join(traces, 'master-1.1.ndjson'), 'utf8').split('\n');
    const at = lines.findIndex((line) => line.includes('"decision":"task-committed"'));
    const shown = await rehearse(['replay', join(traces, 'master-1.1.ndjson'), '--at', String(at)], { cwd });
    expect(shown.out).toContain(`step ${at} at `);
    expect(shown.out).toMatch(/decides task-committed worker-1 task=map-0/);
    expect(shown.out).toMatch(/durable\.jobs\.0\.mapsCommitted: 0 -> 1/);
    const chain = await rehearse(['explain', 'last', `master-1:${at}`], { cwd });
    expect(chain.out).toContain('journal.appended');
  });

  it('of a real run count from the same moment, in every trace, and a time is as good as a step', async () => {
    const cwd = newFolder({ 'in.txt': 'a b\nc a\n' });
    await succeed(['run', 'word-count', 'in.txt', '-w', '2', '-o', 'out'], { cwd });
    const traces = join(cwd, '.rehearse', 'runs', readdirSync(join(cwd, '.rehearse', 'runs'))[0]!, 'trace');
    for (const [node, number] of [
      ['master-1', 3],
      ['worker-1', 1],
      ['worker-2', 2],
    ] as const) {
      const { out } = await succeed(['explain', 'last', `${node}:${number}`], { cwd });
      const [, time] = new RegExp(`^ *(\\S+ \\S+) {2}${node}:${number} `, 'm').exec(out)!;
      const show = (at: string) =>
        succeed(['replay', join(traces, `${node}.1.ndjson`), '--at', at, '--json'], { cwd });
      const shown = await succeed(['replay', join(traces, `${node}.1.ndjson`), '--at', String(number)], {
        cwd,
      });
      expect(shown.out).toContain(`step ${number} at ${time}`);
      const { atUs, step } = JSON.parse((await show(String(number))).out);
      expect(momentText(atUs)).toBe(time);
      const until = JSON.parse((await show(time!)).out);
      expect(momentText(until.atUs)).toBe(time);
      expect(until.step.i).toBeGreaterThanOrEqual(step.i);
      const written = (await show(time!.replace(' ', '').replace('µ', 'u'))).out;
      expect(JSON.parse(written).step.i).toBe(until.step.i);
      expect(JSON.parse((await show('1h')).out).step.i).toBeGreaterThan(until.step.i);
    }
    const early = await rehearse(['replay', join(traces, 'client-1.1.ndjson'), '--at', '0s'], { cwd });
    expect(early.err).toMatch(/^error\[T005\]: there is no step up to 0 µs\n.*\n {2}the first is at /);
  });

  it('print schemas that are JSON', async () => {
    for (const name of ['scenario', 'trace']) {
      const { out, code } = await rehearse(['schema', name], { cwd: newFolder() });
      expect(JSON.parse(out)).toHaveProperty('$schema');
      expect(code).toBe(0);
    }
  });

  it.each([
    ['T004', ['explain', scenario, 'map-77']],
    ['T005', ['explain', scenario, 'master-1:9999']],
    ['R001', ['explain', 'no-such-run']],
    ['U012', ['schema', 'traces']],
    ['U011', ['replay', scenario, '--at', 'soon']],
  ])('say what is wrong: %s', async (code, args) => {
    const ended = await rehearse(args, { cwd: newFolder() });
    expect(ended.err).toContain(`error[${code}]`);
    expect(ended.code).toBe(2);
  });
});
