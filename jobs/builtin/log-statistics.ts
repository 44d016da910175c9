/**
 * How often, how much, least and most, by a field of the records: `host 12 34567 0 9001`. Reads log lines in the Common
 * (or Combined) Log Format of web servers, or NDJSON.
 */
import { defineJob } from '../define.js';
import type { Emit, Params } from '../types.js';
import { type Builtin, choiceParam } from './builtin.js';

/** Count, sum, least and greatest of the values. */
type Statistics = readonly [count: number, sum: number, min: number, max: number];

/** `host ident user [time] "method path protocol" status bytes …` */
const COMMON = /^(\S+) \S+ \S+ \[([^\]]*)\] "(\S+) (\S+)[^"]*" (\d{3}) (\d+|-)/;
const COMMON_FIELDS = ['host', 'time', 'method', 'path', 'status', 'bytes'];

type Reader = (line: string, by: string, value: string) => readonly [key: string, value: number] | undefined;

const readers: Readonly<Record<string, Reader>> = {
  common(line, by, value) {
    const fields = COMMON.exec(line);
    if (fields === null) return undefined;
    const key = fields[COMMON_FIELDS.indexOf(by) + 1] ?? '';
    const text = fields[COMMON_FIELDS.indexOf(value) + 1];
    return [key, text === '-' ? 0 : Number(text)];
  },
  ndjson(line, by, value) {
    let record: unknown;
    try {
      record = JSON.parse(line);
    } catch {
      return undefined;
    }
    if (typeof record !== 'object' || record === null) return undefined;
    const { [by]: key, [value]: amount } = record as Record<string, unknown>;
    if (key === undefined || typeof amount !== 'number') return undefined;
    return [typeof key === 'string' ? key : JSON.stringify(key), amount];
  },
};

function merge(all: Iterable<Statistics>): Statistics {
  let count = 0;
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const one of all) {
    count += one[0];
    sum += one[1];
    if (one[2] < min) min = one[2];
    if (one[3] > max) max = one[3];
  }
  return [count, sum, min, max];
}

function settings({ format = 'common', by = 'host', value = 'bytes' }: Params) {
  return { read: readers[format]!, by, value };
}

export const logStatistics: Builtin = {
  job: defineJob({
    name: 'log-statistics',
    outputFormat: 'tsv',
    map(line, emit: Emit<string, Statistics>, { params, count }) {
      const { read, by, value } = settings(params);
      const found = read(line, by, value);
      if (found === undefined) {
        count('lines not understood');
        return;
      }
      const [key, amount] = found;
      emit(key, [1, amount, amount, amount]);
    },
    combine: (_key, all) => merge(all),
    reduce: (_key, all) => merge(all),
  }),
  summary: 'count, sum, least and greatest of a field of log records, by another field',
  params: [
    { name: 'format', summary: 'common (web server logs) or ndjson; common unless given', required: false },
    { name: 'by', summary: 'the field to group by; host unless given', required: false },
    { name: 'value', summary: 'the field to add up; bytes unless given', required: false },
  ],
  check(params) {
    choiceParam('log-statistics', params, 'format', Object.keys(readers));
    if ((params.format ?? 'common') !== 'common') return;
    choiceParam('log-statistics', params, 'by', COMMON_FIELDS);
    choiceParam('log-statistics', params, 'value', ['bytes', 'status']);
  },
};
