/**
 * Jobs that say what they want instead of how: records grouped by a field, and other fields counted and added up. Such a
 * job has no function of its own. Here it gets them, and they say what is right; the data plane may go another way to
 * the same bytes.
 *
 * Between map and reduce lies a row for each key: a number for each aggregate, in their order.
 */
import { knownAs, markKnown } from './aggregates.js';
import type { Aggregate, Aggregates, Emit, Job, MapEmit } from './types.js';
import { showKey, ValueError } from './values.js';

/** One number of a row. */
export type Column =
  | { readonly operation: 'count' }
  | { readonly operation: 'sum' | 'min' | 'max'; readonly field: string };

export type Row = readonly number[];

/** The counter of records that are no objects, lack the field of the group, or lack a number. */
export const NOT_UNDERSTOOD = 'lines not understood';

const add = (a: number, b: number): number => a + b;
/** As the functions of aggregates.ts, two numbers at a time. */
const combiners = {
  count: add,
  sum: add,
  min: (a: number, b: number) => (b < a ? b : a),
  max: (a: number, b: number) => (b > a ? b : a),
} as const;

/** The columns of a row. */
export function columnsOf(aggregates: Aggregates): readonly Column[] {
  return (Array.isArray(aggregates) ? aggregates : Object.values(aggregates)).map(columnOf);
}

function columnOf(aggregate: Aggregate): Column {
  if (aggregate === 'count') return { operation: 'count' };
  if ('sum' in aggregate) return { operation: 'sum', field: aggregate.sum };
  if ('min' in aggregate) return { operation: 'min', field: aggregate.min };
  return { operation: 'max', field: aggregate.max };
}

/** The functions of a job that groups records. The records are lines of JSON, or with `ndjson` what JSON has made of them. */
export function groupingFunctions(
  groupBy: string,
  aggregates: Aggregates,
  inputFormat: Job['inputFormat'],
): Pick<Job, 'map' | 'combine' | 'reduce'> {
  const map = rowMap(groupBy, columnsOf(aggregates), inputFormat === 'ndjson');
  return { map: markKnown('group', map), ...rowFunctions(aggregates) };
}

/** What combines and reduces rows, whoever makes them. */
export function rowFunctions(aggregates: Aggregates) {
  const columns = columnsOf(aggregates);
  const named = namedRow(aggregates);
  return {
    combine: markKnown('rows', (key: string, rows: Iterable<Row>) => combinedRow(columns, key, rows)),
    reduce: (key: string, rows: Iterable<Row>) => named(combinedRow(columns, key, rows)),
  };
}

/** Whether the job is one that groups records, and its functions are those that were made here. */
export function isGrouping(job: Job): job is Job & { groupBy: string; aggregates: Aggregates } {
  return job.groupBy !== undefined && knownAs(job.map) === 'group' && knownAs(job.combine) === 'rows';
}

function rowMap(groupBy: string, columns: readonly Column[], isParsed: boolean) {
  return (record: unknown, emit: Emit<string, Row>, { count }: Pick<MapEmit, 'count'>): void => {
    const found = keyedRow(isParsed ? record : parsed(record as string), groupBy, columns);
    if (found === undefined) count(NOT_UNDERSTOOD);
    else emit(...found);
  };
}

/** What JSON makes of a line; undefined if it is none. */
export function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/**
 * The group of a record, which is the field itself if it is a string and else its JSON text, and what the record adds to
 * it. Undefined if the record is no object, lacks the field, or lacks a number.
 */
export function keyedRow(
  record: unknown,
  groupBy: string,
  columns: readonly Column[],
): readonly [key: string, row: Row] | undefined {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return undefined;
  const key = ownField(record, groupBy);
  if (key === undefined) return undefined;
  const row: number[] = [];
  for (const column of columns) {
    const value = column.operation === 'count' ? 1 : ownField(record, column.field);
    if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
    row.push(value === 0 ? 0 : value);
  }
  return [typeof key === 'string' ? key : JSON.stringify(key), row];
}

function ownField(record: object, name: string): unknown {
  return Object.hasOwn(record, name) ? (record as Record<string, unknown>)[name] : undefined;
}

/** One row of several, each number from first to last. */
function combinedRow(columns: readonly Column[], key: string, rows: Iterable<Row>): Row {
  let total: number[] | undefined;
  for (const row of rows) {
    if (total === undefined) total = [...row];
    else {
      for (const [index, { operation }] of columns.entries()) {
        total[index] = combiners[operation](total[index]!, row[index]!);
      }
    }
  }
  if (total?.every(Number.isFinite)) return total;
  throw new ValueError(`a sum of key ${showKey(key)} is not a finite number`, key);
}

/** The row as the job's author has named its numbers. */
function namedRow(aggregates: Aggregates): (row: Row) => Row | Record<string, number> {
  if (Array.isArray(aggregates)) return (row) => row;
  const names = Object.keys(aggregates);
  return (row) => Object.fromEntries(names.map((name, index) => [name, row[index]!]));
}
