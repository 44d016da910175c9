import { beforeEach, describe, expect, it } from 'vitest';
import type { OutputChange } from '../../core/messages.js';
import { type AttemptFile, FileModel } from '../../sim/file-model.js';
import { type LearnedOutputs, OutputLists } from '../../sim/learned-outputs.js';
import type { Life } from '../../sim/nodes.js';
import { newNode } from '../../sim/nodes.js';
import { Reading } from '../../sim/readings.js';
import { SmallHost } from './small-host.js';

const life = { node: newNode('worker-1', 'worker'), incarnation: 1, ended: false } as unknown as Life;
let files: FileModel;
let lists: OutputLists;

beforeEach(() => {
  files = new FileModel(new SmallHost(), 'worker');
  lists = new OutputLists();
});

function made(task: number, n = 1): { file: AttemptFile; change: OutputChange } {
  const attempt = { job: 1, task, epoch: 1, n };
  const content = { map: {} } as AttemptFile['content'];
  const file: AttemptFile = { attempt, writer: life, content, writtenUs: 0, state: 'whole' };
  files.write(file);
  return { file, change: { attempt, digest: `content of ${task}`, holder: 'worker-1' } };
}

/** What is read from `start` by who hears these pieces one after the other. */
function read(start: Reading, pieces: readonly (readonly OutputChange[])[]): Reading {
  let known: LearnedOutputs | undefined;
  let reading = start;
  for (const piece of pieces) {
    const from = known?.length ?? 0;
    known = known ? lists.extend(known, piece) : lists.begin(piece);
    reading = reading.next(known, from, files).reading!;
  }
  return reading;
}

describe('a reading', () => {
  it('has the files of all maps that were heard of, in the order of the maps', () => {
    const maps = Array.from({ length: 600 }, (_, index) => made(599 - index));
    const reading = read(new Reading(), [maps.map(({ change }) => change)]);
    expect(reading.count).toBe(600);
    expect(reading.has(599) && !reading.has(600)).toBe(true);
    expect(reading.all()).toEqual(maps.map(({ file }) => file).reverse());
  });

  it('is the same one for all who have read the same, in whichever pieces they heard of it', () => {
    const changes = Array.from({ length: 10 }, (_, task) => made(task).change);
    const none = new Reading();
    const whole = read(none, [changes]);
    expect(read(none, [changes.slice(0, 3), changes.slice(3)])).toBe(whole);
    expect(read(none, [changes.slice(0, 8), changes.slice(8, 9), changes.slice(9)])).toBe(whole);
  });

  it('keeps what it has read of a map that is lost and made again later', () => {
    const first = made(0);
    const second = made(1);
    const again = made(0, 2);
    const { digest, attempt } = first.change;
    const gone = { attempt, digest };
    const early = read(new Reading(), [[first.change], [second.change], [gone, again.change]]);
    const late = read(new Reading(), [[first.change, second.change, gone, again.change]]);
    expect(early.all()).toEqual([first.file, second.file]);
    expect(late.all()).toEqual([again.file, second.file]);
  });

  it('is none when some file cannot be read, also for who comes after one that could', () => {
    const maps = [made(0), made(1)];
    const changes = maps.map(({ change }) => change);
    const known = lists.begin(changes);
    const none = new Reading();
    expect(none.next(known, 0, files)).toMatchObject({ servers: [life] });
    expect(none.next(known, 0, files).reading?.count).toBe(2);
    files.spoil(maps[1]!.file, 'lost');
    expect(none.next(known, 0, files).reading).toBeUndefined();
  });
});
