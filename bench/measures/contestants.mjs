/** Who takes part: ours, and what a user would pick instead. Each function gives a contestant for harness/contest.mjs. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { has } from '../harness/tools.mjs';

const project = fileURLToPath(new URL('../..', import.meta.url));
const rehearse = join(project, 'dist', 'bin', 'rehearse.cjs');
const programs = join(project, 'bench', 'rivals');

export const jobFile = (name) => join(project, 'bench', 'jobs', name);

/**
 * The real thing, journal and trace on, output published: a job on inputs, or a scenario's job with its faults. The data
 * folder is new in each run.
 */
export function ours(
  scratch,
  { name = 'rehearse', job = 'word-count', inputs = [], scenario, flags = [], cwd, ...more },
) {
  const output = join(scratch, name, 'out');
  const data = join(scratch, name, 'data');
  const what = scenario === undefined ? [job, ...inputs] : ['--faults', scenario];
  return {
    name,
    ours: true,
    output,
    cwd,
    command: [
      ...[process.execPath, rehearse, 'run', ...what, ...flags],
      ...['-o', output, '--data-dir', data, '--quiet'],
    ],
    prepare() {
      rmSync(data, { recursive: true, force: true });
      mkdirSync(join(scratch, name), { recursive: true });
    },
    ...more,
  };
}

/**
 * What two processes reach that share nothing: no master, no shuffle, no common output, half of the words each. Two workers
 * can hardly be faster than that.
 */
export function halvesAtOnce(scratch, { inputs, flags }) {
  const halves = ['one', 'other'].map((half) =>
    ours(scratch, { name: half, inputs, flags: [...flags, '--sequential'] }),
  );
  const [one, other] = halves.map(({ command }) => command.map((word) => `'${word}'`).join(' '));
  return {
    name: 'halves at once',
    silent: true,
    output: halves[1].output,
    command: ['sh', '-c', `${one} & ${other} && wait "$!"`],
    prepare() {
      for (const half of halves) {
        rmSync(half.output, { recursive: true, force: true });
        half.prepare();
      }
    },
  };
}

/** A program whose standard output is the answer. */
export function program(scratch, name, command, more = {}) {
  const output = join(scratch, `${name.replaceAll(/\W+/g, '-')}.out`);
  return { name, command, output, stdout: output, ...more };
}

export function reference(scratch, tool, label, input) {
  const { path, missing } = tool;
  return program(scratch, label, [path, input, '2'], missing === undefined ? {} : { missing });
}

function script(scratch, name, file, words, more) {
  const output = join(scratch, `${name.replaceAll(/\W+/g, '-')}.out`);
  const [first, ...rest] = words(output);
  return { name, output, command: [process.execPath, join(programs, file), first, ...rest], ...more };
}

export function duckdb(scratch, rivals, question, inputs, more = {}) {
  const missing = rivals.duckdb.missing;
  const words = (output) => [question, output, ...inputs];
  return script(scratch, 'DuckDB', 'duckdb.mjs', words, { ...(missing ? { missing } : {}), ...more });
}

export function polars(scratch, rivals, input) {
  const missing = rivals.polars.missing;
  return script(scratch, 'Polars', 'polars-words.mjs', (output) => [output, input], {
    env: { POLARS_MAX_THREADS: '2' },
    ...(missing ? { missing } : {}),
  });
}

export function readlineAndMap(scratch, question, inputs, more = {}) {
  return script(
    scratch,
    'readline + Map',
    'readline-and-map.mjs',
    (output) => [question, output, ...inputs],
    more,
  );
}

export function grpcPing(scratch, calls) {
  return script(scratch, 'grpc-js', 'grpc-ping.mjs', (output) => [output, String(calls)], { silent: true });
}

/** The programs of a shell know bytes, not letters: this is right for the benchmark's text, whose only sign is a dash. */
const SPLIT = "mawk -F '([^A-Za-z\\200-\\377]|\\342\\200\\224)+'";
const COUNT = `'{ for (i = 1; i <= NF; i++) if ($i != "") n[$i]++ } END { for (w in n) print w, n[w] }'`;

function shell(scratch, name, needed, line) {
  const absent = needed.filter((one) => !has(one));
  const missing = absent.length === 0 ? {} : { missing: `no ${absent.join(', ')} here` };
  return program(scratch, name, ['sh', '-c', line], { env: { LC_ALL: 'C' }, ...missing });
}

export function mawk(scratch, input) {
  return shell(scratch, 'mawk', ['mawk'], `${SPLIT} ${COUNT} '${input}' | sort`);
}

export function xargsMawk(scratch, input) {
  const pieces = join(scratch, 'xargs-pieces');
  const piece = join(programs, 'count-piece.sh');
  return {
    ...shell(
      scratch,
      'xargs -P2 mawk',
      ['mawk', 'xargs', 'split'],
      `seq 1 8 | xargs -P2 -I{} sh '${piece}' '${input}' {} '${pieces}' &&
       cat '${pieces}'/* | mawk '{ n[$1] += $2 } END { for (w in n) print w, n[w] }' | sort`,
    ),
    prepare: () => mkdirSync(pieces, { recursive: true }),
  };
}

export function sortAndUniq(scratch, input) {
  return shell(
    scratch,
    'sort | uniq -c',
    ['mawk', 'sed', 'tr', 'uniq'],
    `sed 's/\\xe2\\x80\\x94/ /g' '${input}' | tr -cs 'A-Za-z\\200-\\377' '\\n' | sort --parallel=2 | uniq -c |
     mawk '$2 != "" { print $2, $1 }'`,
  );
}

export function sortUnique(scratch, input) {
  return shell(scratch, 'sort -u', ['sort'], `sort -u --parallel=2 '${input}'`);
}
