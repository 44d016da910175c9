import { describe, expect, test } from 'vitest';
import { tellAttempts } from '../../../sim/explain/attempts.js';
import { mergeTraces, type NodeTrace } from '../../../sim/explain/merge.js';
import { factsOf } from '../../../sim/explain/merged-facts.js';
import { arrowsOf } from '../../../sim/export/arrows.js';
import { type AttemptSpan, attemptSpans } from '../../../sim/export/attempt-spans.js';
import { lanesOf } from '../../../sim/export/lanes.js';
import { exportPerfetto } from '../../../sim/export/perfetto.js';
import type { TimedEvent, TraceEvent } from '../../../sim/export/trace-event.js';
import { tellingScenarios, titlesOf, tracesOf } from '../explain/played.js';

type Of<P extends TraceEvent['ph']> = TraceEvent & { ph: P };

function exported(traces: readonly NodeTrace[]) {
  const text = [...exportPerfetto(traces, mergeTraces(traces))].join('');
  const document = JSON.parse(text) as { traceEvents: TraceEvent[]; otherData: object };
  const events = document.traceEvents;
  const timed = events.filter((event): event is TimedEvent => event.ph !== 'M');
  const slices = timed.filter((event): event is Of<'X'> => event.ph === 'X');
  const attempts = slices.filter(({ cat }) => cat === 'attempt');
  const names = new Map<string, string>();
  for (const event of events) {
    if (event.ph !== 'M' || !('name' in event.args)) continue;
    names.set(event.tid === undefined ? `p${event.pid}` : `t${event.tid}`, event.args.name);
  }
  return { events, timed, slices, attempts, names };
}

describe.each(tellingScenarios)('the picture for Perfetto of %s', (name) => {
  const traces = tracesOf(name);
  const { events, timed, slices, attempts, names } = exported(traces);
  const stories = tellAttempts(factsOf(mergeTraces(traces)));

  test('has every attempt of which explain tells once, with its outcome', () => {
    const titles = titlesOf(stories);
    const told = stories.map((story, index) => {
      const title = titles[index]!;
      return `${story.outcome === 'committed' ? title : `${title} ${story.outcome}`} on ${story.worker}`;
    });
    const drawn = attempts.map(({ name, pid }) => `${name} on ${names.get(`p${pid}`)}`);
    expect(drawn.sort()).toEqual(told.sort());
    expect(drawn.length).toBeGreaterThan(0);
  });

  test('has slices that take time, and attempts that never share a lane', () => {
    for (const { ts, dur } of slices) {
      expect(Number.isSafeInteger(ts) && ts >= 0).toBe(true);
      expect(Number.isSafeInteger(dur) && dur >= 1).toBe(true);
    }
    const freeAt = new Map<number, number>();
    for (const { tid, ts, dur } of attempts.toSorted((a, b) => a.ts - b.ts)) {
      expect(ts).toBeGreaterThanOrEqual(freeAt.get(tid) ?? 0);
      freeAt.set(tid, ts + dur);
    }
    for (const tid of freeAt.keys()) expect(names.get(`t${tid}`)).toMatch(/^(slot|no start recorded) \d+$/);
  });

  test('has arrows with two ends, forward in time and in the file, each in a slice that is there', () => {
    const ends = timed.filter((event): event is Of<'s' | 'f'> => event.ph === 's' || event.ph === 'f');
    const begun = new Map<number, Of<'s' | 'f'>>();
    for (const end of ends) {
      const around = slices.filter(
        ({ tid, pid, ts, dur }) => tid === end.tid && pid === end.pid && ts <= end.ts && end.ts < ts + dur,
      );
      expect(around.length, `slices around ${end.name} ${end.id}`).toBeGreaterThan(0);
      const isLast = around.some((slice) => timed.indexOf(slice) < timed.indexOf(end));
      expect(isLast, `the slice of ${end.name} ${end.id} is known before it`).toBe(true);
      if (end.ph === 's') {
        expect(begun.has(end.id)).toBe(false);
        begun.set(end.id, end);
        continue;
      }
      const begin = begun.get(end.id)!;
      expect(begin, `${end.name} ${end.id} began before it ended`).toBeDefined();
      expect(begin).toMatchObject({ name: end.name, cat: end.cat });
      expect(begin.ts).toBeLessThanOrEqual(end.ts);
      expect(end.bp).toBe('e');
    }
    expect(new Set(ends.filter(({ ph }) => ph === 'f').map(({ id }) => id)).size).toBe(ends.length / 2);
    const assigned = ends.filter(({ ph, name }) => ph === 'f' && name === 'assignment');
    const started = attempts.filter(({ args }) => 'life' in args);
    expect(assigned.length).toBe(started.length);
  });

  test('has no thread in two processes, and none that is named as a process is', () => {
    const processOf = new Map<number, number>();
    for (const event of events) {
      if (event.tid === undefined) continue;
      expect(processOf.get(event.tid) ?? event.pid).toBe(event.pid);
      processOf.set(event.tid, event.pid);
      expect(names.has(`p${event.tid}`)).toBe(false);
      expect(names.has(`t${event.tid}`)).toBe(true);
    }
  });
});

