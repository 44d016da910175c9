import { describe, expect, test } from 'vitest';
import { tellAttempts } from '../../../sim/explain/attempts.js';
import { mergeTraces, type NodeTrace } from '../../../sim/explain/merge.js';
import { factsOf } from '../../../sim/explain/merged-facts.js';
import { layOut } from '../../../sim/export/picture/layout.js';
import { Scale } from '../../../sim/export/picture/scale.js';
import { viewRun } from '../../../sim/export/run-view.js';
import { exportSvg } from '../../../sim/export/svg.js';
import { tellingScenarios, titlesOf, tracesOf } from '../explain/played.js';
import { all, type Element, hasClass, readMarkup, textOf, titleOf } from './read-markup.js';

function drawn(traces: readonly NodeTrace[], range = {}) {
  const text = [...exportSvg(traces, mergeTraces(traces), range)].join('');
  const elements = [...all(readMarkup(text))];
  const of = (name: string): Element[] => elements.filter((element) => hasClass(element, name));
  const bars = of('bar').filter((bar) => 'id' in bar.attributes);
  return { text, elements, of, bars };
}

const scenarios = [...tellingScenarios, 'hundred-maps-twenty-reduces'];

describe.each(scenarios)('the picture of %s', (name) => {
  const traces = tracesOf(name);
  const steps = mergeTraces(traces);
  const { elements, bars, of } = drawn(traces);
  const stories = tellAttempts(factsOf(steps));

  test('has every attempt of which explain tells once, with all that it tells of it', () => {
    const titles = titlesOf(stories);
    expect(
      bars.flatMap((bar) => [...all(bar)].filter(({ attributes }) => attributes.id?.startsWith('attempt-')))
        .length,
    ).toBe(stories.length);
    for (const [index, story] of stories.entries()) {
      const id = `attempt-${index + 1}`;
      const bar = bars.find((one) => [...all(one)].some(({ attributes }) => attributes.id === id))!;
      expect(hasClass(bar, story.outcome)).toBe(true);
      if (/^\d+ attempts/.test(titleOf(bar))) continue;
      const title = `${titles[index]} on ${story.worker ?? 'nobody'}: ${story.outcome}`;
      expect(titleOf(bar).startsWith(title)).toBe(true);
      for (const { text } of story.moments) expect(titleOf(bar)).toContain(text);
    }
  });

  test('says in text what went otherwise than well, wherever there is room', () => {
    for (const { text, outcome } of layOut(traces, steps, {})
      .lanes.flatMap(({ bars }) => bars)
      .map(toText)) {
      if (text !== undefined && outcome !== 'committed') expect(text.endsWith(outcome)).toBe(true);
    }
    expect(bars.filter((bar) => textOf(bar) !== '').length).toBeGreaterThan(bars.length / 2);
  });

  test('has a lane for each node, in which no bar lies on another and no label on another', () => {
    const { lanes, scale } = layOut(traces, steps, {});
    expect(of('node').map(textOf)).toEqual(lanes.map(({ node }) => node));
    for (const { bars, labels, node } of lanes) {
      const rows = new Map<number, number>();
      for (const { attempts, row } of bars) {
        for (const { span } of attempts) {
          expect(span.node).toBe(node);
          expect(span.startUs).toBeGreaterThanOrEqual(rows.get(row) ?? 0);
          rows.set(row, span.endUs);
        }
      }
      const ends = new Map<number, number>();
      for (const { x, row, isLeft, text } of labels) {
        if (row === undefined || isLeft) continue;
        expect(x).toBeGreaterThanOrEqual(ends.get(row) ?? 0);
        ends.set(row, x + text.length * 5);
        expect(x).toBeLessThanOrEqual(scale.width);
      }
    }
  });

  test('names every attempt once, and every shape stands for something', () => {
    const ids = elements.flatMap(({ attributes }) => (attributes.id === undefined ? [] : [attributes.id]));
    expect(new Set(ids).size).toBe(ids.length);
    for (const element of [...of('arrow'), ...of('life'), ...of('mark'), ...of('label')]) {
      const isLegend = element.attributes.d?.includes('H') ?? false;
      if (!isLegend) expect(titleOf(element), JSON.stringify(element)).not.toBe('');
    }
  });
});

function toText({ text, outcome }: { text?: { text: string }; outcome: string }) {
  return { text: text?.text, outcome };
}

