import { describe, expect, test } from 'vitest';
import { isOrdinary, lengthOf, nameOf, outcomeText, tellAttempts } from '../../../sim/explain/attempts.js';
import { causesOf, eventText } from '../../../sim/explain/causes.js';
import { mergeTraces } from '../../../sim/explain/merge.js';
import { factsOf } from '../../../sim/explain/merged-facts.js';
import { flattenState, stateChanges } from '../../../sim/explain/state-view.js';
import type { FactName } from '../../../sim/scenario/fact-names.js';
import type { Fact } from '../../../sim/scenario/facts.js';
import { tracesOf } from './played.js';

function storiesOf(name: string) {
  return tellAttempts(factsOf(mergeTraces(tracesOf(name))));
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

  test('an attempt without an outcome is open only as long as its job is', () => {
    const at = (name: FactName, rest: Partial<Fact> = {}): Fact => ({
      name,
      atUs: 0,
      node: 'master-1',
      job: 1,
      ...rest,
    });
    const lost = {
      attempt: { job: 1, task: 0, epoch: 1, n: 1 },
      task: 'map-0',
      ordinal: 1,
      worker: 'worker-1',
    };
    const ran = {
      attempt: { job: 1, task: 1, epoch: 1, n: 1 },
      task: 'map-1',
      ordinal: 1,
      worker: 'worker-1',
    };
    const begun = [at('attempt-assigned', lost), at('attempt-assigned', ran), at('started', ran)];
    expect(tellAttempts(begun).map(outcomeText)).toEqual(['open', 'open']);
    const over = ['no start is recorded', 'over with its job'];
    expect(tellAttempts([...begun, at('job-failed')]).map(outcomeText)).toEqual(over);
    expect(tellAttempts([...begun, at('job-published')]).map(outcomeText)).toEqual(over);
    expect(tellAttempts([...begun, at('job-failed', { job: 2 })]).map(outcomeText)).toEqual(['open', 'open']);
  });

  test('what is done again because the store had lost it, whether a master noticed that or not', () => {
    const noticed = storiesOf('store-restored-in-the-job');
    const texts = noticed.flatMap(({ moments }) => moments.map(({ text }) => text)).join('\n');
    expect(texts).toMatch(/because the store has lost that map-\d@1 was committed/);
    expect(texts).not.toContain('former leader');
    const twice = {
      job: 1,
      attempt: { job: 1, task: 0, epoch: 1, n: 1 },
      task: 'map-0',
      ordinal: 1,
      worker: 'worker-1',
    };
    const names = ['attempt-assigned', 'committed', 'attempt-assigned', 'committed'] as const;
    const stories = tellAttempts(names.map((name) => ({ name, atUs: 0, node: 'master-1', ...twice })));
    expect(stories.map(({ outcome, moments }) => [outcome, moments[0]!.text])).toEqual([
      ['lost', 'given to worker-1, which had a free slot; the first attempt'],
      ['committed', 'given to worker-1, because the store has lost that map-0@1 was committed'],
    ]);
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

  test.each(['late-worker', 'worker-killed-and-back'])(
    'laying traces side by side never puts an effect before its cause, however the clocks differ: %s',
    (name) => {
      const traces = tracesOf(name);
      const skewed = traces.map((trace, index) => ({
        ...trace,
        header: { ...trace.header, originUs: index % 2 === 0 ? 5_000_000 : 0 },
      }));
      const seen = new Set<string>();
      for (const { node, incarnation, cause, line } of mergeTraces(skewed)) {
        expect(cause?.index).toBe(line.cause?.index);
        if (cause) expect(seen).toContain(`${cause.node}.${cause.incarnation}:${cause.index}`);
        seen.add(`${node}.${incarnation}:${line.i}`);
      }
      expect(seen.size).toBe(traces.reduce((sum, { lines }) => sum + lines.length, 0));
    },
  );
});

describe('clocks that tell nothing of each other', () => {
  const name = 'clocks-that-disagree';

  test('what a master reads in the journal comes after the step that appended it', () => {
    const appended = new Set<string>();
    let read = 0;
    for (const { node, line } of mergeTraces(tracesOf(name))) {
      for (const effect of line.effects) if (effect.type === 'journal.append') appended.add(effect.nonce);
      if (line.event.type !== 'journal.entries') continue;
      for (const { nonce } of line.event.entries) {
        expect(appended, `${node}:${line.i}`).toContain(nonce);
        if (!nonce.startsWith(`${node}/`)) read++;
      }
    }
    expect(read).toBeGreaterThan(0);
  });

  test('no attempt is told from its end, and each took as long as one clock says', () => {
    const order = ['given', 'started', 'finished', 'committed'];
    const stories = storiesOf(name);
    expect(stories.length).toBeGreaterThan(8);
    for (const story of stories) {
      const words = story.moments.map(({ text }) => order.indexOf(/^\w+/.exec(text)![0]));
      const told = words.filter((place) => place >= 0);
      expect(told, nameOf(story)).toEqual([...told].sort());
    }
    // Attempts take 1 s or 2 s, and one clock of the six leaps an hour: what it saw before and after is that long by it.
    const hourUs = 3_600_000_000;
    const lengths = stories.map((story) => lengthOf(story)?.us ?? 0);
    expect(lengths.filter((us) => us < 0 || (us > 4_000_000 && us < hourUs))).toEqual([]);
    expect(lengths.filter((us) => us > 900_000 && us < 4_000_000).length).toBeGreaterThan(3);
  });

  test('how long an attempt took is said by its worker where nobody else saw both its begin and its end', () => {
    const moment = (node: string, atUs: number) => ({ node, atUs, text: '' });
    const lengthOfMoments = (...moments: ReturnType<typeof moment>[]) =>
      lengthOf({
        ...{ job: 1, task: 'map-0', ordinal: 1, worker: 'worker-1' },
        ...{ outcome: 'committed', hasStarted: true, isOver: true, moments },
      });
    const worked = [moment('worker-1', 100), moment('worker-1', 130)];
    expect(lengthOfMoments(moment('master-1', 10), ...worked, moment('master-1', 50))).toEqual({
      us: 40,
      by: 'one',
    });
    expect(lengthOfMoments(moment('master-1', 10), ...worked, moment('master-2', 5))).toEqual({
      us: 30,
      by: 'worker',
    });
    expect(lengthOfMoments(moment('master-1', 10), worked[0]!)).toBeUndefined();
    expect(lengthOfMoments(moment('master-1', 10), moment('master-1', 5))).toBeUndefined();
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
