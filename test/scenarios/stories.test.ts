import { readFileSync, writeFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { scenarioJsonSchema } from '../../sim/scenario/schema.js';
import { factText, isNotable } from '../../sim/scenario/timeline.js';
import { simulate } from '../../sim/simulate.js';
import { complaint } from './complaint.js';
import { scenariosPath, stories } from './stories.js';

const updating = process.env.UPDATE_GOLDEN !== undefined;

/** The expected file, which UPDATE_GOLDEN rewrites. */
function golden(path: string, text: string): string {
  if (updating) writeFileSync(path, text);
  return readFileSync(path, 'utf8');
}

describe.each([...stories])('%s', (name, variants) => {
  it('goes as expected on its own seed, and leaves the golden trace', () => {
    const sections = variants.map((scenario) => {
      const result = simulate(scenario);
      expect(complaint(result)).toBe('');
      const facts = result.facts.filter(isNotable).map(factText);
      return [`# ${scenario.name}, seed ${result.seed}`, ...facts, ''].join('\n');
    });
    const text = sections.join('\n');
    expect(text).toBe(golden(`${scenariosPath}golden/${name}.txt`, text));
  });

  it('gives the same hash chain twice, and another one on another seed', () => {
    for (const scenario of variants) {
      const first = simulate(scenario);
      expect(simulate(scenario).chain).toBe(first.chain);
      expect(simulate(scenario, { seed: 'another' }).chain).not.toBe(first.chain);
    }
  });
});

it('the JSON Schema for editors is that of the loader', () => {
  const schema = scenarioJsonSchema();
  const text = golden(`${scenariosPath}schema/scenario.v1.json`, `${JSON.stringify(schema, null, 2)}\n`);
  expect(JSON.parse(text)).toEqual(schema);
});

describe('the JSON Schema for editors', () => {
  const validate = new Ajv2020().compile(scenarioJsonSchema());
  const files = globSync('**/*.yaml', { cwd: scenariosPath }).sort();

  it.each(files)('accepts %s, placeholders and all', (file) => {
    validate(parse(readFileSync(scenariosPath + file, 'utf8')));
    expect(validate.errors).toBeNull();
  });

  it.each([
    'policy: { lease: "10" }',
    'policy: { lease: "{}" }',
    'policy: { speculation: perhaps }',
    'cluster: { workers: "{n}" }',
    'faults: [{ at: 12:61, crash: leader }]',
  ])('refuses %s', (line) => {
    expect(validate(parse(`name: x\nexpect: {}\n${line}`))).toBe(false);
  });
});
