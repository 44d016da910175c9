import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { nameOf, tellAttempts } from '../../../sim/explain/attempts.js';
import { mergeTraces, type NodeTrace } from '../../../sim/explain/merge.js';
import { factsOf } from '../../../sim/explain/merged-facts.js';
import { exportOtlp } from '../../../sim/export/otlp.js';
import { tracesOf } from '../explain/played.js';

interface Attribute {
  readonly key: string;
  readonly value: { stringValue?: string; intValue?: string; boolValue?: boolean };
}
interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly events?: readonly {
    readonly timeUnixNano: string;
    readonly name: string;
    readonly attributes: readonly Attribute[];
  }[];
  readonly links?: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes: readonly Attribute[];
  }[];
  readonly status?: { readonly code: number; readonly message?: string };
}
interface Request {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly scope: object; readonly spans: readonly Span[] }[];
  }[];
}

/**
 * opentelemetry-proto, trace/v1 and common/v1, in the JSON mapping that OTLP demands (OTLP specification, "JSON Protobuf
 * Encoding"): lowerCamelCase, ids as hex and not base64, enumerations as integers, 64-bit integers as decimal texts.
 */
const object = (properties: object, required: readonly string[]): object => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
});
const hex = (digits: number): object => ({ type: 'string', pattern: `^(?!0*$)[0-9a-f]{${digits}}$` });
const text = { type: 'string', minLength: 1 };
const unsigned64 = { type: 'string', pattern: '^(0|[1-9][0-9]{0,19})$' };
const signed64 = { type: 'string', pattern: '^(0|-?[1-9][0-9]{0,18})$' };
const oneOf = (values: Readonly<Record<string, object>>): object => ({
  oneOf: Object.entries(values).map(([name, form]) => object({ [name]: form }, [name])),
});
const value = oneOf({
  stringValue: { type: 'string' },
  boolValue: { type: 'boolean' },
  intValue: signed64,
  doubleValue: { type: 'number' },
});
const attributes = { type: 'array', items: object({ key: text, value }, ['key', 'value']) };
const event = object({ timeUnixNano: unsigned64, name: text, attributes }, ['timeUnixNano', 'name']);
const link = object({ traceId: hex(32), spanId: hex(16), attributes }, ['traceId', 'spanId']);
const span = object(
  {
    traceId: hex(32),
    spanId: hex(16),
    parentSpanId: hex(16),
    name: text,
    kind: { type: 'integer', minimum: 1, maximum: 5 },
    startTimeUnixNano: unsigned64,
    endTimeUnixNano: unsigned64,
    attributes,
    events: { type: 'array', items: event },
    links: { type: 'array', items: link },
    status: object({ code: { type: 'integer', minimum: 0, maximum: 2 }, message: { type: 'string' } }, []),
  },
  ['traceId', 'spanId', 'name', 'kind', 'startTimeUnixNano', 'endTimeUnixNano'],
);
const scopeSpans = object(
  { scope: object({ name: text, version: text }, ['name']), spans: { type: 'array', items: span } },
  ['scope', 'spans'],
);
const resourceSpans = object(
  { resource: object({ attributes }, ['attributes']), scopeSpans: { type: 'array', items: scopeSpans } },
  ['resource', 'scopeSpans'],
);
const validate = new Ajv({ allErrors: true }).compile(
  object({ resourceSpans: { type: 'array', items: resourceSpans } }, ['resourceSpans']),
);

function exported(traces: readonly NodeTrace[]) {
  const written = [...exportOtlp(traces, mergeTraces(traces))].join('');
  const request = JSON.parse(written) as Request;
  const spans = request.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((one) => ({ ...one, node: attributeOf(resource.attributes, 'service.instance.id') })),
    ),
  );
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined);
  return {
    written,
    request,
    spans,
    roots,
    attempts: spans.filter(({ parentSpanId }) => parentSpanId !== undefined),
  };
}

