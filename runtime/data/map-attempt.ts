/**
 * One attempt at a map task: reads its split, maps it, and leaves one file of sorted segments, a segment for each
 * partition.
 *
 * There are lanes of different speed, and every one gives the same bytes and counters: words counted in the kernel; words
 * counted there and `map` asked once for each, for a number or for any value; JSON grouped in a kernel; whatever `map`
 * emits gathered in the kernel; and the general lane, for any key and value. Which is taken depends on the job and its
 * data alone; where a fast one finds that it cannot go on, the attempt begins again in the next.
 *
 * Memory is bounded by the byte budget: what exceeds it goes to runs on the disk, which are merged at the end. Nothing
 * is visible under the target's name before it is whole, and on failure nothing is left.
 */
import { knownAs } from '../../jobs/aggregates.js';
import type { Counters, Job, TaskSetting } from '../../jobs/types.js';
import { NotForKernelError } from '../../kernel/kernel.js';
import type { AttemptResult, Progress } from './attempt.js';
import { isForCounting } from './counted-words.js';
import { GroupLane, isForGrouping } from './group-lane.js';
import type { InputFile } from './input-file.js';
import { isForKernel, openKernel } from './kernel-output.js';
import { MapOutput, type Merging, type RunContent } from './map-output.js';
import type { SplitRange } from './plan.js';
import { RecordLane } from './record-lane.js';
import { WordFunctionLane } from './word-function-lane.js';
import { WordLane } from './word-lane.js';
import { isForWordValues, WordValueLane } from './word-value-lane.js';

export interface MapAttemptOptions {
  readonly job: Job;
  /** All inputs of the job; ranges index them. */
  readonly files: readonly InputFile[];
  /** The split. */
  readonly ranges: readonly SplitRange[];
  readonly reduces: number;
  /** When to spill, in bytes as MapTask counts them. Part of the job: another budget may give another digest. */
  readonly budgetBytes: number;
  /** For a job that partitions by range. */
  readonly boundaries?: readonly string[] | undefined;
  /** `task` is `map-<index>`. */
  readonly context: TaskSetting;
  /** A directory of this attempt's own for spilled runs; made when needed, removed in the end. */
  readonly privateDirectory: string;
  /** The file to be made, in a directory that exists. */
  readonly target: string;
  /** How many runs are merged at once; does not change the result. */
  readonly fanIn?: number;
  /** Force the file to the disk; without it, a crash of the machine may cost the attempt. */
  readonly sync?: boolean;
  /** Bad records to leave out. */
  readonly skip?: readonly string[] | undefined;
  readonly progress?: Progress;
}

/** A way through the split. */
interface MapLane {
  /** Complete when `run` is done. */
  readonly counters: Counters;
  /** Maps the whole split, spills what exceeds the budget, and gives the last run. */
  run(): Promise<RunContent>;
}

/**
 * Runs the attempt. Throws UserCodeError with input and offset, InputDataError, InputChangedError, DiskError, and
 * AttemptAborted once the signal is aborted.
 */
export async function runMapAttempt(options: MapAttemptOptions): Promise<AttemptResult> {
  for (const { lane, merging } of lanesOf(options)) {
    try {
      return await runLane(new MapOutput(options, merging), lane);
    } catch (error) {
      if (!(error instanceof NotForKernelError)) throw error;
    }
  }
  return await runLane(new MapOutput(options, 'plainly'), (output) => new RecordLane(options, output));
}

interface LaneChoice {
  readonly lane: (output: MapOutput) => MapLane;
  readonly merging: Merging;
}

/** The lanes that may do, the fastest first; the one that always does is not among them. */
function lanesOf(options: MapAttemptOptions): readonly LaneChoice[] {
  const { job } = options;
  const isCounting = isForCounting(options);
  const lanes: LaneChoice[] = [];
  if (isForKernel(options)) {
    const inKernel = (Lane: typeof WordLane | typeof WordFunctionLane | typeof RecordLane): LaneChoice => ({
      lane: (output) => new Lane(options, output, openKernel(options)),
      merging: 'numbers',
    });
    if (isCounting) lanes.push(inKernel(knownAs(job.map) === 'once' ? WordLane : WordFunctionLane));
    lanes.push(inKernel(RecordLane));
  } else if (isForWordValues(options)) {
    lanes.push({ lane: (output) => new WordValueLane(options, output), merging: 'any values' });
  } else if (isForGrouping(options)) {
    lanes.push({ lane: (output) => new GroupLane(options, output), merging: 'any values' });
  }
  if (job.orderValues === undefined) {
    lanes.push({ lane: (output) => new RecordLane(options, output), merging: 'any values' });
  }
  return lanes;
}

async function runLane(output: MapOutput, laneOf: (output: MapOutput) => MapLane): Promise<AttemptResult> {
  try {
    const lane = laneOf(output);
    const last = await lane.run();
    return await output.finish(last, () => lane.counters);
  } finally {
    output.remove();
  }
}
