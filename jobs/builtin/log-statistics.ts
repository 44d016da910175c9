/**
 * How often, how much, least and most, by a field of the records: `host 12 34567 0 9001`. Reads log lines in the Common
 * (or Combined) Log Format of web servers, or NDJSON.
 */
import { defineJob } from '../define.js';
import { NOT_UNDERSTOOD, type Row, rowFunctions } from '../grouping.js';
import type { Emit } from '../types.js';
import { type Builtin, choiceParam } from './builtin.js';

/** `host ident user [time] "method path protocol" status bytes …` */
const COMMON = /^(\S+) \S+ \S+ \[([^\]]*)\] "(\S+) (\S+)[^"]*" (\d{3}) (\d+|-)/;
const COMMON_FIELDS = ['host', 'time', 'method', 'path', 'status', 'bytes'];

const aggregatesOf = (value: string) => ['count', { sum: value }, { min: value }, { max: value }] as const;

const { combine, reduce } = rowFunctions(aggregatesOf('bytes'));

const ofCommonLog = defineJob<Emit<string, Row>>({
  name: 'log-statistics',
  outputFormat: 'tsv',
  map(line, emit, { params, count }) {
    const { by = 'host', value = 'bytes' } = params;
    const fields = COMMON.exec(line);
    if (fields === null) {
      count(NOT_UNDERSTOOD);
      return;
    }
    const text = fields[COMMON_FIELDS.indexOf(value) + 1];
    const amount = text === '-' ? 0 : Number(text);
    emit(fields[COMMON_FIELDS.indexOf(by) + 1] ?? '', [1, amount, amount, amount]);
  },
  combine,
  reduce,
});

export const logStatistics: Builtin = {
  job: ofCommonLog,
  jobOf({ format = 'common', by = 'host', value = 'bytes' }) {
    if (format === 'common') return ofCommonLog;
    return defineJob({
      name: 'log-statistics',
      outputFormat: 'tsv',
      groupBy: by,
      aggregates: aggregatesOf(value),
    });
  },
  summary: 'count, sum, least and greatest of a field of log records, by another field',
  params: [
    { name: 'format', summary: 'common (web server logs) or ndjson; common unless given', required: false },
    { name: 'by', summary: 'the field to group by; host unless given', required: false },
    { name: 'value', summary: 'the field to add up; bytes unless given', required: false },
  ],
  check(params) {
    choiceParam('log-statistics', params, 'format', ['common', 'ndjson']);
    if ((params.format ?? 'common') !== 'common') return;
    choiceParam('log-statistics', params, 'by', COMMON_FIELDS);
    choiceParam('log-statistics', params, 'value', ['bytes', 'status']);
  },
};
