/**
 * The flags of `run`, checked: from text to numbers with units, with defaults, or one clear error.
 */
import { availableParallelism } from 'node:os';
import { type ClusterConfig, defaultClusterConfig } from '../../core/config.js';
import type { JobPolicy } from '../../core/records.js';
import type { Commands, LineCodec } from '../../runtime/commands/command-job.js';
import { heapMiBDefault } from '../../runtime/executor/messages.js';
import { isLz4There } from '../../runtime/shuffle/lz4.js';
import { parseBytes, parseDurationUs, sayBytes } from '../quantities.js';
import { UserError } from '../user-error.js';

/** As the command line gives them. */
export interface RunFlags {
  readonly output?: string;
  readonly overwrite?: boolean;
  readonly workers?: number;
  readonly slots?: number;
  readonly mapTasks?: number;
  readonly splitSize?: string;
  readonly reduceTasks?: number;
  readonly budget?: string;
  readonly heap?: string;
  readonly param?: readonly string[];
  readonly seed?: string;
  readonly standby?: number;
  readonly lease?: string;
  readonly maxAttempts?: number;
  readonly taskTimeout?: string;
  readonly speculate?: boolean;
  readonly mapper?: string;
  readonly combiner?: string;
  readonly reducer?: string;
  readonly io?: LineCodec;
  readonly skipBadRecords?: boolean;
  readonly slowstart?: number;
  readonly privateData?: boolean;
  readonly packShuffle?: boolean;
  readonly lateReports?: JobPolicy['lateReports'];
  readonly hidden?: boolean;
  readonly sequential?: boolean;
  readonly faults?: string;
  readonly dryRun?: boolean;
}

export interface RunSettings {
  readonly workers: number;
  readonly slots: number;
  readonly standbys: number;
  readonly targetMaps: number | undefined;
  readonly splitBytes: number | undefined;
  readonly reduces: number;
  readonly budgetBytes: number;
  readonly heapMiB: number;
  readonly params: Readonly<Record<string, string>>;
  readonly seed: string;
  readonly policy: JobPolicy;
  readonly config: ClusterConfig;
}

const mebibyte = 1024 * 1024;
/** Below it a run would be a file for every few words. */
const budgetMin = '64kB';
/** What is new may take so much of a heap by itself: `youngMiB` in runtime/executor/start-thread.ts. */
const heapMin = '16MiB';

export function settingsOf(flags: RunFlags): RunSettings {
  const workers = atLeast(1, flags.workers ?? availableParallelism(), '-w', 256);
  const slots = atLeast(1, flags.slots ?? 1, '--slots', 256);
  const standbys = atLeast(0, flags.standby ?? 0, '--standby', 16);
  const masters = Array.from({ length: standbys + 1 }, (_, index) => `master-${index + 1}`);
  checkPacking(flags);
  return {
    workers,
    slots,
    standbys,
    targetMaps: flags.mapTasks === undefined ? undefined : atLeast(1, flags.mapTasks, '-m', tasksMax),
    splitBytes: bytes(flags.splitSize, '--split-size'),
    reduces: atLeast(1, flags.reduceTasks ?? workers * slots, '-r', tasksMax),
    budgetBytes: bytesFrom(budgetMin, flags.budget, '--budget') ?? 64 * mebibyte,
    heapMiB: heapMiBOf(flags),
    params: paramsOf(flags.param ?? []),
    seed: flags.seed ?? '0',
    policy: {
      lateReports: flags.lateReports ?? 'first-commit',
      maxAttempts: atLeast(1, flags.maxAttempts ?? 4, '--max-attempts', 1_000_000),
      taskTimeoutUs: duration(flags.taskTimeout, '--task-timeout') ?? 600_000_000,
      speculation: flags.speculate ?? true,
      speculationAgeMinUs: 5_000_000,
      skipBadRecords: flags.skipBadRecords ?? false,
      slowstartPermille: permille(flags.slowstart ?? 1, '--slowstart'),
    },
    config: {
      ...defaultClusterConfig,
      masters,
      mapOutputs: flags.privateData ? 'worker' : 'shared',
      ...leaseOf(duration(flags.lease, '--lease')),
    },
  };
}

const tasksMax = 1_000_000;

function checkPacking({ packShuffle, privateData }: RunFlags): void {
  if (!packShuffle) return;
  if (!privateData) {
    throw new UserError({
      code: 'U026',
      what: '--pack-shuffle is for --private-data: without it map outputs do not travel',
      next: 'leave it away, or give both',
    });
  }
  if (!isLz4There()) {
    throw new UserError({
      code: 'U027',
      what: '--pack-shuffle needs the package lz4-napi, which is not installed or has no build for this machine',
      next: 'npm install lz4-napi, or leave it away',
    });
  }
}

