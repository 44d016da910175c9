/**
 * `npm run campaign:kills`: a real word count, again and again, while its processes are killed or stopped at random
 * moments in every phase. Same bytes, exit 0 and nothing left over, each time; every trace replays.
 *
 *   node scripts/kill-campaign.mjs [--rounds 20] [--megabytes 4] [--only worker,leader,…] [--workers 2] [--seed 1]
 *     [--lane numbers] [--budget 1MiB] [--private-data]
 *
 * `--lane` is the way the words take: `letters` (declared, on bytes), `function` (a function of declared words), `numbers`
 * (map of lines, numbers as values), `values` (any values, any reduce).
 *
 * A round whose signal found the job already over does not count and is repeated.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import seedrandom from 'seedrandom';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    megabytes: { type: 'string', default: '4' },
    only: { type: 'string', default: '' },
    workers: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    lane: { type: 'string', default: 'numbers' },
    budget: { type: 'string', default: '64MiB' },
    'private-data': { type: 'boolean', default: false },
  },
});
const rehearse = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist', 'bin', 'rehearse.cjs');
const random = seedrandom.alea(values.seed);
const rounds = Number(values.rounds);
const scratch = mkdtempSync(join(tmpdir(), 'rehearse-kills-'));
const phases = ['map', 'reduce', 'publishing'];

/** What is done to the run at the moment that was drawn, and which flags it runs with. Signals go to processes by name. */
const kinds = {
  worker: { flags: [], hit: (run) => run.signal('worker', 'SIGKILL') },
  leader: { flags: ['--standby', '1'], hit: (run) => run.signal('leader', 'SIGKILL') },
  both: {
    flags: ['--standby', '1'],
    hit: (run) => {
      const worker = run.signal('worker', 'SIGKILL');
      return run.signal('leader', 'SIGKILL') && worker;
    },
  },
  'stopped-worker': { flags: ['--lease', '1s'], hit: (run) => run.pause('worker', 1500 + 1000 * random()) },
  'stopped-leader': {
    flags: ['--standby', '1', '--lease', '2s'],
    hit: (run) => run.pause('leader', 4500 + 1500 * random()),
  },
  command: { flags: [], hit: (run) => run.killCommand() },
};

const lanes = {
  letters: `words: 'letters', combine: sum, reduce: sum`,
  function: `words: 'letters', map: (word, emit) => void emit(word, 1), combine: sum, reduce: sum`,
  numbers: `map(line, emit) {
    for (const word of line.match(/\\p{L}+/gu) ?? []) emit(word, 1);
  },
  combine: sum,
  reduce: sum`,
  values: `map(line, emit) {
    for (const word of line.match(/\\p{L}+/gu) ?? []) emit(word, { times: 1 });
  },
  combine(word, values) {
    let times = 0;
    for (const one of values) times += one.times;
    return { times };
  },
  reduce(word, values) {
    let times = 0;
    for (const one of values) times += one.times;
    return times;
  }`,
};

/** A word count whose tasks take a moment each, so that every phase lasts long enough to be hit on a fast machine too. */
const job = `import { defineJob, sum } from 'mapreduce-rehearsal';
const rest = new Int32Array(new SharedArrayBuffer(4));
export default defineJob({
  name: 'slow-word-count',
  setup: (ctx) => void Atomics.wait(rest, 0, 0, ctx.task.startsWith('map') ? 120 : 60),
  ${lanes[values.lane]},
});
`;

function writeJob() {
  const path = join(scratch, 'job.ts');
  writeFileSync(path, job);
  return path;
}

