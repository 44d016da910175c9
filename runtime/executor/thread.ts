/**
 * The program of an executor thread: runs one attempt after the other, and says how each ended. A thread of the command's own
 * looks at the keys of a job that partitions by range, and ends.
 *
 * It keeps the code and the work order of the job it ran last. What it must not do is talk to anybody but its worker.
 */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { taskName } from '../../core/ids.js';
import { frozen } from '../../jobs/params.js';
import { jobOf } from '../../jobs/pipeline.js';
import type { Job } from '../../jobs/types.js';
import { loadProgram } from '../bundle/load.js';
import { isForManyOpen } from '../data/errors.js';
import { closeOutputs, makeRoom } from '../data/lasting-outputs.js';
import { runMapAttempt } from '../data/map-attempt.js';
import { runMapOnlyAttempt } from '../data/map-only-attempt.js';
import { runReduceAttempt } from '../data/reduce-attempt.js';
import { type SampleOptions, sampleBoundaries } from '../data/sample.js';
import { attemptFileName } from '../node/layout.js';
import { loadWorkOrder, paramsOfTasks, type WorkOrder } from '../node/work-order.js';
import { FileFiles } from '../store/file-files.js';
import { mapFile, reduceFile } from './attempt-files.js';
import { resultOfError } from './failure.js';
import { KnownSources } from './known-sources.js';
import { loadCode } from './load-code.js';
import {
  functionsLooked,
  gaugeCalls,
  gaugeDone,
  gaugeFile,
  gaugeFunction,
  gaugeListening,
  gaugeOffset,
  gaugeTotal,
  gaugeWaiting,
  type KeysAnswer,
  type KeysWanted,
  type ThreadFolders,
  type ThreadOrder,
  type ThreadResult,
  type ThreadSources,
  type ThreadTask,
} from './messages.js';
import { misbehaving } from './misbehave.js';
import { pace } from './pace.js';

const gauge = new Float64Array(workerData as SharedArrayBuffer);

// What cannot be had now (a disk is full) is tried again by the next attempt: only what is there is kept.
let opened: FileFiles | undefined;

async function filesIn(directory: string): Promise<FileFiles> {
  opened ??= await FileFiles.open(directory);
  return opened;
}

let lastOrder: { readonly work: string; readonly order: WorkOrder } | undefined;

/** One job at a time is the rule: the order of a second one is read again when it is back. */
async function orderOf(files: FileFiles, work: string): Promise<WorkOrder> {
  if (lastOrder?.work !== work) {
    closeOutputs();
    lastOrder = undefined;
    lastOrder = { work, order: await loadWorkOrder(files, work) };
  }
  return lastOrder.order;
}

/** Of the attempt that runs, once its code has asked for it. */
let aborting: AbortController | undefined;

function signalOfAttempt(): AbortSignal {
  gauge[gaugeListening] = 1;
  aborting ??= new AbortController();
  return aborting.signal;
}

async function run(folders: ThreadFolders, task: ThreadTask, known: KnownSources): Promise<ThreadResult> {
  aborting = undefined;
  try {
    const files = await filesIn(folders.filesDirectory);
    const order = await orderOf(files, task.work);
    const code = await loadCode(files, order.code, order.params, folders.bundleDirectory);
    pace(order, task, gauge);
    const job = misbehaving(code, order, task);
    return await runAttempt(folders, { task, order, job, known });
  } catch (error) {
    if (isForManyOpen(error)) makeRoom();
    return resultOfError(error, known.used, folders.bundleDirectory);
  }
}

interface Assignment {
  readonly task: ThreadTask;
  readonly order: WorkOrder;
  readonly job: Job;
  readonly known: KnownSources;
}

async function runAttempt(folders: ThreadFolders, assignment: Assignment): Promise<ThreadResult> {
  const { task, order, job, known } = assignment;
  const { attempt, maps, reduces, skip } = task;
  const { budgetBytes, boundaries } = order;
  const isMap = attempt.task < maps;
  const target = isMap
    ? mapFile(folders.workDirectory, attempt)
    : reduceFile(task.attemptsDirectory, attempt, maps);
  const shared = { job, target, skip, ...signsOfLife(task, order) };
  if (job.reduce === 'none') {
    const ranges = order.splits[attempt.task]!;
    const made = await runMapOnlyAttempt({ ...shared, files: order.files, ranges });
    const { digest, bytes, records, counters } = made;
    return { type: 'finished', digest, bytes, records, inputs: known.generation, counters };
  }
  const bounded = { ...shared, budgetBytes, boundaries, privateDirectory: `${target}.runs` };
  const result = isMap
    ? await runMapAttempt({ ...bounded, files: order.files, ranges: order.splits[attempt.task]!, reduces })
    : await runReduceAttempt({
        ...bounded,
        partition: attempt.task - maps,
        sources: known,
        onWaiting: (waiting) => {
          gauge[gaugeWaiting] = waiting ? 1 : 0;
        },
      });
  const { digest, bytes, records, counters, spills, heaviest } = result;
  return {
    type: 'finished',
    digest,
    bytes,
    records,
    inputs: isMap ? '' : known.generation,
    counters: withSpills(counters, isMap, spills),
    ...shortened(heaviest),
  };
}