describe('the picture of a run', () => {
  test('shows that a worker was silent, that its report came late, and why it changed nothing', () => {
    const { of, bars } = drawn(tracesOf('late-worker'));
    expect(of('silent').length).toBe(1);
    expect(of('silence-text').map(textOf)).toEqual(['silent 2.152 s']);
    expect(of('word').map(textOf)).toEqual(['refused: superseded']);
    const arrow = of('worded').find((element) =>
      titleOf(element).startsWith('report of map-0@1: refused: superseded'),
    )!;
    expect(titleOf(arrow)).toMatch(/heard in step master-1\.1:\d+$/);
    const refused = bars.find((bar) => hasClass(bar, 'refused'))!;
    expect(textOf(refused)).toBe('map-0@1 refused');
    expect(of('label').map(textOf)).toContain('late-report-refused map-0@1');
  });

  test('marks the lives of a worker that was killed, and when there was none', () => {
    const { of, bars } = drawn(tracesOf('worker-killed-and-back'));
    expect(of('small').map(textOf)).toEqual(expect.arrayContaining(['life 1', 'life 2', 'life 3']));
    expect(of('down').map(({ name }) => name)).toEqual(['rect', 'rect']);
    expect(of('silence-text').map(textOf)).toEqual(['down 5 s']);
    const cut = bars.filter((bar) => titleOf(bar).includes('no end is recorded'));
    expect(cut.length).toBe(2);
  });

  test('names nodes, jobs and messages as text, whatever is in them', () => {
    const name = `<script>alert("x")</script> & '\u0000\ud800`;
    const traces = JSON.parse(
      JSON.stringify(tracesOf('late-worker')).replaceAll('"modelled"', JSON.stringify(name)),
    );
    const { text, of } = drawn(traces);
    expect(text).not.toContain('<script');
    expect(textOf(of('heading')[0]!)).toBe(`job 1 <script>alert("x")</script> & '\ufffd\ufffd: published`);
  });

  test('shows a part, and says so', () => {
    const traces = tracesOf('late-worker');
    const { bars, of } = drawn(traces, { fromUs: 2_700_000, untilUs: 3_000_000 });
    expect(bars.map((bar) => titleOf(bar).split(' ')[0]).sort()).toEqual(['reduce-0@1', 'reduce-1@1']);
    expect(of('small').map(textOf)).toContain('simulated, seed 7 · 2.7 s to 3 s of it · 2 of 7 attempts');
    expect(of('label')).toEqual([]);
    expect(of('silence')).toEqual([]);
    expect(of('worded').filter((element) => titleOf(element) !== '')).toEqual([]);
  });

  test('draws together what is too narrow to be told apart, and leaves out messages of which there is nothing to tell', () => {
    const traces = tracesOf('hundred-maps-twenty-reduces');
    const steps = mergeTraces(traces);
    const { lanes, lines, attempts } = layOut(traces, steps, { fromUs: 0, untilUs: 3_600_000_000 });
    const bars = lanes.flatMap(({ bars }) => bars);
    expect(bars.length).toBeLessThan(attempts.length);
    expect(bars.flatMap((bar) => bar.attempts).length).toBe(attempts.length);
    for (const bar of bars.filter((one) => one.attempts.length > 1)) {
      expect(new Set(bar.attempts.map(({ span }) => span.story.outcome))).toEqual(new Set(['committed']));
    }
    expect(lines.length).toBeGreaterThan(0);
  });

  test('draws no arrow back in time', () => {
    for (const name of scenarios) {
      const traces = tracesOf(name);
      for (const { x1, x2, told } of layOut(traces, mergeTraces(traces), {}).lines)
        expect(x1, JSON.stringify(told)).toBeLessThanOrEqual(x2);
    }
  });

  test('has what a master reads in the journal where it was appended, or later', () => {
    const { steps, timeOf } = viewRun(mergeTraces(tracesOf('clocks-that-disagree')));
    const reads = steps.filter(({ appends }) => appends !== undefined);
    expect(reads.length).toBeGreaterThan(0);
    for (const { atUs, appends } of reads) {
      for (const append of appends!) expect(timeOf(append)).toBeLessThanOrEqual(atUs);
    }
  });

  test('has round times at its top', () => {
    expect(new Scale(0, 6_300_000, 1200).ticks().map(({ text }) => text)).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((second) => (second === 0 ? '0 µs' : `${second} s`)),
    );
    for (const untilUs of [1, 7, 999, 12_345, 86_400_000_000]) {
      const ticks = new Scale(0, untilUs, 1200).ticks();
      expect(ticks.length).toBeGreaterThan(0);
      expect(ticks.length).toBeLessThan(13);
    }
  });
});