function attributeOf(attributes: readonly Attribute[], key: string): string | boolean | undefined {
  const { stringValue, intValue, boolValue } = attributes.find((one) => one.key === key)?.value ?? {};
  return stringValue ?? intValue ?? boolValue;
}

const scenarios = [
  'late-worker',
  'worker-killed-and-back',
  'throwing-map-for-good',
  'committed-map-files-lost',
  'leader-killed-in-map',
  'store-restored-and-the-next-job',
  'clocks-that-disagree',
];

describe.each(scenarios)('the request for OpenTelemetry of %s', (name) => {
  const traces = tracesOf(name);
  const { request, written, spans, roots, attempts } = exported(traces);
  const stories = tellAttempts(factsOf(mergeTraces(traces)));

  test('has the form that the protocol demands', () => {
    expect(validate(request), JSON.stringify(validate.errors?.slice(0, 3))).toBe(true);
    const lists = spans.flatMap(({ attributes, events = [], links = [] }) => [
      attributes,
      ...[...events, ...links].map((one) => one.attributes),
    ]);
    for (const list of [...lists, ...request.resourceSpans.map(({ resource }) => resource.attributes)])
      expect(new Set(list.map(({ key }) => key)).size, 'keys are unique').toBe(list.length);
    const nodes = request.resourceSpans.map(({ resource }) =>
      attributeOf(resource.attributes, 'service.instance.id'),
    );
    expect(new Set(nodes).size, 'a resource for each node').toBe(nodes.length);
    for (const { startTimeUnixNano, endTimeUnixNano } of spans)
      expect(BigInt(endTimeUnixNano) >= BigInt(startTimeUnixNano)).toBe(true);
  });

  test('has a trace for each job, and below its span each attempt of which explain tells', () => {
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
    const rootOf = new Map(roots.map((root) => [root.traceId, root]));
    expect(rootOf.size).toBe(roots.length);
    for (const { traceId, parentSpanId } of attempts) expect(rootOf.get(traceId)!.spanId).toBe(parentSpanId);
    const told = stories
      .map((story) => `${story.job} ${nameOf(story)} ${story.outcome} ${story.worker}`)
      .sort();
    const drawn = attempts.map(
      ({ traceId, name, attributes, node }) =>
        `${attributeOf(rootOf.get(traceId)!.attributes, 'rehearse.job')} ${name} ${attributeOf(attributes, 'rehearse.outcome')} ${node}`,
    );
    expect(drawn.sort()).toEqual(told);
  });

  test('links only what is there, and never an attempt to itself', () => {
    const known = new Set(spans.map(({ traceId, spanId }) => `${traceId} ${spanId}`));
    for (const { spanId, links = [] } of spans) {
      for (const one of links) {
        expect(known.has(`${one.traceId} ${one.spanId}`)).toBe(true);
        expect(one.spanId).not.toBe(spanId);
      }
    }
    const again = stories.filter(({ job, task }, index) =>
      stories.slice(0, index).some((other) => other.job === job && other.task === task),
    );
    const before = attempts.filter(({ links = [] }) =>
      links.some((one) => attributeOf(one.attributes, 'rehearse.relation') === 'the attempt before'),
    );
    expect(before.length).toBe(again.length);
  });

  test('is the same when it is exported again, and has other ids for another run', () => {
    expect(exported(tracesOf(name)).written).toBe(written);
    const other = traces.map(({ header, lines }) => ({ header: { ...header, seed: 'another' }, lines }));
    const ids = new Set(spans.flatMap(({ traceId, spanId }) => [traceId, spanId]));
    for (const { traceId, spanId } of exported(other).spans) {
      expect(ids.has(traceId)).toBe(false);
      expect(ids.has(spanId)).toBe(false);
    }
  });
});