/** What user code is given, and how it shows that it is alive: by saying how far it is, or by `ctx.status`. */
function signsOfLife({ attempt, maps }: ThreadTask, order: WorkOrder) {
  const { runId, seed } = order;
  let signs = 0;
  let last = 0;
  /** Of lanes that could not go on: whoever watches the gauge is to see that the next one begins, and goes on. */
  let before = 0;
  const progress = (bytesDone: number, bytesTotal: number): void => {
    if (bytesDone < last) before += last;
    last = bytesDone;
    gauge[gaugeTotal] = before + bytesTotal;
    gauge[gaugeDone] = before + bytesDone + signs;
  };
  const onStatus = (): void => {
    signs++;
    gauge[gaugeDone]!++;
  };
  const named = {
    task: taskName(attempt.task, maps),
    attempt: `${runId}.${attemptFileName(attempt, maps)}`,
  };
  return {
    context: { ...named, params: paramsOfTasks(order), seed, onStatus, signal: signalOfAttempt },
    progress,
  };
}

/** A key may be a megabyte long; for people its beginning is enough. */
function shortened(
  heaviest: { key: string; records: number } | undefined,
): Pick<ThreadResult & { type: 'finished' }, 'heaviest'> {
  return heaviest ? { heaviest: { key: heaviest.key.slice(0, 100), records: heaviest.records } } : {};
}

/** Spills are counted with the rest, so that a run shows whether its budget was enough. Sorted by name. */
function withSpills(
  counters: readonly (readonly [string, number])[],
  isMap: boolean,
  spills: number,
): readonly (readonly [string, number])[] {
  if (spills === 0) return counters;
  const own: readonly [string, number] = [isMap ? 'map.spills' : 'reduce.spills', spills];
  return [...counters, own].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** What was printed travels on a way of its own: resolves once the process has it. */
async function printed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength > 0) await new Promise((resolve) => stream.write('', resolve));
}

/** Looks at the keys of a job, as the only thing that this thread does. What it rejects with ends the thread. */
async function boundariesOf(wanted: KeysWanted): Promise<void> {
  // Nothing else is to come: when nothing is left to be done the job waits for ever.
  parentPort!.unref();
  const answer = (message: KeysAnswer): void => parentPort!.postMessage(message);
  process.once('beforeExit', () => answer({ type: 'waits' }));
  const { code, name, directory, stage, files, reduces, seed } = wanted;
  const [programParams, params] = [frozen(wanted.programParams), frozen(wanted.params)];
  const job = jobOf(await loadProgram(code, { directory, name }), programParams, stage);
  const calling: SampleOptions['calling'] = (what, file, offset) => {
    gauge[gaugeFunction] = functionsLooked.indexOf(what);
    gauge[gaugeFile] = file;
    gauge[gaugeOffset] = offset;
    gauge[gaugeCalls]!++;
  };
  const boundaries = await sampleBoundaries({ job, files, reduces, params, seed, calling });
  await new Promise((resolve) => setImmediate(resolve)); // a promise that was rejected is found out at the end of a turn
  answer({ type: 'boundaries', boundaries: boundaries! });
}

function main(): void {
  process.setSourceMapsEnabled(true);
  let folders: ThreadFolders | undefined;
  let sources: ThreadSources = [];
  let known: KnownSources | undefined;
  parentPort!.on('message', (order: ThreadOrder) => {
    if (order.type === 'folders') {
      folders = order;
      return;
    }
    if (order.type === 'sources') {
      sources = order.sources;
      known?.update(sources);
      return;
    }
    if (order.type === 'abort') {
      aborting?.abort();
      return;
    }
    if (order.type === 'keys') {
      void boundariesOf(order);
      return;
    }
    known = new KnownSources(folders!.workDirectory, sources);
    void run(folders!, order, known).then(async (result) => {
      await Promise.all([printed(process.stdout), printed(process.stderr)]);
      parentPort!.postMessage(result);
    });
  });
}

if (!isMainThread) main();
