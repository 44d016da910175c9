import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SourceError } from '../../../runtime/data/errors.js';
import { closeOutputs } from '../../../runtime/data/lasting-outputs.js';
import { OpenRun, type Run } from '../../../runtime/data/runs.js';
import { SegmentWriter } from '../../../runtime/data/segments/writer.js';
import { temporaryDirectory } from './temporary.js';

const system = vi.hoisted(() => ({ openFilesMax: 20_000 }));
vi.mock('../../../runtime/open-files.js', () => ({ openFilesMax: () => system.openFilesMax }));

const partitions = 2;

/** An output with one record in each partition: its number, and that of the partition. */
function writeOutput(directory: string, task: number, partitionsHere = partitions): Run {
  const path = join(directory, `map-${task}`);
  const writer = new SegmentWriter(path, { partitions: partitionsHere });
  for (let partition = 0; partition < partitionsHere; partition++) {
    writer.write(`of map ${task}`, partition);
    writer.endPartition();
  }
  writer.finish();
  return { path, task, lasting: true };
}

function read(run: Run, partition: number): unknown[] {
  const open = new OpenRun(run);
  try {
    return [...open.decoded(partition, {})];
  } finally {
    open.close();
  }
}

/** How many descriptors of this process lead into a directory. */
function openIn(directory: string): number {
  return readdirSync('/proc/self/fd').filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`).startsWith(`${directory}/`);
    } catch {
      return false; // the one by which the list was read
    }
  }).length;
}

afterEach(() => {
  closeOutputs();
  system.openFilesMax = 20_000;
});

describe('outputs that several reduces read', () => {
  it('are opened once', () => {
    const directory = temporaryDirectory();
    const run = writeOutput(directory, 7);
    expect(read(run, 0)).toEqual([['of map 7', 0]]);
    expect(openIn(directory)).toBe(1);
    expect(read(run, 1)).toEqual([['of map 7', 1]]);
    expect(openIn(directory)).toBe(1);
  });

  it('are opened each time when they are for one reduce', () => {
    const directory = temporaryDirectory();
    const { lasting: _, ...run } = writeOutput(directory, 7);
    read(run, 0);
    expect(openIn(directory)).toBe(0);
  });

  it('are lost when they are removed, and are what lies there then', () => {
    const directory = temporaryDirectory();
    const run = writeOutput(directory, 7);
    read(run, 0);
    rmSync(run.path);
    expect(() => read(run, 1)).toThrow(SourceError);
    expect(openIn(directory)).toBe(0);
    writeOutput(directory, 7);
    expect(read(run, 1)).toEqual([['of map 7', 1]]);
  });

  it('are checked each time that they are read', () => {
    const run = writeOutput(temporaryDirectory(), 7);
    read(run, 0);
    const bytes = readFileSync(run.path);
    bytes[bytes.indexOf('of map 7', bytes.indexOf('of map 7') + 1)]! ^= 1;
    writeFileSync(run.path, bytes);
    expect(() => read(run, 1)).toThrow(SourceError);
    expect(read(run, 0)).toEqual([['of map 7', 0]]);
  });

  it('are checked as a whole when they were written to', () => {
    const run = writeOutput(temporaryDirectory(), 7);
    read(run, 0);
    const bytes = readFileSync(run.path);
    bytes[bytes.length - 1]! ^= 1; // of what is read only when the file is opened
    writeFileSync(run.path, bytes);
    utimesSync(run.path, new Date(), new Date(Date.now() + 1000));
    expect(() => read(run, 1)).toThrow(SourceError);
  });

  it('may be read by two at once, and are closed when no reduce reads them any more', () => {
    const directory = temporaryDirectory();
    const run = writeOutput(directory, 7);
    const [first, second] = [new OpenRun(run), new OpenRun(run)];
    first.close();
    second.close();
    expect(openIn(directory)).toBe(1);
    closeOutputs();
    expect(openIn(directory)).toBe(0);
  });

  it('do not take all descriptors, nor memory for long indexes', () => {
    const directory = temporaryDirectory();
    const runs = Array.from({ length: 200 }, (_, task) => writeOutput(directory, task));
    for (const run of runs) read(run, 0);
    expect(openIn(directory)).toBe(128);
    closeOutputs();
    read(writeOutput(directory, 200, 2000), 0);
    expect(openIn(directory)).toBe(0);
  });

  it('leave half of the descriptors to everybody else', () => {
    const directory = temporaryDirectory();
    const runs = Array.from({ length: 20 }, (_, task) => writeOutput(directory, task));
    const next = openSync(directory, 'r');
    closeSync(next);
    system.openFilesMax = 2 * (next + 10);
    for (const partition of [0, 1]) for (const run of runs) read(run, partition);
    expect(openIn(directory)).toBe(10);
  });
});
