import { describe, expect, test } from 'vitest';
import { validateJob } from '../../jobs/define.js';
import { count, defineJob, JobDefinitionError, sum } from '../../jobs/index.js';
import { suggest } from '../../jobs/suggest.js';

const grouped = { groupBy: 'host', aggregates: ['count'] };
const good = { name: 'words', map() {}, combine: sum, reduce: sum };

describe('defineJob', () => {
  test('hands back the job that it was given', () => {
    expect(defineJob(good)).toBe(good);
    expect(validateJob({ ...good, partition: () => 0, setup() {}, teardown() {} })).toBeDefined();
    expect(validateJob({ ...good, combine: undefined })).toBeDefined();
  });

  test.each([
    ['a job is an object { name, map, reduce }, not undefined', undefined],
    ['a job is an object { name, map, reduce }, not a function', () => {}],
    ['a job is an object { name, map, reduce }, not an array', []],
    ['not the promise of one: use top-level await', Promise.resolve(good)],
    ['a job needs a name, a string that is not empty, not undefined', { ...good, name: undefined }],
    ['a job needs a name, a string that is not empty, not ""', { ...good, name: '' }],
    ['no control characters: "a\\nb"', { ...good, name: 'a\nb' }],
    ['job "words": has no map', { name: 'words', reduce: sum }],
    ['job "words": has no reduce', { name: 'words', map() {} }],
    ['job "words": map must be a function, not a string', { ...good, map: 'wc' }],
    ['job "words": combine must be a function, not null', { ...good, combine: null }],
    ['job "words": unknown field "reducer"; did you mean "reduce"?', { ...good, reducer: sum }],
    ['job "words": unknown field "Combine"; did you mean "combine"?', { ...good, Combine: sum }],
    ['job "words": unknown field "colour"; its fields are name, map, mapBytes,', { ...good, colour: 'red' }],
    ['job "words": count cannot combine', { ...good, combine: count }],
    ['a job with mapBytes has combine: sum, min or max', { ...good, mapBytes() {}, combine: undefined }],
    ['a job with mapBytes has no setup', { ...good, mapBytes() {}, combine: sum, setup() {} }],
    [
      'mapBytes is given lines, so inputFormat can only be "lines"',
      { ...good, mapBytes() {}, combine: sum, inputFormat: 'csv' },
    ],
    ['job "words": groupBy and aggregates say it all, so there is no map', { ...good, ...grouped }],
    ['job "words": fields are those of records of JSON', { ...good, fields: ['host'] }],
    ['job "words": fields is a list of names', { ...good, inputFormat: 'ndjson', fields: 'host' }],
    ['job "words": fields is a list of names', { ...good, inputFormat: 'ndjson', fields: [] }],
    [
      'job "words": fields is a list of names, each once',
      { ...good, inputFormat: 'ndjson', fields: ['a', 'a'] },
    ],
    ['so there is no fields', { name: 'g', ...grouped, inputFormat: 'ndjson', fields: ['a'] }],
    ['so there is no partition', { name: 'g', ...grouped, partition: () => 0 }],
    ['groupBy is the name of a field, not undefined', { name: 'g', aggregates: ['count'] }],
    ['groupBy is the name of a field', { name: 'g', ...grouped, groupBy: '\ud800' }],
    [
      'groupBy needs JSON, so inputFormat is "lines" or "ndjson"',
      { name: 'g', ...grouped, inputFormat: 'csv' },
    ],
    ['aggregates is a list or an object of "count"', { name: 'g', groupBy: 'host' }],
    ['aggregates is a list or an object of "count"', { name: 'g', groupBy: 'host', aggregates: [] }],
    ['aggregate all is "count", { sum: field }', { name: 'g', groupBy: 'host', aggregates: { all: 'sum' } }],
    ['aggregate 1 is "count", {', { name: 'g', groupBy: 'host', aggregates: ['count', { mean: 'bytes' }] }],
    ['aggregate 0 is', { name: 'g', groupBy: 'host', aggregates: [{ sum: 'a', min: 'b' }] }],
  ])('says: %s', (message, value) => {
    expect(() => validateJob(value)).toThrow(JobDefinitionError);
    expect(() => validateJob(value)).toThrow(message);
  });
});

test('a suggestion is the closest name, and none when all are far', () => {
  expect(suggest('pattren', ['pattern', 'ignoreCase'])).toBe('pattern');
  expect(suggest('ignorecase', ['pattern', 'ignoreCase'])).toBe('ignoreCase');
  expect(suggest('zzzzzz', ['pattern', 'ignoreCase'])).toBeUndefined();
});