describe('the picture for Perfetto', () => {
  test('tells of a late report when it was refused, and why the attempt ended', () => {
    const { timed, attempts, names } = exported(tracesOf('late-worker'));
    const refused = timed.find(({ ph, name }) => ph === 'i' && name === 'late-report-refused map-0@1')!;
    expect(names.get(`p${refused.pid}`)).toBe('master-1');
    const late = attempts.find(({ name }) => name === 'map-0@1 refused')!;
    expect(JSON.stringify(late.args)).toMatch(/revoked: no word came from worker-1 for 2 s, its lease/);
    const arrow = timed.find(({ ph, name, tid, ts }) => {
      return ph === 's' && name === 'report' && tid === late.tid && ts === late.ts + late.dur - 1;
    }) as Of<'s'>;
    const heard = timed.find(
      (event) => event.ph === 'f' && event.name === 'report' && event.id === arrow.id,
    )!;
    expect(heard.ts).toBe(refused.ts);
  });

  test('draws an attempt whose worker was killed until it was given up or the next life began, and says that no end was recorded', () => {
    const traces = tracesOf('worker-killed-and-back');
    const { attempts } = exported(traces);
    const cut = attempts.filter(({ args }) => 'end' in args);
    expect(cut.map(({ name }) => name)).toEqual(['map-1@1 failed', 'reduce-0@1 failed']);
    const facts = factsOf(mergeTraces(traces));
    const revokedUs = facts.filter((fact) => fact.name === 'attempt-revoked').map(({ atUs }) => atUs);
    const secondLife = traces.find(({ header }) => header.setup.life.incarnation === 2)!;
    const ends = cut.map(({ ts, dur }) => ts + dur);
    expect(ends).toEqual([Math.min(revokedUs[0]!, secondLife.lines[0]!.at), revokedUs[1]]);
    expect(ends[0]).toBeLessThan(revokedUs[0]!);
  });

  test('knows of a master alone what it gave out, but of no slots', () => {
    const { attempts, names, timed } = exported(
      tracesOf('late-worker').filter(({ header }) => header.setup.role === 'master'),
    );
    expect(attempts.length).toBeGreaterThan(4);
    for (const { tid } of attempts) expect(names.get(`t${tid}`)).toMatch(/^no start recorded/);
    expect(timed.some(({ ph }) => ph === 's' || ph === 'f')).toBe(false);
  });

  test('moves nothing where clocks agree, and what they disagree by where they do not', () => {
    const traces = tracesOf('late-worker');
    const startsOf = (all: readonly NodeTrace[]) =>
      new Map(exported(all).attempts.map(({ name, ts, dur }) => [name, { ts, dur }]));
    const plain = startsOf(traces);
    const starts = factsOf(mergeTraces(traces)).filter((fact) => fact.name === 'started');
    const drawnUs = [...plain.values()].map(({ ts }) => ts).sort((a, b) => a - b);
    expect(drawnUs).toEqual(starts.map(({ atUs }) => atUs).sort((a, b) => a - b));
    // The workers' clocks are late by an hour: their steps move to the master's, and take as long as before.
    const late = traces.map(({ header, lines }) => ({
      header: { ...header, originUs: header.setup.role === 'worker' ? 0 : 3_600_000_000 },
      lines,
    }));
    const moved = startsOf(late);
    for (const [name, { dur }] of plain) {
      if (name === 'map-0@1 refused') continue;
      expect(Math.abs(moved.get(name)!.dur - dur)).toBeLessThan(100_000);
    }
  });

  test('has no arrow from an end that nobody recorded', () => {
    const steps = mergeTraces(tracesOf('late-worker'));
    const spans = attemptSpans(steps, factsOf(steps));
    const kindsOf = (change: Partial<AttemptSpan>) =>
      new Set(
        arrowsOf(steps, new Map([...spans].map(([key, span]) => [key, { ...span, ...change }]))).map(
          ({ kind }) => kind,
        ),
      );
    expect(kindsOf({})).toEqual(new Set(['assignment', 'report']));
    expect(kindsOf({ isEnded: false })).toEqual(new Set(['assignment']));
  });

  test('needs no more lanes than overlap', () => {
    const spans = [
      { startUs: 0, endUs: 10 },
      { startUs: 5, endUs: 7 },
      { startUs: 7, endUs: 12 },
      { startUs: 10, endUs: 11 },
      { startUs: 11, endUs: 20 },
    ];
    expect([...lanesOf(spans).values()]).toEqual([0, 1, 1, 0, 0]);
  });
});
