/**
 * The look at the keys of a job that partitions by range, before it runs. A job of the user's is asked in a thread of its own:
 * what never ends there can be ended.
 */
import type { Worker } from 'node:worker_threads';
import type { InputFile } from '../../runtime/data/input-file.js';
import { type SampleOptions, sampleBoundaries } from '../../runtime/data/sample.js';
import {
  functionsLooked,
  gaugeCalls,
  gaugeFile,
  gaugeFunction,
  gaugeOffset,
  type KeysAnswer,
  type KeysWanted,
} from '../../runtime/executor/messages.js';
import { startThread } from '../../runtime/executor/start-thread.js';
import { paramsOfTasks } from '../../runtime/node/work-order.js';
import { endedEarly, neverSettled, thrownAside } from '../ending.js';
import { sayDuration } from '../quantities.js';
import { exitCodes, UserError } from '../user-error.js';
import type { RunSettings } from './flags.js';
import type { PreparedJob } from './prepare.js';

/** A thread may take its time to begin on a busy machine: that is not the job's doing. */
const BEGIN_US = 60_000_000;
/** How often it is looked whether the job goes on. */
const LOOK_MS = 100;

/** Undefined for a job that does not partition by range. Throws UserError. */
export async function lookAtKeys(
  prepared: PreparedJob,
  files: readonly InputFile[],
  { reduces, seed, policy, heapMiB }: RunSettings,
): Promise<readonly string[] | undefined> {
  const { job, bundle, directory, stage } = prepared;
  const params = paramsOfTasks(prepared);
  const look: SampleOptions = { job, files, reduces, params, seed };
  if (bundle === undefined || job.partition !== 'range' || reduces === 1) return await sampleBoundaries(look);
  const { thread, gauge } = startThread(heapMiB);
  thread.stdout.pipe(process.stderr);
  thread.stderr.pipe(process.stderr);
  const wanted: KeysWanted = {
    type: 'keys',
    code: bundle.code,
    ...{ name: bundle.name, directory, stage: stage?.index ?? 0 },
    ...{ programParams: prepared.params, params, files, reduces, seed },
  };
  thread.postMessage(wanted);
  const place = (): string => `${files[gauge[gaugeFile]!]?.name}, byte ${gauge[gaugeOffset]}`;
  const { watched, stop } = watchCalls(gauge, policy.taskTimeoutUs, place);
  try {
    return await Promise.race([answerOf(thread, place), watched]);
  } finally {
    stop();
    await thread.terminate();
  }
}

/** Rejects when no function of the job was called for so long. */
function watchCalls(gauge: Float64Array, timeoutUs: number, place: () => string) {
  let calls = -1;
  let sinceMs = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const watched = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      const nowMs = performance.now();
      if (calls !== gauge[gaugeCalls]) {
        calls = gauge[gaugeCalls]!;
        sinceMs = nowMs;
      } else if ((nowMs - sinceMs) * 1000 >= Math.max(timeoutUs, calls === 0 ? BEGIN_US : 0)) {
        reject(tookTooLong(gauge, timeoutUs, place()));
      }
    }, LOOK_MS);
  });
  return { watched, stop: () => clearInterval(timer) };
}

function tookTooLong(gauge: Float64Array, timeoutUs: number, where: string): UserError {
  const called = gauge[gaugeCalls] === 0 ? undefined : functionsLooked[gauge[gaugeFunction]!];
  return new UserError({
    code: 'F005',
    what: `${called ?? 'the job'} did not come to an end in ${sayDuration(timeoutUs)}`,
    where: called === undefined ? undefined : where,
    why: 'it was called to look at the keys that the job makes, since it partitions by range',
    next: 'mend it, or give it longer: --task-timeout',
    exit: exitCodes.no,
  });
}

async function answerOf(thread: Worker, place: () => string): Promise<readonly string[]> {
  return await new Promise((resolve, reject) => {
    thread.once('message', (answer: KeysAnswer) => {
      if (answer.type === 'boundaries') resolve(answer.boundaries);
      else reject(neverSettled());
    });
    thread.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tookTooMuch(place()) : thrownAside(error));
    });
    thread.once('exit', () => reject(endedEarly()));
  });
}

function tookTooMuch(where: string): UserError {
  return new UserError({
    code: 'F006',
    what: 'the job used up all memory',
    where,
    why: 'it was called to look at the keys that the job makes, since it partitions by range',
    next: 'mend it, or give it more: --heap',
    exit: exitCodes.no,
  });
}
