import { expect, test } from 'vitest';
import { defaultClusterConfig } from '../../../core/config.js';
import type { MergedStep, NodeTrace } from '../../../sim/explain/merge.js';
import { livesOf, silencesOf } from '../../../sim/export/lives.js';

const seconds = (count: number): number => count * 1_000_000;

function stepsOf(...steps: (readonly [node: string, incarnation: number, atS: number])[]): MergedStep[] {
  return steps.map(([node, incarnation, atS]) => {
    const line = { i: 1, at: 0, event: { type: 'node.started' }, effects: [], chain: '' } as const;
    return { node, incarnation, atUs: seconds(atS), line };
  });
}

const traces: NodeTrace[] = [
  {
    header: {
      trace: 'trace.v1',
      driver: 'runtime',
      versions: {},
      setup: { role: 'master', config: defaultClusterConfig, life: { node: 'master-1', incarnation: 1 } },
    },
    lines: [],
  },
];

test('a node is down between two lives, silent for more than four beats in one, gone after the last', () => {
  const steps = stepsOf(
    ['client-1', 1, 0],
    ['master-1', 1, 0],
    ['worker-1', 1, 1],
    ['worker-1', 1, 5],
    ['master-1', 1, 9],
    ['worker-1', 2, 7],
    ['master-1', 1, 12],
    ['master-1', 1, 12.5],
  );
  expect(silencesOf(traces, steps)).toEqual([
    { node: 'master-1', kind: 'silent', startUs: 0, endUs: seconds(9) },
    { node: 'worker-1', kind: 'down', startUs: seconds(5), endUs: seconds(7) },
    { node: 'worker-1', kind: 'gone', startUs: seconds(7), endUs: seconds(12.5) },
  ]);
});

test('a former life that goes on beside its successor interrupts nothing', () => {
  const steps = stepsOf(['master-1', 1, 0], ['master-1', 2, 3], ['master-1', 1, 4], ['master-1', 2, 5]);
  expect(silencesOf(traces, steps)).toEqual([
    { node: 'master-1', kind: 'down', startUs: 0, endUs: seconds(3) },
  ]);
  expect(livesOf(steps)).toEqual([
    { node: 'master-1', incarnation: 1, startUs: 0, endUs: seconds(4) },
    { node: 'master-1', incarnation: 2, startUs: seconds(3), endUs: seconds(5) },
  ]);
});
