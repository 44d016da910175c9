/**
 * The measures with a bar. Each is `{ name, title, goals, contestants(context) }`; a goal says which contestant's time is
 * divided by which (`of` / `by`), what the ratio must reach (`atLeast` or `atMost`: the bar) and what we aim at.
 *
 * `context` is `{ inputs, references, rivals, scratch, scale }`: `scale` makes the inputs smaller for a smoke run.
 */
import { readdirSync } from 'node:fs';
import {
  duckdb,
  grpcPing,
  halvesAtOnce,
  jobFile,
  mawk,
  ours,
  polars,
  program,
  readlineAndMap,
  reference,
  sortAndUniq,
  sortUnique,
  xargsMawk,
} from './contestants.mjs';

const MB = 1e6;
const REF = 'REF (wcs)';
const LIM = 'LIM (wcf)';
const shape = ['-m', '100', '-r', '20', '-w', '2'];

/** How many times faster than `of` ours is. */
const fasterThan = (of, atLeast, aim) => ({ of, by: 'rehearse', atLeast, aim });

function againstReferences({ inputs, references, scratch, scale }, megabytes) {
  const input = inputs.text(megabytes * MB * scale);
  return [
    ours(scratch, { inputs: [input], flags: shape }),
    reference(scratch, references.wcs, REF, input),
    reference(scratch, references.wcf, LIM, input),
  ];
}

