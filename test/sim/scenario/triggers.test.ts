import { expect, it } from 'vitest';
import type { Fact } from '../../../sim/scenario/facts.js';
import { loadScenarios } from '../../../sim/scenario/load.js';
import { type Cast, newTriggers, observe, resolveNode } from '../../../sim/scenario/triggers.js';

function triggers(faults: string) {
  const loaded = loadScenarios(`name: x\ncluster: { masters: 2 }\nfaults:\n${faults}\nexpect: {}`, 'x.yaml');
  if (!loaded.ok) throw new Error(loaded.errors[0]!.message);
  return newTriggers(loaded.scenarios[0]!);
}

const fact = (name: Fact['name'], more: Partial<Fact> = {}): Fact => ({
  name,
  atUs: 0,
  node: 'master-1',
  ...more,
});
const map0 = (name: Fact['name'], ordinal: number): Fact =>
  fact(name, { task: 'map-0', ordinal, node: 'worker-1', worker: 'worker-1' });
const cast: Cast = {
  masters: ['master-1', 'master-2'],
  workers: ['worker-1', 'worker-2'],
  clients: ['client-1'],
  isUp: (node) => node !== 'worker-2',
  pick: () => 0,
};

it('a fault begins once, at the first fact that matches', () => {
  const state = triggers('  - { when: "map-0@2 started", crash: leader }');
  expect(observe(state, map0('started', 1))).toEqual([]);
  expect(observe(state, map0('started', 2)).map(({ phase }) => phase)).toEqual(['begin']);
  expect(observe(state, map0('started', 2))).toEqual([]);
});

it('a lasting fault ends at its fact, and not before it began', () => {
  const state = triggers('  - { when: "map-0@1 started", pause: "its worker", until: "map-0@2 committed" }');
  expect(observe(state, map0('committed', 2))).toEqual([]);
  expect(observe(state, map0('started', 1)).map(({ phase }) => phase)).toEqual(['begin']);
  expect(observe(state, map0('committed', 1))).toEqual([]);
  expect(observe(state, map0('committed', 2)).map(({ phase }) => phase)).toEqual(['end']);
});

it('with `after`, a trigger counts only from then on', () => {
  const state = triggers('  - { when: "leader began", after: "maps done", crash: leader }');
  expect(observe(state, fact('leader-began'))).toEqual([]);
  expect(observe(state, fact('maps-done'))).toEqual([]);
  expect(observe(state, fact('leader-began'))).toHaveLength(1);
});

it('a point counts only on the node, job and attempt that are named', () => {
  const state = triggers('  - { point: attempt.after_write_before_report, task: map-0@2, crash: it }');
  const detail = { point: 'attempt.after_write_before_report' };
  expect(observe(state, { ...map0('point-reached', 1), detail })).toEqual([]);
  expect(observe(state, { ...map0('point-reached', 2), detail })).toHaveLength(1);
  const publishing = triggers('  - { point: publish.before_rename, on: leader, crash: it }');
  observe(publishing, fact('leader-began', { node: 'master-2' }));
  const at = { detail: { point: 'publish.before_rename' } };
  expect(observe(publishing, fact('point-reached', { ...at, node: 'master-1' }))).toEqual([]);
  expect(observe(publishing, fact('point-reached', { ...at, node: 'master-2' }))).toHaveLength(1);
});

it('roles become names', () => {
  const state = triggers('  - { when: "maps done", crash: leader }');
  const started = map0('started', 1);
  expect(resolveNode(state, { kind: 'leader' }, started, cast)).toBeUndefined();
  observe(state, fact('leader-began', { node: 'master-1' }));
  expect(resolveNode(state, { kind: 'leader' }, started, cast)).toBe('master-1');
  expect(resolveNode(state, { kind: 'any', of: 'standby' }, started, cast)).toBe('master-2');
  expect(resolveNode(state, { kind: 'any', of: 'worker' }, started, cast)).toBe('worker-1');
  expect(resolveNode(state, { kind: 'its-worker' }, started, cast)).toBe('worker-1');
  expect(resolveNode(state, { kind: 'it' }, fact('maps-done'), cast)).toBe('master-1');
});
