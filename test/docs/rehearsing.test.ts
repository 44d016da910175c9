/** docs/rehearsing.md tells all that scenarios can do, and its example is one. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { canBeReal } from '../../cli/rehearsal/conductor.js';
import { crashPoints } from '../../sim/scenario/fact-names.js';
import { loadScenarios } from '../../sim/scenario/load.js';
import { faultKinds } from '../../sim/scenario/read-fault.js';
import { simulate } from '../../sim/simulate.js';

const page = readFileSync(new URL('../../docs/rehearsing.md', import.meta.url), 'utf8');

it('names every kind of fault, with a star where real processes can have it', () => {
  const faults = page.slice(page.indexOf('\n## Faults\n'), page.indexOf('\nBeside faults'));
  const rows = faults.split('\n').filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/`(\w+)`( \*)?/g)]);
  expect(named.map(([, kind]) => kind).sort()).toEqual([...faultKinds].sort());
  for (const [text, kind, star] of named)
    expect(star !== undefined, text).toBe(canBeReal[kind as keyof typeof canBeReal]);
});

it('names every place in the code, and no other', () => {
  const places = page.slice(page.indexOf('\nPlaces in the code'), page.indexOf('\n## What must come'));
  const named = [...places.matchAll(/`((?:attempt|master|journal|publish)\.\w+)`/g)].map(([, name]) => name);
  expect(named.toSorted()).toEqual(crashPoints.toSorted());
});

it('has an example that passes', () => {
  const text = /```yaml\n(.*?)```/s.exec(page)![1]!;
  const loaded = loadScenarios(text, 'example');
  if (!loaded.ok) throw new Error('the example cannot be read');
  for (const seed of ['1', '2', '3'])
    expect(simulate(loaded.scenarios[0]!, { seed }).verdict, seed).toBe('passed');
});
