import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createContext, Script } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Effect } from '../../core/effects.js';
import type { MasterState } from '../../core/master/state.js';
import { deepDifference, differenceText, firstDifference } from '../../sim/determinism.js';
import type { Plants } from '../../sim/plants.js';
import type { Scenario } from '../../sim/scenario/types.js';
import { simulate } from '../../sim/simulate.js';
import { browserPath, inChromium, skippedBecause } from '../chromium.js';
import { story } from '../scenarios/stories.js';

const late = story('late-worker');

/** A plant that changes one effect of masters. */
function changing(change: (effect: Effect) => Effect): () => Plants {
  return () => ({
    effects: (life, _, effects) => (life.node.kind === 'master' ? effects.map(change) : effects),
  });
}

describe('a leak is named by step, node, field and both values', () => {
  it('finds nothing where nothing leaks', () => {
    expect(firstDifference(late)).toBeUndefined();
  });

  it('Date.now in a decision', () => {
    // Half a millisecond of work between two looks at the clock: no two runs see the same times.
    const plants = changing((effect) => {
      if (effect.type !== 'decide' || effect.decision !== 'attempt-assigned') return effect;
      return { ...effect, facts: { ...effect.facts, assignedAtUs: Date.now() * 1000 + performance.now() } };
    });
    const found = firstDifference(late, { plants })!;
    expect(found).toMatchObject({ node: 'master-1' });
    expect(found.field).toMatch(/^effects\[\d+\]\.facts\.assignedAtUs$/);
    expect(found.values[0]).toMatch(/^\d+(\.\d+)?$/);
    expect(found.values[0]).not.toBe(found.values[1]);
    expect(differenceText(found)).toContain('assignedAtUs was ');
  });

  it('Math.random in a time-out', () => {
    const plants = (): Plants => ({
      effects: (life, event, effects) => {
        if (event.type !== 'peer.connected' || life.node.kind !== 'worker') return effects;
        const [first] = life.machine.deadlines.heap;
        if (first) life.machine.deadlines.heap[0] = { ...first, at: first.at + Math.random() };
        return effects;
      },
    });
    const found = firstDifference(late, { plants })!;
    expect(found.node).toMatch(/^worker-/);
    expect(found.event).toBe('peer.connected');
    expect(found.field).toMatch(/^state\.deadlines\.heap\[0\]\.at$/);
    expect(found.values[0]).not.toBe(found.values[1]);
  });

  it('randomUUID as the nonce of an append', () => {
    const plants = changing((effect) =>
      effect.type === 'journal.append' ? { ...effect, nonce: randomUUID() } : effect,
    );
    const found = firstDifference(late, { plants })!;
    expect(found).toMatchObject({ node: 'master-1' });
    expect(found.field).toMatch(/^effects\[\d+\]\.nonce$/);
    expect(found.values[0]).toMatch(/^"[0-9a-f-]{36}"$/);
    expect(found.values[1]).toMatch(/^"[0-9a-f-]{36}"$/);
  });

  it('an insertion order that a real race decides', async () => {
    // A thread counts as fast as it can; whether its number is odd when we look is anybody's guess.
    const shared = new Int32Array(new SharedArrayBuffer(4));
    const racer = new Worker(
      'const { workerData } = require("node:worker_threads"); for (;;) Atomics.add(workerData, 0, 1);',
      {
        eval: true,
        workerData: shared,
      },
    );
    try {
      await new Promise((resolve) => racer.once('online', resolve));
      const rest = new Int32Array(new SharedArrayBuffer(4));
      let seen = 0;
      // On a busy machine the thread may not run between two looks: then there is no race, and we wait until there is.
      const look = (): number => {
        while (Atomics.load(shared, 0) === seen) Atomics.wait(rest, 0, 0, 1);
        seen = Atomics.load(shared, 0);
        return seen;
      };
      const plants = (): Plants => ({
        effects: (life, event, effects) => {
          if (event.type !== 'message.received' || life.node.kind !== 'master') return effects;
          const { leading } = life.machine.state as MasterState;
          if (!leading || leading.workers.size < 2 || look() % 2 === 0) return effects;
          const [first] = leading.workers;
          leading.workers.delete(first![0]);
          leading.workers.set(...first!);
          return effects;
        },
      });
      const found = firstDifference(late, { plants })!;
      expect(found).toMatchObject({ node: 'master-1', event: 'message.received' });
      expect(found.field).toBe('state.leading.workers[0]');
      expect([...found.values].sort()).toEqual(['"worker-1"', '"worker-2"']);
    } finally {
      await racer.terminate();
    }
  });
});

describe('the first difference of two values', () => {
  it.each([
    [{ a: 1, b: [1, 2] }, { b: [1, 3], a: 1 }, 'x.b[1]'],
    [{ a: 1 }, { a: 1, b: undefined }, undefined],
    [{ a: 1 }, { a: 1, b: null }, 'x.b'],
    [[1, 2], [1], 'x[1]'],
    [[1], [1, 2], 'x[1]'],
    [new Map([['k', 1]]), new Map([['k', 2]]), 'x.k'],
    [
      new Map([
        ['k', 1],
        ['l', 2],
      ]),
      new Map([
        ['l', 2],
        ['k', 1],
      ]),
      'x[0]',
    ],
    [new Set(['a', 'b']), new Set(['b', 'a']), 'x[0]'],
    [[1], { 0: 1 }, 'x'],
    [null, {}, 'x'],
  ])('%o and %o differ at %s', (first, second, path) => {
    expect(deepDifference(first, second, 'x')?.path).toBe(path);
  });
});

/** Stories with many kinds of faults, as the plain data that another engine can take. */
const samples: readonly Scenario[] = [
  late,
  story('leader-killed-in-reduce'),
  story('nondeterministic-map'),
  story('partition-heals'),
  story('zombie-publisher', 'publish.before_rename'),
];
const entry = fileURLToPath(new URL('bundle-entry.ts', import.meta.url));

describe('core and simulator elsewhere', () => {
  let code = '';
  const expected = samples.map((scenario) => simulate(scenario).chain);

  beforeAll(async () => {
    const bundled = await build({
      entryPoints: [entry],
      bundle: true,
      format: 'iife',
      globalName: 'rehearsal',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      // What seedrandom asks for only where it finds no seed.
      external: ['crypto'],
      write: false,
      logLevel: 'silent',
    });
    code = bundled.outputFiles[0]!.text;
  });

  it('give the same hashes in an empty context, where there is no clock and nothing of Node', () => {
    const context = createContext(Object.create(null));
    new Script(code).runInContext(context);
    // Even what the language itself has of clocks and chance is taken away.
    new Script('delete globalThis.Date; Math.random = undefined;').runInContext(context);
    context.input = JSON.stringify(samples);
    const text = new Script('JSON.stringify(rehearsal.chainsOf(JSON.parse(input)))').runInContext(context);
    expect(JSON.parse(text as string)).toEqual(expected);
  });

  it.skipIf(browserPath === undefined)(`give the same hashes in Chromium${skippedBecause}`, async () => {
    const chains = await inChromium(async (page) => {
      await page.addScriptTag({ content: code });
      return page.evaluate(
        (input) =>
          (globalThis as unknown as { rehearsal: { chainsOf(all: unknown): string[] } }).rehearsal.chainsOf(
            JSON.parse(input),
          ),
        JSON.stringify(samples),
      );
    });
    expect(chains).toEqual(expected);
  });
});
