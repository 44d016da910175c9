import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isOrdinary, nameOf, tellAttempts } from '../../../sim/explain/attempts.js';
import { causesOf, eventText } from '../../../sim/explain/causes.js';
import { mergeTraces } from '../../../sim/explain/merge.js';
import { flattenState, stateChanges } from '../../../sim/explain/state-view.js';
import { newFactReader, readFacts } from '../../../sim/scenario/facts.js';
import { loadScenarios } from '../../../sim/scenario/load.js';
import { simulate } from '../../../sim/simulate.js';
import { TraceRecorder } from '../../../sim/traced.js';

function tracesOf(name: string) {
  const text = readFileSync(new URL(`../../../scenarios/${name}.yaml`, import.meta.url), 'utf8');
  const loaded = loadScenarios(text, name);
  if (!loaded.ok) throw new Error(name);
  const scenario = loaded.scenarios[0]!;
  const recorder = new TraceRecorder(scenario.seed, {});
  simulate(scenario, { onStep: (step) => recorder.stepped(step) });
  return recorder.traces;
}

function storiesOf(name: string) {
  const reader = newFactReader();
  const facts = mergeTraces(tracesOf(name)).flatMap(({ node, atUs, line }) =>
    readFacts(reader, { node, atUs, event: line.event, effects: line.effects }),
  );
  return tellAttempts(facts);
}

describe('explaining', () => {
  test('a late report: why the first attempt ended, why the second began, and why the report was ignored', () => {
    const stories = storiesOf('late-worker');
    const [first, second] = stories.filter(({ task }) => task === 'map-0');
    const words = first!.moments.map(({ text }) => text).join('\n');
    expect(first!.outcome).toBe('refused');
    expect(words).toMatch(/revoked: no word came from worker-\d for 2 s, its lease/);
    expect(words).toMatch(/its late report was ignored: map-0@2 of worker-\d is committed already/);
    expect(second!.moments[0]!.text).toMatch(/because map-0@1 was revoked$/);
    expect(second!.outcome).toBe('committed');
    expect(stories.filter(isOrdinary).map(nameOf)).toContain('map-1@1');
  });

  test('an attempt that failed, and a committed output that was lost', () => {
    const failed = storiesOf('throwing-map').find(({ outcome }) => outcome === 'failed')!;
    expect(failed.moments.map(({ text }) => text).join('\n')).toMatch(/failed \(user\); it counts/);
    const lost = storiesOf('committed-map-files-lost').find(({ outcome }) => outcome === 'lost')!;
    expect(lost.moments.at(-1)!.text).toMatch(/its committed output is lost \(missing\): map-\d runs again/);
  });

  test('a step by the chain of messages that led to it', () => {
    const steps = mergeTraces(tracesOf('late-worker'));
    const refusal = steps.find(({ line }) =>
      line.effects.some((effect) => effect.type === 'decide' && effect.decision === 'late-report-refused'),
    )!;
    const chain = causesOf(steps, refusal.node, refusal.line.i)!;
    expect(chain.map(({ node }) => node).slice(-2)).toEqual(['worker-1', 'master-1']);
    expect(eventText(chain.at(-1)!.line.event)).toBe('received worker.hello from worker-1');
    expect(causesOf(steps, 'master-1', 100_000)).toBeUndefined();
  });

  test('laying traces side by side never puts an effect before its cause, however the clocks differ', () => {
    const traces = tracesOf('late-worker');
    const skewed = traces.map((trace, index) => ({
      ...trace,
      header: { ...trace.header, originUs: index % 2 === 0 ? 5_000_000 : 0 },
    }));
    const seen = new Set<string>();
    for (const { node, line } of mergeTraces(skewed)) {
      if (line.cause) expect(seen).toContain(`${line.cause.node}:${line.cause.index}`);
      seen.add(`${node}:${line.i}`);
    }
    expect(seen.size).toBe(traces.reduce((sum, { lines }) => sum + lines.length, 0));
  });
});

describe('the view of a state', () => {
  test('has a line per value, and says what a step changed', () => {
    const before = flattenState({ a: 1, m: new Map([['x', { y: [1, 2] }]]), s: new Set(['q']), e: [] });
    expect([...before]).toEqual([
      ['a', '1'],
      ['m.x.y.0', '1'],
      ['m.x.y.1', '2'],
      ['s.0', '"q"'],
      ['e', '[]'],
    ]);
    const after = flattenState({ a: 2, m: new Map([['x', { y: [1] }]]), s: new Set(['q']), e: [], n: true });
    expect(stateChanges(before, after)).toEqual([
      { path: 'a', before: '1', after: '2' },
      { path: 'n', after: 'true' },
      { path: 'm.x.y.1', before: '2' },
    ]);
  });
});
