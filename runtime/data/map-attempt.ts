/**
 * One attempt at a map task: reads its split, maps it, and leaves one file of sorted segments, a segment for each
 * partition.
 *
 * There are lanes of different speed, and every one gives the same bytes and counters: words counted in the kernel; words
 * counted there and `map` asked once for each, for a number or for any value; JSON grouped in a kernel; what `mapBytes` or
 * `map` emits gathered in the kernel; and the general lane, for any key and value. Which is taken depends on the job and its
 * data alone; where a fast one finds that it cannot go on, the attempt begins again in the next.
 *
 * Memory is bounded by the byte budget: what exceeds it goes to runs on the disk, which are merged at the end. Nothing
 * is visible under the target's name before it is whole, and on failure nothing is left.
 */
import { knownAs } from '../../jobs/aggregates.js';
import type { Counters } from '../../jobs/types.js';
import { NotForKernelError } from '../../kernel/kernel.js';
import type { AttemptResult } from './attempt.js';
import { ByteLane, isForBytes } from './byte-lane.js';
import { isForCounting } from './counted-words.js';
import { GroupLane, isForGrouping } from './group-lane.js';
import { isForKernel, openKernel } from './kernel-output.js';
import type { MapAttemptOptions } from './map-options.js';
import { MapOutput, type Merging, type RunContent } from './map-output.js';
import { RecordLane } from './record-lane.js';
import { WordFunctionLane } from './word-function-lane.js';
import { WordLane } from './word-lane.js';
import { isForWordValues, WordValueLane } from './word-value-lane.js';

/** A way through the split. */
interface MapLane {
  /** Complete when `run` is done. */
  readonly counters: Counters;
  /** Maps the whole split, spills what exceeds the budget, and gives the last run. */
  run(): Promise<RunContent>;
}

/** Runs the attempt. Throws UserCodeError with input and offset, InputDataError, InputChangedError and DiskError. */
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

type KernelLane = typeof WordLane | typeof WordFunctionLane | typeof ByteLane | typeof RecordLane;

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
    const inKernel = (Lane: KernelLane): LaneChoice => ({
      lane: (output) => new Lane(options, output, openKernel(options)),
      merging: 'numbers',
    });
    if (isCounting) lanes.push(inKernel(knownAs(job.map) === 'once' ? WordLane : WordFunctionLane));
    if (isForBytes(options)) lanes.push(inKernel(ByteLane));
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