export const table = [
  {
    name: 'words',
    title: 'word count, 250 MB, M = 100, R = 20, 2 workers',
    goals: [fasterThan(REF, 1.15, 1.8), fasterThan(LIM, 0.27, 0.4)],
    contestants: (context) => againstReferences(context, 250),
  },
  {
    name: 'words-1gb',
    title: 'word count, 1 GB',
    goals: [fasterThan(REF, 1.5, 2.2), fasterThan(LIM, 0.5, 0.65)],
    contestants: (context) => againstReferences(context, 1000),
  },
  {
    name: 'rivals',
    title: 'word count, 250 MB, against what users would pick',
    goals: [
      fasterThan('Polars', 2.5, 4),
      fasterThan('DuckDB', 3.5, 5.5),
      fasterThan('mawk', 12),
      fasterThan('readline + Map', 20),
    ],
    contestants({ inputs, rivals, scratch, scale }) {
      const input = inputs.text(250 * MB * scale);
      return [
        ours(scratch, { inputs: [input], flags: shape }),
        polars(scratch, rivals, input),
        duckdb(scratch, rivals, 'words', [input]),
        mawk(scratch, input),
        xargsMawk(scratch, input),
        sortAndUniq(scratch, input),
        readlineAndMap(scratch, 'words', [input]),
      ];
    },
  },
  {
    name: 'user-job',
    title: 'a user’s job, line.match(/\\p{L}+/gu), 250 MB',
    goals: [fasterThan('DuckDB', 1.2), fasterThan('readline + Map', 6), fasterThan('Polars', undefined, 1)],
    contestants({ inputs, rivals, scratch, scale }) {
      const input = inputs.text(250 * MB * scale);
      return [
        ours(scratch, { job: jobFile('words-by-regex.mjs'), inputs: [input], flags: shape }),
        polars(scratch, rivals, input),
        duckdb(scratch, rivals, 'words', [input]),
        readlineAndMap(scratch, 'words', [input]),
      ];
    },
  },
  {
    name: 'distinct',
    title: '100 MB with 5.6 million distinct words',
    goals: [fasterThan('DuckDB', 2.5, 3.5)],
    contestants({ inputs, rivals, references, scratch, scale }) {
      const input = inputs.logLines(100 * MB * scale);
      return [
        ours(scratch, { inputs: [input], flags: ['-w', '2'] }),
        duckdb(scratch, rivals, 'words', [input]),
        reference(scratch, references.wcs, REF, input),
      ];
    },
  },
  {
    name: 'sequential',
    title: '2 workers against own --sequential, 250 MB',
    goals: [fasterThan('sequential', 1.6, 1.85), { of: 'sequential', by: 'halves at once' }],
    contestants({ inputs, scratch, scale }) {
      const input = inputs.text(250 * MB * scale);
      const half = inputs.text(125 * MB * scale);
      return [
        ours(scratch, { inputs: [input], flags: shape }),
        ours(scratch, { name: 'sequential', inputs: [input], flags: [...shape, '--sequential'] }),
        halvesAtOnce(scratch, { inputs: [half], flags: ['-m', '50', '-r', '20'] }),
      ];
    },
  },
  {
    name: 'small',
    title: 'one file of 10 KB, the whole command',
    goals: [{ of: 'rehearse', by: 'node -e 0', atMost: 6, aim: 4 }],
    contestants({ inputs, scratch }) {
      return [
        ours(scratch, { inputs: [inputs.text(10_000)] }),
        program(scratch, 'node -e 0', [process.execPath, '-e', '0'], { silent: true }),
      ];
    },
  },
  {
    name: 'statistics',
    title: 'NDJSON: count, sum, least and greatest by host, 250 MB',
    goals: [fasterThan('DuckDB', 0.8, 1.5), fasterThan('readline + Map', 2)],
    contestants({ inputs, rivals, scratch, scale }) {
      const input = inputs.records(250 * MB * scale);
      const flags = ['--param', 'format=ndjson', '-w', '2'];
      return [
        ours(scratch, { job: 'log-statistics', inputs: [input], flags }),
        duckdb(scratch, rivals, 'statistics', [input]),
        readlineAndMap(scratch, 'statistics', [input]),
      ];
    },
  },
  {
    name: 'index',
    title: 'inverted index of 25 files, 250 MB',
    goals: [fasterThan('DuckDB', 0.8, 1.5), fasterThan('readline + Map', 2)],
    contestants({ inputs, rivals, scratch, scale }) {
      const folder = inputs.textFiles(250 * MB * scale, 25);
      const names = readdirSync(folder).sort();
      const here = { cwd: folder };
      return [
        ours(scratch, { job: 'inverted-index', inputs: names, flags: ['-w', '2'], ...here }),
        duckdb(scratch, rivals, 'index', names, here),
        readlineAndMap(scratch, 'index', names, here),
      ];
    },
  },
  {
    name: 'tasks',
    title: '10,000 tiny tasks, 2 workers, against as many unary calls of grpc-js',
    goals: [fasterThan('grpc-js', 0.35, 1)],
    contestants({ inputs, scratch, scale }) {
      const tasks = 10_000 * scale;
      const job = jobFile('one-line.mjs');
      const flags = ['-m', String(tasks), '-r', '1', '-w', '2'];
      return [
        ours(scratch, { job, inputs: [inputs.tinyFiles(tasks)], flags, silent: true }),
        grpcPing(scratch, tasks),
      ];
    },
  },
  {
    name: 'lines',
    title: '100 MB of log lines, each once: pairs that no kernel takes, for the memory they need',
    goals: [],
    contestants({ inputs, scratch, scale }) {
      const input = inputs.logLines(100 * MB * scale);
      return [
        ours(scratch, { job: 'distinct', inputs: [input], flags: ['-w', '2'] }),
        sortUnique(scratch, input),
      ];
    },
  },
  {
    name: 'keys-50m',
    title: '50 million distinct keys with a budget of 64 MiB',
    rounds: 1,
    goals: [],
    contestants({ inputs, references, scratch, scale }) {
      const input = inputs.logLines(1000 * MB * scale);
      const flags = ['--budget', '64MiB', '-w', '2', '-r', '20'];
      return [ours(scratch, { inputs: [input], flags }), reference(scratch, references.wcs, REF, input)];
    },
  },
];

/** Resident memory of any process of ours in any measure of the table, in bytes. */
export const memoryGoal = { atMost: 128 * MB, aim: 96 * MB };
