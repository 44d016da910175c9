/**
 * How the figures move: no bars, but plots. Each contestant says with `at` where its point lies: `{ series, x }`, and what
 * `plot.value` needs: `bytes` for a throughput; `workers` and the `sequential` contestant for an efficiency.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { duckdb, jobFile, ours, reference } from './contestants.mjs';

const MB = 1e6;

/** A size for people: 10 kB, 250 MB. */
function sizeName(bytes) {
  const step = bytes >= 1e9 ? 3 : bytes >= 1e6 ? 2 : bytes >= 1e3 ? 1 : 0;
  return `${bytes / 1000 ** step} ${['B', 'kB', 'MB', 'GB'][step]}`;
}

const throughput = {
  name: 'size',
  title: 'Throughput against input size, 2 workers',
  plot: { value: 'throughput', x: 'bytes of input', logarithmic: true },
  goals: [],
  contestants({ inputs, references, rivals, scratch, scale }) {
    const sizes = [100, 10_000, MB, 10 * MB, 100 * MB, 1000 * MB].filter(
      (bytes) => bytes <= 1000 * MB * scale,
    );
    return sizes.flatMap((bytes) => {
      const input = inputs.text(bytes);
      const at = (series) => ({ series, x: bytes, bytes });
      const named = (contestant, series) => ({
        ...contestant,
        name: `${series}, ${sizeName(bytes)}`,
        at: at(series),
      });
      return [
        named(ours(scratch, { name: `rehearse-${bytes}`, inputs: [input], flags: ['-w', '2'] }), 'rehearse'),
        named(reference(scratch, references.wcs, `wcs-${bytes}`, input), 'REF (wcs)'),
        named(duckdb(scratch, rivals, 'words', [input]), 'DuckDB'),
      ].map((one) => ({ ...one, group: String(bytes) }));
    });
  },
};

/** Own `--sequential` and a number of workers on the same input. */
function efficiencyPoint({ inputs, scratch }, bytes, workers, x) {
  const input = inputs.text(bytes);
  const sequential = `sequential, ${sizeName(bytes)}`;
  const name = `${workers} workers, ${sizeName(bytes)}`;
  const at = { series: 'rehearse', x, workers, sequential };
  return {
    sequential: ours(scratch, { name: sequential, inputs: [input], flags: ['-m', '100', '--sequential'] }),
    parallel: ours(scratch, { name, inputs: [input], flags: ['-m', '100', '-w', String(workers)], at }),
  };
}

const efficiencyByWorkers = {
  name: 'efficiency-workers',
  title: 'Efficiency Ts ÷ (p · Tp) against workers, 250 MB',
  plot: { value: 'efficiency', x: 'workers' },
  goals: [],
  contestants(context) {
    const points = [1, 2, 3, 4].map((p) => efficiencyPoint(context, 250 * MB * context.scale, p, p));
    return [points[0].sequential, ...points.map(({ parallel }) => parallel)];
  },
};

const efficiencyBySize = {
  name: 'efficiency-size',
  title: 'Efficiency Ts ÷ (p · Tp) against input size, 2 workers',
  plot: { value: 'efficiency', x: 'bytes of input', logarithmic: true },
  goals: [],
  contestants(context) {
    const sizes = [MB, 10 * MB, 50 * MB, 250 * MB, 1000 * MB].map((bytes) => bytes * context.scale);
    return sizes.flatMap((bytes) => {
      const { sequential, parallel } = efficiencyPoint(context, bytes, 2, bytes);
      return [sequential, parallel].map((one) => ({ ...one, group: String(bytes) }));
    });
  },
};

const skew = {
  name: 'skew',
  title: '250 MB as one file, as 100 equal ones, and as 100 small ones and a large one',
  plot: { value: 'seconds', x: 'input' },
  goals: [],
  contestants({ inputs, scratch, scale }) {
    const bytes = 250 * MB * scale;
    const one = (name, input) => ({
      ...ours(scratch, { name, inputs: [input], flags: ['-w', '2'] }),
      group: name,
      at: { series: 'rehearse', x: name },
    });
    return [
      one('one file', inputs.text(bytes)),
      one('100 equal', inputs.textFiles(bytes, 100)),
      one('100 small, 1 large', inputs.skewed(Math.max(bytes, 20 * MB))),
    ];
  },
};

