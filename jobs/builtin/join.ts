/**
 * Rows of two kinds of inputs that agree in one field, side by side: an inner join, or with `outer=left` also the left
 * rows that have no partner.
 *
 * The left rows of a key come first (`orderValues`) and are kept; the right ones stream past them. So the side with
 * fewer rows per key belongs on the left.
 */
import { defineJob } from '../define.js';
import type { Emit, Params } from '../types.js';
import { type Builtin, choiceParam, ParamsError } from './builtin.js';

/** 0 for the left side, 1 for the right, and the fields besides the key. */
type Row = readonly [side: 0 | 1, ...fields: string[]];

interface Layout {
  readonly right: string;
  readonly separator: string;
  /** Places of the key, from 0. */
  readonly keys: readonly [left: number, right: number];
}

const layouts = new WeakMap<Params, Layout>();

function layoutOf(params: Params): Layout {
  let layout = layouts.get(params);
  if (!layout) layouts.set(params, (layout = readLayout(params)));
  return layout;
}

function readLayout(params: Params): Layout {
  const { right = '', separator = '\t', on = '1' } = params;
  if (right === '') throw new ParamsError('join: right is empty, and the name of any input contains that');
  if (separator === '') throw new ParamsError('join: the separator is empty');
  const keys = on.split(',').map(Number);
  if (keys.length > 2 || keys.some((key) => !Number.isInteger(key) || key < 1)) {
    throw new ParamsError(`join: on is the number of a field, or two of them as in 1,3, not "${on}"`);
  }
  return { right, separator, keys: [keys[0]! - 1, (keys[1] ?? keys[0]!) - 1] };
}

export const join: Builtin = {
  job: defineJob({
    name: 'join',
    outputFormat: 'tsv',
    map(line, emit: Emit<string, Row>, { params, input, count }) {
      const { right, separator, keys } = layoutOf(params);
      const side = input.name.includes(right) ? 1 : 0;
      const fields = line.split(separator);
      const key = fields[keys[side]];
      if (key === undefined) {
        count('rows without the key');
        return;
      }
      fields.splice(keys[side], 1);
      emit(key, [side, ...fields]);
    },
    orderValues: (a, b) => a[0] - b[0],
    *reduce(_key, rows, { params }) {
      const left: string[][] = [];
      let partners = false;
      for (const [side, ...fields] of rows) {
        if (side === 0) {
          left.push(fields);
          continue;
        }
        partners = true;
        for (const row of left) yield [...row, ...fields];
      }
      if (!partners && params.outer === 'left') yield* left;
    },
  }),
  summary: 'rows of two kinds of inputs that agree in one field',
  params: [
    { name: 'right', summary: 'what only the names of the right inputs contain', required: true },
    { name: 'on', summary: 'number of the key field, or left,right; 1 unless given', required: false },
    { name: 'separator', summary: 'between the fields of a row; a tab unless given', required: false },
    {
      name: 'outer',
      summary: 'left to keep left rows without a partner; none unless given',
      required: false,
    },
  ],
  check(params) {
    layoutOf(params);
    choiceParam('join', params, 'outer', ['left', 'none']);
  },
};
