/** Faults of files and disks. */
import { taskName } from '../../core/ids.js';
import type { AttemptFile } from '../file-model.js';
import { type FileFault, type FilesTarget, taskPatternText } from '../scenario/types.js';
import type { World } from '../world.js';
import type { Occasion, Outcome, Perform } from './occasion.js';

type Action<Kind extends FileFault['kind']> = Extract<FileFault, { kind: Kind }>;

export const fileFaults = {
  lose: (occasion, { files }) => spoil(occasion, files, 'lost'),

  corrupt: (occasion, { files }) => spoil(occasion, files, 'corrupt'),

  fill: (occasion, { target }) => {
    const { world } = occasion;
    const node = occasion.node(target);
    if (!node) return 'missed';
    const refused = (): void => {
      world.tell('write-refused', node.name);
      occasion.hit();
    };
    node.fullDisk.push(refused);
    world.tell('disk-filled', node.name);
    occasion.lasts(() => {
      node.fullDisk.splice(node.fullDisk.indexOf(refused), 1);
      world.tell('disk-freed', node.name);
    }, node);
    return 'waits';
  },
} satisfies { [Kind in FileFault['kind']]: Perform<Action<Kind>> };

function spoil(occasion: Occasion, target: FilesTarget, state: 'lost' | 'corrupt'): Outcome {
  const { world } = occasion;
  const missed = (): void => occasion.hit();
  const spoiled = filesOf(occasion, target).filter((file) => world.files.spoil(file, state, missed));
  tellSpoiled(world, spoiled, state);
  return spoiled.length > 0 ? 'waits' : 'missed';
}

export function tellSpoiled(world: World, files: readonly AttemptFile[], state: 'lost' | 'corrupt'): void {
  for (const { attempt, writer } of files) {
    const ordinal = world.ordinalOf(attempt);
    const task = taskOf(world, attempt);
    const about = { job: attempt.job, attempt, task, ordinal, worker: writer.node.name };
    world.tell(state === 'lost' ? 'files-lost' : 'files-corrupted', writer.node.name, about);
  }
}

function filesOf(occasion: Occasion, target: FilesTarget): AttemptFile[] {
  const { world, fact } = occasion;
  const { files } = world;
  if (target.kind === 'its-output') {
    const file = fact?.attempt && files.find(fact.attempt);
    return file ? [file] : [];
  }
  if (target.kind === 'outputs-of') {
    const worker = occasion.node(target.worker);
    return [...files.all()].filter((file) => 'map' in file.content && file.writer.node === worker);
  }
  const { task } = target;
  const name = taskPatternText({ kind: task.kind, index: task.index });
  return [...files.all()].filter(
    ({ attempt }) =>
      taskOf(world, attempt) === name &&
      (task.ordinal === undefined || task.ordinal === world.ordinalOf(attempt)),
  );
}

function taskOf(world: World, attempt: AttemptFile['attempt']): string {
  return taskName(attempt.task, world.reader.mapsOfJob.get(attempt.job)!);
}