const combiner = {
  name: 'combiner',
  title: 'A user’s word count over 50 MB: one word emitted at a time against combined',
  plot: { value: 'seconds', x: 'job' },
  goals: [],
  contestants({ inputs, scratch, scale }) {
    const one = (name, job) =>
      ours(scratch, {
        name,
        job: jobFile(job),
        inputs: [inputs.text(50 * MB * scale)],
        flags: ['-w', '2'],
        at: { series: 'rehearse', x: name },
      });
    return [one('one at a time', 'words-one-at-a-time.mjs'), one('combined', 'words-by-regex.mjs')];
  },
};

/** Real processes with the faults of a scenario: modelled tasks that last so long, whatever the machine. */
function rehearsed(scratch, name, scenario, at) {
  const file = join(scratch, `${name.replaceAll(/\W+/g, '-')}.yaml`);
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ name, about: 'A point of a plot.', seed: 1, ...scenario }));
  return { ...ours(scratch, { name, scenario: file, silent: true }), at };
}

/** A worker of three that is so many times slower than the others. */
const slowWorker = (name, title, { by, reduces, taskMs }) => ({
  name,
  title: `${title}, with and without speculation`,
  plot: { value: 'seconds', x: 'speculation' },
  goals: [],
  contestants: ({ scratch }) =>
    ['on', 'off'].map((choice) =>
      rehearsed(
        scratch,
        `${name}, speculation ${choice}`,
        {
          cluster: { workers: 3 },
          job: { maps: 12, reduces, mapTime: `${taskMs}ms`, reduceTime: `${taskMs}ms` },
          policy: { speculation: choice, speculationAge: `${taskMs}ms` },
          faults: [{ at: '0s', slow: 'worker-1', by }],
          expect: { job: 'succeeded' },
        },
        { series: 'rehearse', x: choice },
      ),
    ),
});

const speculation = slowWorker('speculation', 'A worker of three at an eighth of its speed', {
  by: 8,
  reduces: 2,
  taskMs: 300,
});

const halfSpeed = slowWorker('half-speed', 'A worker of three at half its speed', {
  by: 2,
  reduces: 3,
  taskMs: 400,
});

const leases = {
  name: 'lease',
  title: 'A lease far too short, and far too long: all well, and with a worker that falls silent',
  plot: { value: 'seconds', x: 'seconds of lease', logarithmic: true },
  goals: [],
  contestants: ({ scratch, scale }) =>
    [0.2, 0.5, 1, 3, 10, 30]
      .filter((seconds) => scale === 1 || seconds === 1)
      .flatMap((seconds) =>
        Object.entries({
          'all well': [],
          'one falls silent': [{ at: '300ms', pause: 'worker-1', for: '300s' }],
        }).map(([series, faults]) =>
          rehearsed(
            scratch,
            `${series}, lease ${seconds} s`,
            {
              cluster: { workers: 2 },
              job: { maps: 12, reduces: 2, mapTime: '200ms', reduceTime: '200ms' },
              policy: { lease: `${seconds * 1000}ms`, speculation: 'off' },
              faults,
              expect: { job: 'succeeded' },
            },
            { series, x: seconds },
          ),
        ),
      ),
};

const snapshots = {
  name: 'snapshots',
  title: 'How often the journal is written anew: a job of 400 short tasks',
  plot: { value: 'seconds', x: 'records between snapshots', logarithmic: true },
  goals: [],
  contestants: ({ scratch, scale }) =>
    [2, 10, 50, 250, 1000].map((snapshotSlots) =>
      rehearsed(
        scratch,
        `a snapshot every ${snapshotSlots}`,
        {
          cluster: { workers: 2, snapshotSlots },
          job: { maps: Math.max(10, 400 * scale), reduces: 2, mapTime: '1ms', reduceTime: '1ms' },
          faults: [],
          expect: { job: 'succeeded' },
        },
        { series: 'rehearse', x: snapshotSlots },
      ),
    ),
};

export const curves = [
  throughput,
  efficiencyByWorkers,
  efficiencyBySize,
  skew,
  halfSpeed,
  speculation,
  leases,
  snapshots,
  combiner,
];
