import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { createGenerator, type Schema } from 'ts-json-schema-generator';
import { beforeAll, describe, expect, it } from 'vitest';
import { readScenarios } from '../../cli/scenario-files.js';
import type { TraceHeader, TraceLine } from '../../core/trace.js';
import { simulate } from '../../sim/simulate.js';
import { TraceRecorder } from '../../sim/traced.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const file = `${root}scenarios/schema/trace.v1.json`;

/** The types of the trace are the schema: `TraceHeader` for the first line, `TraceLine` for the others. */
function schemaOfTypes(): string {
  const generator = createGenerator({
    path: `${root}core/trace.ts`,
    tsconfig: `${root}core/tsconfig.json`,
    skipTypeCheck: true,
    additionalProperties: false,
  });
  const of = (type: string): Schema['definitions'] => generator.createSchema(type).definitions;
  const definitions = { ...of('TraceHeader'), ...of('TraceLine') };
  const schema: Schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'trace.v1.json',
    title: 'trace.v1',
    description: 'One line of a trace: the header comes first, then one line per step.',
    anyOf: [{ $ref: '#/definitions/TraceHeader' }, { $ref: '#/definitions/TraceLine' }],
    definitions,
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

describe('the schema of the trace', () => {
  let text: string;
  beforeAll(() => {
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, schemaOfTypes());
    text = readFileSync(file, 'utf8');
  });

  it('is the one that the types say (UPDATE_GOLDEN=1 writes it anew)', { timeout: 60_000 }, () => {
    expect(text).toBe(schemaOfTypes());
  });

  it('holds every line of every story, and nothing else', { timeout: 60_000 }, async () => {
    const ajv = new Ajv({ allErrors: false, strict: false });
    ajv.addSchema(JSON.parse(text));
    const header = ajv.getSchema('trace.v1.json#/definitions/TraceHeader')!;
    const line = ajv.getSchema('trace.v1.json#/definitions/TraceLine')!;
    const kinds = new Set<string>();
    const folder = `${root}scenarios/`;
    for (const name of readdirSync(folder).filter((entry) => entry.endsWith('.yaml'))) {
      const [scenario] = await readScenarios(folder + name);
      const recorder = new TraceRecorder('1', {});
      simulate(scenario!, { onStep: (step) => recorder.stepped(step) });
      for (const trace of recorder.traces) {
        expectValid(header, asWritten(trace.header), name);
        for (const step of trace.lines) {
          kinds.add(step.event.type);
          expectValid(line, asWritten(step), name);
        }
      }
    }
    expect(kinds.size).toBeGreaterThan(15);
    const good = { i: 1, at: 0, event: { type: 'node.started' }, effects: [], chain: '00' };
    expect(line(good)).toBe(true);
    expect(line({ ...good, event: { type: 'node.stared' } })).toBe(false);
    expect(line({ ...good, at: 'now' })).toBe(false);
    expect(existsSync(file)).toBe(true);
  });
});

function asWritten(value: TraceHeader | TraceLine): unknown {
  return JSON.parse(JSON.stringify(value));
}

function expectValid(
  validate: { (value: unknown): unknown; errors?: unknown },
  value: unknown,
  name: string,
): void {
  if (validate(value) !== true) {
    throw new Error(
      `${name}: ${JSON.stringify(value).slice(0, 400)} ${JSON.stringify(validate.errors).slice(0, 400)}`,
    );
  }
}
