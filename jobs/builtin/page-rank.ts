/**
 * PageRank (Brin and Page, WWW 1998) as a pipeline: one stage reads the links, one per round passes rank along them, and
 * the last writes the ranks.
 *
 * The input is one link per line, `from to`, separated by white space; lines that begin with # are skipped. Ranks are on
 * the scale of the paper's first formula, PR(p) = (1 - d) + d · Σ PR(q) / links(q): without dead ends their mean is 1.
 * A page without links passes nothing on.
 */
import { defineJob } from '../define.js';
import { definePipeline, type StageRecord } from '../pipeline.js';
import type { Emit, Params } from '../types.js';
import { compareUtf8 } from '../utf8.js';
import { type BuiltinPipeline, countParam, decimal, ParamsError } from './builtin.js';

interface Page {
  readonly rank: number;
  readonly links: readonly string[];
}

/** What a page gets: a share of another's rank, or its own links. */
type Message = number | readonly string[];

const ROUNDS_DEFAULT = 10;
const DAMPING_DEFAULT = 0.85;
/** Written ranks differ in what is certain: sums of floating-point numbers are not, to the last digit. */
const DIGITS = 6;

const readLinks = defineJob({
  name: 'read-links',
  map(line, emit: Emit<string, readonly string[]>) {
    if (line.startsWith('#')) return;
    const [from, to] = line.trim().split(/\s+/);
    if (from === undefined || to === undefined) return;
    emit(from, [to]);
    emit(to, []);
  },
  reduce(_page, lists): Page {
    const links = new Set<string>();
    for (const list of lists) for (const link of list) links.add(link);
    return { rank: 1, links: [...links].sort(compareUtf8) };
  },
});

function round(damping: number) {
  return defineJob({
    name: 'pass-rank',
    inputFormat: 'ndjson',
    map({ key, value: { rank, links } }: StageRecord<Page>, emit: Emit<string, Message>) {
      emit(key, links);
      for (const link of links) emit(link, rank / links.length);
    },
    reduce(_page, messages): Page {
      let links: readonly string[] = [];
      let received = 0;
      for (const message of messages) {
        if (typeof message === 'number') received += message;
        else links = message;
      }
      return { rank: 1 - damping + damping * received, links };
    },
  });
}

const writeRanks = defineJob({
  name: 'write-ranks',
  inputFormat: 'ndjson',
  map({ key, value }: StageRecord<Page>, emit) {
    emit(key, value.rank);
  },
  reduce(_page, ranks) {
    for (const rank of ranks) return rank.toFixed(DIGITS);
    return undefined;
  },
});

function roundsOf(params: Params): number {
  return countParam('page-rank', params, 'rounds', 0, ROUNDS_DEFAULT);
}

function dampingOf({ damping }: Params): number {
  const value = damping === undefined ? DAMPING_DEFAULT : decimal(damping);
  if (value >= 0 && value <= 1) return value;
  throw new ParamsError(`page-rank: damping is a number from 0 to 1, not "${damping}"`);
}

export const pageRank: BuiltinPipeline = {
  pipeline: definePipeline({
    name: 'page-rank',
    stages: (params) => [
      readLinks,
      ...Array.from({ length: roundsOf(params) }, () => round(dampingOf(params))),
      writeRanks,
    ],
  }),
  summary: 'the rank of each page of a graph of links, one link `from to` per line',
  params: [
    {
      name: 'rounds',
      summary: `how often rank is passed on; ${ROUNDS_DEFAULT} unless given`,
      required: false,
    },
    {
      name: 'damping',
      summary: `the share that is passed on; ${DAMPING_DEFAULT} unless given`,
      required: false,
    },
  ],
  check(params) {
    roundsOf(params);
    dampingOf(params);
  },
};
