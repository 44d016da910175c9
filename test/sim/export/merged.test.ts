import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeTraces, type NodeTrace } from '../../../sim/explain/merge.js';
import { exportMerged } from '../../../sim/export/merged.js';
import { tracesOf } from '../explain/played.js';
import { expectCausesFirst, readMerged } from './read-merged.js';

function exported(traces: readonly NodeTrace[]) {
  return readMerged([...exportMerged(traces, mergeTraces(traces))].join(''));
}

function stepsOf(traces: readonly NodeTrace[]): number {
  return traces.reduce((sum, { lines }) => sum + lines.length, 0);
}

describe('the merged trace', () => {
  const scenarios = [
    'late-worker',
    'worker-killed-and-back',
    'leader-killed-in-map',
    'old-leader-returns',
    'messages-twice-late-and-lost',
    'clocks-that-disagree',
  ];

  test.each(scenarios)('has every step once and after its cause: %s', (name) => {
    const traces = tracesOf(name);
    const { header, lines } = exported(traces);
    expect(header).toMatchObject({
      merged: 'merged.v1',
      driver: 'simulator',
      zeroUs: 0,
      steps: lines.length,
    });
    expect(header.traces).toEqual(JSON.parse(JSON.stringify(traces.map((trace) => trace.header))));
    expectCausesFirst(lines, stepsOf(traces));
  });

  test('keeps that order however far the clocks of nodes are apart, and though lives were killed and have lost their last lines', () => {
    const traces = tracesOf('worker-killed-and-back');
    const lives = traces.map(({ header }) => `${header.setup.life.node}.${header.setup.life.incarnation}`);
    expect(lives).toContain('worker-1.2');
    const skews = fc.array(fc.nat({ max: 100_000 }), { minLength: traces.length, maxLength: traces.length });
    fc.assert(
      fc.property(skews, fc.nat({ max: 9 }), (skewsUs, lost) => {
        const skewed = traces.map(({ header, lines }, index) => ({
          header: { ...header, driver: 'runtime' as const, originUs: skewsUs[index]! },
          lines: header.setup.life.incarnation === 1 ? lines.slice(0, lines.length - lost) : lines,
        }));
        const { lines } = exported(skewed);
        expectCausesFirst(lines, stepsOf(skewed));
        expect(Math.min(...lines.map(({ atUs }) => atUs))).toBe(0);
      }),
      { numRuns: 25 },
    );
  });

  test.each([0, 1, 2, 5, 10, 20])(
    'takes no step of a later life for one that was lost with %i others',
    (lost) => {
      const traces = tracesOf('worker-killed-and-back')
        .filter(({ header }) => header.setup.life.incarnation <= 2)
        .map(({ header, lines }) => {
          const { node, incarnation } = header.setup.life;
          const isCut = node === 'worker-1' && incarnation === 1;
          return { header, lines: isCut ? lines.slice(0, Math.max(1, lines.length - lost)) : lines };
        });
      expectCausesFirst(exported(traces).lines, stepsOf(traces));
    },
  );
});
