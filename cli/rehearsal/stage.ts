/**
 * Setting the stage: a scenario's jobs as real files, work orders and job specs. Input is cut among the maps at the
 * lines where the simulator cuts it, so that `map-1` means the same lines on both drivers.
 */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type ClusterConfig, defaultClusterConfig } from '../../core/config.js';
import type { JobSpec } from '../../core/records.js';
import type { InputFile } from '../../runtime/data/input-file.js';
import type { SplitRange } from '../../runtime/data/plan.js';
import { prepareWorkspace } from '../../runtime/data/publish.js';
import type { RunLayout } from '../../runtime/node/layout.js';
import { type Misbehaviour, storeWorkOrder, type WorkOrder } from '../../runtime/node/work-order.js';
import type { FileFiles } from '../../runtime/store/file-files.js';
import type { Scenario, ScenarioJob, TaskPattern, TaskTime } from '../../sim/scenario/types.js';
import { masterNames } from '../../sim/scenario/types.js';

export interface StagedJob {
  readonly scenario: ScenarioJob;
  readonly requestId: string;
  readonly spec: JobSpec;
  readonly order: WorkOrder;
}

const budgetBytes = 1 << 20;

export function configOf(scenario: Scenario): ClusterConfig {
  const { beatUs, suspectUs, workerLeaseUs, reconnectUs, masterLeaseUs } = scenario.cluster;
  const { exclusionUs, exclusionMaxUs, snapshotSlots, mapOutputs, sharing } = scenario.cluster;
  return {
    ...defaultClusterConfig,
    masters: masterNames(scenario.cluster),
    ...{
      beatUs,
      suspectUs,
      workerLeaseUs,
      reconnectUs,
      masterLeaseUs,
      exclusionUs,
      exclusionMaxUs,
      snapshotSlots,
      mapOutputs,
      sharing,
    },
  };
}

/** Writes the job's input and work order. Its workspace comes last: when it is there, the job may be submitted. */
export async function stageJob(
  scenario: ScenarioJob,
  index: number,
  place: { layout: RunLayout; files: FileFiles; output: string | undefined },
): Promise<StagedJob> {
  const { layout, files } = place;
  const requestId = index === 0 ? layout.runId : `${layout.runId}-${index + 1}`;
  const inputs = await writeInputs(scenario, join(layout.root, `input-${index + 1}`));
  const { own } = scenario;
  if (own) await files.putIfAbsent(own.module.hash, Buffer.from(own.module.code));
  const order: WorkOrder = {
    runId: requestId,
    code: own
      ? { kind: 'bundle', name: own.job.name, hash: own.module.hash }
      : { kind: 'builtin', name: scenario.run },
    params: scenario.parameters,
    seed: requestId,
    budgetBytes,
    overwrite: scenario.overwrite,
    files: inputs,
    splits: splitsOf(scenario),
    pace: {
      mapUs: [scenario.mapTimeUs.min, scenario.mapTimeUs.max],
      reduceUs: [scenario.reduceTimeUs.min, scenario.reduceTimeUs.max],
      ...(scenario.times ? { tasks: scenario.times.map((time) => paceOf(time, scenario.maps)) } : {}),
    },
    misbehaviours: misbehavioursOf(scenario),
    poison: scenario.poison,
  };
  const output = place.output ?? join(layout.root, scenario.output.replace(/[^\w.-]/g, '_'));
  const spec: JobSpec = {
    name: own?.job.name ?? scenario.run,
    work: await storeWorkOrder(files, order),
    maps: scenario.maps,
    reduces: scenario.reduces,
    output: resolve(output),
    policy: scenario.policy,
  };
  await prepareWorkspace(spec.output, requestId);
  return { scenario, requestId, spec, order };
}

async function writeInputs(scenario: ScenarioJob, directory: string): Promise<InputFile[]> {
  await mkdir(directory, { recursive: true });
  return await Promise.all(
    scenario.input.map(async (text, index) => {
      const name = `input-${index}`;
      const path = join(directory, name);
      await writeFile(path, text);
      const { size, mtimeNs, ino } = await stat(path, { bigint: true });
      return {
        path,
        name,
        sizeBytes: Number(size),
        mtimeNs: String(mtimeNs),
        inode: String(ino),
        compression: 'none' as const,
      };
    }),
  );
}

/** As many runs of neighbouring lines as there are maps; a run may reach over several files. */
function splitsOf(scenario: ScenarioJob): SplitRange[][] {
  const lines: SplitRange[] = [];
  for (const [file, text] of scenario.input.entries()) {
    const bytes = Buffer.from(text);
    for (let start = 0; start < bytes.length; ) {
      const feed = bytes.indexOf(10, start);
      const end = feed < 0 ? bytes.length : feed + 1;
      lines.push({ file, start, end });
      start = end;
    }
  }
  const cut = (map: number): number => Math.floor((map * lines.length) / scenario.maps);
  return Array.from({ length: scenario.maps }, (_, map) =>
    joinNeighbours(lines.slice(cut(map), cut(map + 1))),
  );
}

function joinNeighbours(lines: readonly SplitRange[]): SplitRange[] {
  const ranges: { file: number; start: number; end: number }[] = [];
  for (const { file, start, end } of lines) {
    const last = ranges.at(-1);
    if (last?.file === file && last.end === start) last.end = end;
    else ranges.push({ file, start, end });
  }
  return ranges;
}

function misbehavioursOf({ misbehaviours, maps }: ScenarioJob): Misbehaviour[] {
  return misbehaviours.map(({ task, how }) => ({ ...attemptsOf(task, maps), how }));
}

function paceOf({ task, timeUs }: TaskTime, maps: number) {
  return { ...attemptsOf(task, maps), us: [timeUs.min, timeUs.max] as const };
}

/** A task by its index among all of the job. */
function attemptsOf({ kind, index, ordinal }: TaskPattern, maps: number) {
  const task = kind === 'map' ? index : maps + index;
  return ordinal === undefined ? { task } : { task, ordinal };
}