describe('the request for OpenTelemetry', () => {
  test('has other ids for another scenario of the same seed and nodes', () => {
    const traces = tracesOf('late-worker');
    const other = tracesOf('late-worker', (text) =>
      text.replace(/within: .*/, '').replace(/reduces: \d/, 'reduces: 1'),
    );
    expect(other.map(({ header }) => header)).toEqual(traces.map(({ header }) => header));
    const ids = new Set(exported(traces).spans.flatMap(({ traceId, spanId }) => [traceId, spanId]));
    for (const { traceId, spanId } of exported(other).spans) {
      expect(ids.has(traceId)).toBe(false);
      expect(ids.has(spanId)).toBe(false);
    }
  });

  test('is the same in whatever order the traces were named', () => {
    const traces = tracesOf('worker-killed-and-back');
    expect(exported(traces.toReversed()).written).toBe(exported(traces).written);
  });

  test('tells of a late report: refused, why, and what was committed instead', () => {
    const { attempts, roots } = exported(tracesOf('late-worker'));
    const late = attempts.find(({ name }) => name === 'map-0@1')!;
    const winner = attempts.find(({ name }) => name === 'map-0@2')!;
    expect(late.status).toBeUndefined();
    expect(attributeOf(late.attributes, 'rehearse.why_ended')).toMatch(/^its late report was ignored/);
    expect(late.links).toEqual([
      {
        traceId: late.traceId,
        spanId: winner.spanId,
        attributes: [{ key: 'rehearse.relation', value: { stringValue: 'committed instead' } }],
      },
    ]);
    const refused = late.events!.find(({ name }) => name === 'late-report-refused')!;
    expect(refused.attributes).toContainEqual({
      key: 'rehearse.fact.verdict',
      value: { stringValue: 'superseded' },
    });
    expect(refused.attributes).toContainEqual({
      key: 'rehearse.fact.committedEpoch',
      value: { intValue: '1' },
    });
    expect(winner.status).toEqual({ code: 1 });
    const [job] = roots;
    expect(job).toMatchObject({ name: 'job modelled', kind: 2, status: { code: 1 } });
    expect(attributeOf(job!.attributes, 'rehearse.counter.map.records.in')).toBe('12');
    expect(job!.events!.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['worker-lost', 'job-published']),
    );
  });

  test('has no halves of pairs of surrogates, wherever user code has put one', () => {
    const traces = tracesOf('throwing-map-for-good').map(({ header, lines }) => ({
      header,
      lines: lines.map((line) => JSON.parse(JSON.stringify(line).replaceAll('the scenario', '\\ud800'))),
    }));
    expect(exported(traces).written).toContain('\ufffd');
    expect(exported(traces).written).not.toMatch(/\\ud[89a-f]/i);
  });

  test('says that a job failed', () => {
    const { roots, attempts } = exported(tracesOf('throwing-map-for-good'));
    expect(roots[0]!.status).toMatchObject({ code: 2, message: expect.stringMatching(/^failed: /) });
    expect(attempts.some(({ status }) => status?.code === 2)).toBe(true);
  });

  test('has the times of real runs to the microsecond, and of simulated ones since 2000', () => {
    const traces = tracesOf('late-worker');
    const started = factsOf(mergeTraces(traces)).find(({ name }) => name === 'started')!;
    const first = exported(traces).attempts.find(
      ({ name }) => name === `${started.task}@${started.ordinal}`,
    )!;
    expect(first.startTimeUnixNano).toBe(
      `${BigInt(Date.UTC(2000)) * 1_000_000n + BigInt(started.atUs) * 1000n}`,
    );
    const originUs = 1_700_000_000_123_457;
    const real = traces.map(({ header, lines }) => ({
      header: { ...header, driver: 'runtime' as const, originUs },
      lines,
    }));
    const { startTimeUnixNano } = exported(real).attempts.find(({ name }) => name === first.name)!;
    expect(startTimeUnixNano).toBe(`${BigInt(originUs + started.atUs) * 1000n}`);
  });
});
