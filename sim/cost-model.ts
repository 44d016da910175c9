/**
 * How long attempts take by what they move: bytes over rates, plus the time to start. A worker may be a straggler: its
 * attempts then take several times as long, all of them. docs/cost-model.md says where the parameters of the paper's
 * cluster come from.
 *
 * A map starts, scans its split and writes what comes out. A reduce copies its share of what the maps have written, from
 * the moment at which it begins, then writes its part. Nothing here knows attempts, workers or time.
 */
import { draw, drawKey, type Range, type Seed } from './random.js';
import type { ScenarioCost } from './scenario/types.js';

const isStraggler = drawKey('straggler');
const slowness = drawKey('straggler slowness');
const second = 1_000_000;
const shades = 4294967296;

/** How many maps the inputs make: each file is cut into splits of its own. */
export function mapsOf({ inputs, splitBytes }: ScenarioCost): number {
  return inputs.reduce((sum, { count, bytes }) => sum + count * splitsIn(bytes, splitBytes), 0);
}

/** Of an empty file there is one, empty split. */
function splitsIn(bytes: number, splitBytes: number): number {
  return Math.max(1, Math.ceil(bytes / splitBytes));
}

/** The first of its inputs, as far as so many maps read them: the last of these may end in the middle of a file. */
export function costOfMaps(cost: ScenarioCost, maps: number): ScenarioCost {
  const { splitBytes } = cost;
  const inputs: { count: number; bytes: number }[] = [];
  let left = maps;
  for (const { count, bytes } of cost.inputs) {
    const splits = splitsIn(bytes, splitBytes);
    const whole = Math.min(count, Math.floor(left / splits));
    if (whole > 0) inputs.push({ count: whole, bytes });
    left -= whole * splits;
    if (whole === count) continue;
    if (left > 0) inputs.push({ count: 1, bytes: left * splitBytes });
    break;
  }
  return { ...cost, inputs };
}

/** Bytes that a map reads. The last split of a file holds what is left of it. */
export function splitBytesOf({ inputs, splitBytes }: ScenarioCost, map: number): number {
  let before = map;
  for (const { count, bytes } of inputs) {
    const splits = splitsIn(bytes, splitBytes);
    if (before >= count * splits) before -= count * splits;
    else return Math.min(splitBytes, bytes - (before % splits) * splitBytes);
  }
  throw new RangeError(`there is no map-${map}`);
}

/** Microseconds at full speed, beside those it takes to start. */
export function mapWorkUs(cost: ScenarioCost, map: number): number {
  const bytes = splitBytesOf(cost, map);
  return transferUs(bytes, cost.scanRate) + transferUs(bytes * cost.intermediate, cost.writeRate);
}

/** Microseconds that a reduce copies, and those it then writes, at full speed. Keys are spread evenly. */
export function reduceWorkUs(cost: ScenarioCost, reduces: number): { copyUs: number; writeUs: number } {
  const total = cost.inputs.reduce((sum, { count, bytes }) => sum + count * bytes, 0);
  const share = (total * cost.intermediate) / reduces;
  return {
    copyUs: transferUs(share, cost.networkRate),
    writeUs: transferUs(share * cost.output, cost.writeRate),
  };
}

/** The shortest and the longest that any attempt of a map, and of a reduce, may take: for bounds. */
export function timesOf(cost: ScenarioCost, reduces: number): { mapTimeUs: Range; reduceTimeUs: Range } {
  const { startupUs, stragglers } = cost;
  const slowest = stragglers.percent > 0 ? stragglers.by.max : 1;
  const range = (least: number, most: number): Range => ({
    min: Math.floor(startupUs.min + least),
    max: Math.ceil((startupUs.max + most) * slowest),
  });
  const { splitBytes } = cost;
  const whole =
    transferUs(splitBytes, cost.scanRate) + transferUs(splitBytes * cost.intermediate, cost.writeRate);
  const { copyUs, writeUs } = reduceWorkUs(cost, reduces);
  return { mapTimeUs: range(0, whole), reduceTimeUs: range(copyUs + writeUs, copyUs + writeUs) };
}

/** How many times as long the worker takes for everything; 1 unless it is a straggler. */
export function slownessOfWorker({ stragglers }: ScenarioCost, seed: Seed, worker: number): number {
  if (draw(seed, isStraggler, worker) / shades >= stragglers.percent / 100) return 1;
  const { min, max } = stragglers.by;
  return min + (draw(seed, slowness, worker) / shades) * (max - min);
}

function transferUs(bytes: number, rate: number): number {
  return (bytes / rate) * second;
}