function writeInput() {
  const path = join(scratch, 'input.txt');
  const words = Array.from({ length: 5000 }, () => {
    const letters = Array.from(
      { length: 2 + Math.floor(random() * 7) },
      () => 'aehilnorstäé'[Math.floor(random() * 12)],
    );
    return letters.join('');
  });
  const lines = [];
  for (let bytes = 0; bytes < Number(values.megabytes) * 1e6; ) {
    const line = Array.from({ length: 10 }, () => words[Math.floor(5000 ** random()) - 1]).join(' ');
    bytes += line.length + 1;
    lines.push(line);
  }
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** The answer by another program than the one under test: a Map over a regular expression, sorted by bytes. */
function independentCount(path) {
  const counts = new Map();
  for (const [word] of readFileSync(path, 'utf8').matchAll(/\p{L}+/gu))
    counts.set(word, (counts.get(word) ?? 0) + 1);
  const lines = [...counts].map(([word, count]) => Buffer.from(`${word} ${count}\n`));
  return hash(Buffer.concat(lines.sort(Buffer.compare)));
}

function hash(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

function answerOf(output) {
  const parts = readdirSync(output).filter((name) => name.startsWith('part-'));
  const lines = parts.flatMap((name) => readFileSync(join(output, name), 'utf8').split('\n').slice(0, -1));
  return hash(Buffer.concat(lines.map((line) => Buffer.from(`${line}\n`)).sort(Buffer.compare)));
}

/** One run of the command under observation. */
class Run {
  constructor(args, cwd) {
    this.cwd = cwd;
    this.phase = 'starting';
    this.waiting = [];
    this.stderr = '';
    this.child = spawn(process.execPath, [rehearse, ...args, '--progress', 'ndjson'], {
      cwd,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    createInterface({ input: this.child.stderr }).on('line', (line) => this.hear(line));
    this.ended = new Promise((resolve) => this.child.once('exit', (code, signal) => resolve(code ?? signal)));
    this.ended.then(() => this.enter('ended'));
  }

  hear(line) {
    this.stderr += `${line}\n`;
    if (!line.startsWith('{"type":"status"')) return;
    const status = JSON.parse(line);
    this.enter(status.phase);
  }

  enter(phase) {
    this.phase = phase;
    for (const { phase: wanted, resolve } of this.waiting)
      if (wanted === phase || phase === 'ended' || phase === 'published') resolve();
  }

  reach(phase) {
    if (this.phase === phase || this.phase === 'ended') return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ phase, resolve }));
  }

  /** Pids of the children by the names they gave themselves. */
  children() {
    const found = [];
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]);
        if (parent !== this.child.pid) continue;
        const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0.*/s, '');
        if (title.startsWith('rehearse ')) found.push({ pid: Number(pid), node: title.slice(9) });
      } catch {
        // it ended while we looked
      }
    }
    return found;
  }

  /** The master of the highest epoch in the traces. */
  leader() {
    const runs = join(this.cwd, '.rehearse', 'runs');
    const traces = join(runs, readdirSync(runs)[0], 'trace');
    let best = { epoch: 0, node: 'master-1' };
    for (const name of readdirSync(traces).filter((one) => one.startsWith('master-'))) {
      for (const match of readFileSync(join(traces, name), 'utf8').matchAll(
        /"decision":"leader-began","node":"([^"]+)","epoch":(\d+)/g,
      )) {
        if (Number(match[2]) > best.epoch) best = { epoch: Number(match[2]), node: match[1] };
      }
    }
    return best.node;
  }

  pick(role) {
    const children = this.children();
    if (role === 'leader') {
      const node = this.leader();
      return children.find((child) => child.node === node);
    }
    const workers = children.filter((child) => child.node.startsWith('worker'));
    return workers[Math.floor(random() * workers.length)];
  }

  signal(role, signal) {
    const target = this.pick(role);
    if (!target) return false;
    process.kill(target.pid, signal);
    return true;
  }

  pause(role, forMs) {
    const target = this.pick(role);
    if (!target) return false;
    process.kill(target.pid, 'SIGSTOP');
    setTimeout(() => {
      try {
        process.kill(target.pid, 'SIGCONT');
      } catch {
        // the run is over, and with it its children
      }
    }, forMs);
    return true;
  }

  killCommand() {
    this.orphans = this.children();
    process.kill(this.child.pid, 'SIGKILL');
    return true;
  }
}

const pauseMs = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const isAlive = (pid) =>
  existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

async function resumeKilled(run, cwd) {
  await pauseMs(2000);
  const left = run.orphans.filter(({ pid }) => isAlive(pid));
  if (left.length > 0) throw new Error(`still alive after 2 s: ${left.map(({ node }) => node).join(', ')}`);
  const id = readdirSync(join(cwd, '.rehearse', 'runs'))[0];
  const resumed = new Run(['resume', id], cwd);
  return { code: await resumed.ended, stderr: resumed.stderr };
}