/** A lease shorter than a few beats would be lost by a worker that is well: beats follow it. */
function leaseOf(leaseUs: number | undefined): Partial<ClusterConfig> {
  if (leaseUs === undefined) return {};
  if (leaseUs < 100_000) {
    throw new UserError({ code: 'U004', what: '--lease is too short', next: 'give at least 100ms' });
  }
  const beatUs = Math.min(defaultClusterConfig.beatUs, Math.floor(leaseUs / 4));
  return {
    workerLeaseUs: leaseUs,
    beatUs,
    retryUs: Math.min(defaultClusterConfig.retryUs, beatUs),
    reconnectUs: Math.min(defaultClusterConfig.reconnectUs, leaseUs),
  };
}

function atLeast(least: number, value: number, flag: string, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const what = Number.isNaN(value)
    ? `${flag}: that is not a whole number`
    : flag === '-r' && value === 0
      ? 'a job needs at least one reduce task'
      : `${flag}: ${value} is too ${value < least ? 'few' : 'many'}`;
  throw new UserError({
    code: 'U002',
    what,
    where: flag,
    next: `give a whole number from ${least} to ${most}`,
  });
}

/** A fraction from 0 to 1, in thousandths: the core counts in whole numbers. */
function permille(fraction: number, flag: string): number {
  if (fraction >= 0 && fraction <= 1) return Math.round(1000 * fraction);
  throw new UserError({
    code: 'U002',
    what: Number.isNaN(fraction) ? `${flag}: that is not a number` : `${flag}: ${fraction} is no fraction`,
    where: flag,
    next: 'give a number from 0 (at once) to 1 (after the last map)',
  });
}

function bytes(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const value = parseBytes(text);
  if (value === undefined || value < 1) {
    throw new UserError({
      code: 'U003',
      what: `${flag}: "${text}" is no size`,
      next: 'write it like 16MiB or 500kB',
    });
  }
  return value;
}

function heapMiBOf({ heap }: RunFlags): number {
  const heapBytes = bytesFrom(heapMin, heap, '--heap');
  return heapBytes === undefined ? heapMiBDefault : Math.round(heapBytes / mebibyte);
}

/** At least so much: less is taken for that. So few bytes that nobody can mean them are a unit forgotten. */
function bytesFrom(least: string, text: string | undefined, flag: string): number | undefined {
  const value = bytes(text, flag);
  const leastBytes = parseBytes(least)!;
  if (value === undefined || value >= leastBytes) return value;
  if (value >= 1024) return leastBytes;
  throw new UserError({
    code: 'U051',
    what: `${flag}: ${sayBytes(value)} is too little`,
    where: flag,
    next: `give at least ${least}; a number without a unit is bytes: write ${Math.round(value)}MiB`,
  });
}

function duration(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const value = parseDurationUs(text);
  if (value === undefined || value < 1) {
    throw new UserError({
      code: 'U004',
      what: `${flag}: "${text}" is no duration`,
      next: 'write it like 500ms, 10s or 2m',
    });
  }
  return value;
}

/** The programs of `--mapper` and its like; undefined for a job in JavaScript. */
export function commandsOfFlags({ mapper, combiner, reducer, io }: RunFlags): Commands | undefined {
  refuseNoProgram({ '--mapper': mapper, '--combiner': combiner, '--reducer': reducer });
  if (mapper === undefined) {
    const alone = combiner !== undefined ? '--combiner' : reducer !== undefined ? '--reducer' : undefined;
    if (alone === undefined) return undefined;
    throw new UserError({
      code: 'U014',
      what: `${alone} needs a --mapper`,
      next: 'for no mapping, --mapper cat',
    });
  }
  return {
    mapper,
    io: io ?? 'tsv',
    ...(combiner === undefined ? {} : { combiner }),
    ...(reducer === undefined ? {} : { reducer }),
  };
}

/** A shell that is given nothing succeeds at once: it would take every record, and give none. */
function refuseNoProgram(programs: Readonly<Record<string, string | undefined>>): void {
  for (const [flag, program] of Object.entries(programs)) {
    if (program === undefined || program.trim() !== '') continue;
    throw new UserError({
      code: 'U042',
      what: `${flag}: the program is empty`,
      where: flag,
      next: `name a program${flag === '--mapper' ? '; for no mapping, --mapper cat' : `, or leave ${flag} away`}`,
    });
  }
}

/** `--param key=value`, as often as it is given. */
export function paramsOf(given: readonly string[]): Record<string, string> {
  const params: [string, string][] = given.map((text) => {
    const position = text.indexOf('=');
    if (position < 1) {
      throw new UserError({
        code: 'U005',
        what: position === 0 ? `--param: "${text}" has no key` : `--param: "${text}" has no value`,
        next: 'write it like --param key=value',
      });
    }
    return [text.slice(0, position), text.slice(position + 1)];
  });
  return Object.fromEntries(params);
}
