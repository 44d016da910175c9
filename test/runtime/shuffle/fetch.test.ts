import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SegmentReader } from '../../../runtime/data/segments/reader.js';
import { SegmentWriter } from '../../../runtime/data/segments/writer.js';
import { fetchSegment } from '../../../runtime/shuffle/fetch.js';
import { ShuffleServer } from '../../../runtime/shuffle/server.js';

const source = { job: 1, task: 0, epoch: 1, n: 1 };
const patience = { stallMs: 600, patienceMs: 1800, retryMs: 20 };

let folder: string;
let server: ShuffleServer;
const tidy: (() => void)[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rehearse-shuffle-'));
  server = new ShuffleServer(() => join(folder, 'held'));
  await server.listen(join(folder, 'holder.sock'));
});

afterEach(() => {
  for (const done of tidy.splice(0)) done();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The holder's file: partitions of so many records each, of about a hundred bytes. */
function hold(...records: number[]): void {
  holdIn('order', ...records);
}

function holdIn(order: 'order' | 'no order', ...records: number[]): void {
  const writer = new SegmentWriter(join(folder, 'held'), { partitions: records.length });
  if (order === 'no order') writer.leaveUnsorted();
  for (const count of records) {
    for (let index = 0; index < count; index++)
      writer.write(`${String(index).padStart(8, '0')}${'x'.repeat(90)}`, index);
    writer.endPartition();
  }
  writer.finish();
}

function fetched(
  partition: number,
  address = 'holder.sock',
  { signal = new AbortController().signal, lz4 = false } = {},
) {
  return fetchSegment({
    source,
    partition,
    address: join(folder, address),
    target: join(folder, 'copy'),
    signal,
    lz4,
    patience,
  });
}

function recordsOf(file: string, partition: number): unknown[] {
  const reader = new SegmentReader(join(folder, file));
  const records = [...reader.records(partition)];
  reader.close();
  return records;
}

/** A way to the holder on which something happens to every connection. */
async function through(
  meddle: (connection: number, bytes: number) => 'pass' | 'cut' | 'hold',
): Promise<void> {
  let connections = 0;
  const proxy: Server = createServer((near) => {
    const number = ++connections;
    const far = connect(join(folder, 'holder.sock'));
    let bytes = 0;
    for (const socket of [near, far]) socket.on('error', () => {});
    tidy.push(() => [near, far].map((socket) => socket.destroy()));
    near.on('close', () => far.destroy());
    near.pipe(far);
    far.on('data', (data) => {
      bytes += data.length;
      const verdict = meddle(number, bytes);
      if (verdict === 'pass') near.write(data);
      if (verdict === 'cut') near.destroy();
    });
  });
  tidy.push(() => proxy.close());
  await new Promise<void>((resolve) => proxy.listen(join(folder, 'proxy.sock'), resolve));
}

describe('a segment that is fetched', () => {
  it.each([0, 1, 2])('is what the holder has, partition %i', async (partition) => {
    hold(3, 0, 30_000);
    await fetched(partition);
    expect(recordsOf('copy', partition)).toEqual(recordsOf('held', partition));
  });

  it.each(['order', 'no order'] as const)('lies as it does with the holder, in %s', async (order) => {
    holdIn(order, 3, 3);
    await fetched(1);
    const reader = new SegmentReader(join(folder, 'copy'));
    expect(reader.sorted).toBe(order === 'order');
    reader.close();
  });

  it('goes on where a broken stream stopped', async () => {
    hold(30_000);
    const asked: number[] = [];
    await through((connection, bytes) => {
      asked[connection] = bytes;
      return connection < 3 && bytes > 1_000_000 ? 'cut' : 'pass';
    });
    await fetched(0, 'proxy.sock');
    expect(recordsOf('copy', 0)).toEqual(recordsOf('held', 0));
    expect(asked).toHaveLength(4);
    // The third has what was left, and not the whole.
    expect(asked[3]).toBeLessThan(2_000_000);
  });

  it('goes on when nothing comes for a while', async () => {
    hold(30_000);
    await through((connection, bytes) => (connection === 1 && bytes > 1_000_000 ? 'hold' : 'pass'));
    await fetched(0, 'proxy.sock');
    expect(recordsOf('copy', 0)).toEqual(recordsOf('held', 0));
  });

  it('is corrupt when its file is cut short', async () => {
    hold(1000);
    writeFileSync(join(folder, 'held'), readFileSync(join(folder, 'held')).subarray(0, 5000));
    await expect(fetched(0)).rejects.toMatchObject({ reason: 'corrupt', source });
  });

  it('is missing when the holder does not have it', async () => {
    await expect(fetched(0)).rejects.toMatchObject({ reason: 'missing', source });
  });

  it('is unreachable when nobody answers, or nobody is there', async () => {
    hold(1000);
    await through(() => 'hold');
    await expect(fetched(0, 'proxy.sock')).rejects.toMatchObject({ reason: 'unreachable', source });
    await expect(fetched(0, 'nobody.sock')).rejects.toMatchObject({ reason: 'unreachable', source });
  });

  it('comes packed where that is asked for, also after a broken stream', async () => {
    hold(30_000);
    const passed: number[] = [];
    await through((connection, bytes) => {
      passed[connection] = bytes;
      return connection === 1 && bytes > 100_000 ? 'cut' : 'pass';
    });
    await fetched(0, 'proxy.sock', { lz4: true });
    expect(recordsOf('copy', 0)).toEqual(recordsOf('held', 0));
    expect(passed).toHaveLength(3);
    const bytes = readFileSync(join(folder, 'held')).length;
    expect(passed[1]! + passed[2]!).toBeLessThan(bytes / 4);
  });

  it('comes as it is where packing makes it no smaller', async () => {
    const writer = new SegmentWriter(join(folder, 'held'), { partitions: 1 });
    writer.write('noise', randomBytes(400_000).toString('base64'));
    writer.endPartition();
    writer.finish();
    let passed = 0;
    await through((_, bytes) => {
      passed = bytes;
      return 'pass';
    });
    await fetched(0, 'proxy.sock', { lz4: true });
    expect(recordsOf('copy', 0)).toEqual(recordsOf('held', 0));
    expect(passed).toBeLessThan(readFileSync(join(folder, 'held')).length * 1.01);
  });

  it('is corrupt when a byte of it has changed, packed or not', async () => {
    hold(1000);
    const bytes = readFileSync(join(folder, 'held'));
    bytes[5000]! ^= 1;
    writeFileSync(join(folder, 'held'), bytes);
    for (const lz4 of [false, true])
      await expect(fetched(0, 'holder.sock', { lz4 })).rejects.toMatchObject({ reason: 'corrupt', source });
  });

  it('is not fetched at all when nobody wanted it before', async () => {
    hold(3);
    const signal = AbortSignal.abort(new Error('not wanted'));
    await expect(fetched(0, 'holder.sock', { signal })).rejects.toThrow('not wanted');
  });

  it('is not fetched any more when nobody wants it', async () => {
    hold(30_000);
    await through(() => 'hold');
    const abort = new AbortController();
    const fetching = fetched(0, 'proxy.sock', { signal: abort.signal });
    abort.abort(new Error('not wanted'));
    await expect(fetching).rejects.toThrow('not wanted');
  });
});