/** Each task may have been committed once only, unless its output was lost: nothing that was durable is done again. */
function checkCommits(traces) {
  const seen = new Set();
  for (const name of readdirSync(traces).filter((one) => one.startsWith('master-'))) {
    for (const line of readFileSync(join(traces, name), 'utf8').split('\n')) {
      if (!line.includes('"type":"journal.appended"')) continue;
      for (const record of JSON.parse(line).event.entry.records) {
        if (record.type === 'task.invalidated') seen.delete(record.attempt.task);
        if (record.type !== 'task.committed') continue;
        if (seen.has(record.attempt.task)) throw new Error(`task ${record.attempt.task} was committed twice`);
        seen.add(record.attempt.task);
      }
    }
  }
}

async function replayAll(cwd) {
  const replay = spawn(process.execPath, [rehearse, 'replay', 'last'], {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  replay.stderr.on('data', (bytes) => (said += bytes));
  const code = await new Promise((resolve) => replay.once('exit', resolve));
  if (code !== 0) throw new Error(`a trace does not replay:\n${said}`);
}

/** One round; undefined when the signal came too late to count. */
async function round(kind, phase, input, expected) {
  const cwd = mkdtempSync(join(scratch, 'round-'));
  const flags = [
    '-m',
    '12',
    '-r',
    '16',
    '-w',
    values.workers,
    '--budget',
    values.budget,
    ...kinds[kind].flags,
  ];
  if (values['private-data']) flags.push('--private-data');
  const run = new Run(['run', join(scratch, 'job.ts'), input, '-o', 'out', ...flags], cwd);
  await run.reach(phase);
  await pauseMs(random() * { map: 800, reduce: 400, publishing: 2 }[phase]);
  const hitIn = run.phase;
  const counts = phases.includes(hitIn) && kinds[kind].hit(run);
  let code = await run.ended;
  let { stderr } = run;
  if (!counts) {
    rmSync(cwd, { recursive: true });
    return undefined;
  }
  if (kind === 'command') ({ code, stderr } = await resumeKilled(run, cwd));
  try {
    if (code !== 0) throw new Error(`exit ${code}\n${stderr}`);
    if (answerOf(join(cwd, 'out')) !== expected) throw new Error('another answer');
    const left = readdirSync(cwd).filter((name) => name !== 'out' && name !== '.rehearse');
    const inside = readdirSync(join(cwd, 'out')).filter(
      (name) => !/^part-\d{5}$/.test(name) && name !== '_SUCCESS.json',
    );
    if (left.length + inside.length > 0) throw new Error(`left over: ${[...left, ...inside].join(', ')}`);
    const runs = join(cwd, '.rehearse', 'runs');
    checkCommits(join(runs, readdirSync(runs)[0], 'trace'));
    await replayAll(cwd);
  } catch (error) {
    error.message = `${kind} in ${hitIn}: ${error.message}\n  kept: ${cwd}`;
    throw error;
  }
  rmSync(cwd, { recursive: true });
  return hitIn;
}

async function main() {
  mkdirSync(scratch, { recursive: true });
  writeJob();
  const input = writeInput();
  const expected = independentCount(input);
  const wanted = values.only === '' ? Object.keys(kinds) : values.only.split(',');
  let failures = 0;
  let passed = 0;
  for (const kind of wanted) {
    const hits = { map: 0, reduce: 0, publishing: 0 };
    let misses = 0;
    for (let done = 0; done < rounds && misses < 20 * rounds; ) {
      // Each phase gets its share; what was aimed at one and hit another counts for the other.
      const phase = phases.toSorted((a, b) => hits[a] - hits[b] || random() - 0.5)[0];
      try {
        const hitIn = await round(kind, phase, input, expected);
        if (hitIn === undefined) misses++;
        else {
          hits[hitIn]++;
          done++;
          passed++;
        }
      } catch (error) {
        console.error(`FAIL ${error.message}`);
        failures++;
        done++;
      }
    }
    console.log(
      `${kind}: ${hits.map} hits in map, ${hits.reduce} in reduce, ${hits.publishing} in publish, ${misses} misses`,
    );
    if (phases.some((phase) => hits[phase] < Math.min(3, Math.floor(rounds / 3)))) {
      console.error(`FAIL ${kind}: some phase was hit too seldom to tell`);
      failures++;
    }
  }
  if (failures === 0) rmSync(scratch, { recursive: true });
  console.log(`${passed} passed, ${failures} failed`);
  process.exitCode = failures === 0 ? 0 : 1;
}

await main();
