import { once } from 'node:events';
import { join } from 'node:path';
import grpc from '@grpc/grpc-js';
import { expect, it, onTestFinished, vi } from 'vitest';
import { SegmentReader } from '../../../runtime/data/segments/reader.js';
import { SegmentWriter } from '../../../runtime/data/segments/writer.js';
import { fetchSegment } from '../../../runtime/shuffle/fetch.js';
import { ShuffleServer } from '../../../runtime/shuffle/server.js';
import { temporaryDirectory } from '../data/temporary.js';

let packing: () => Promise<void> = async () => {};
vi.mock('../../../runtime/shuffle/lz4.js', async (original) => {
  const real = await original<typeof import('../../../runtime/shuffle/lz4.js')>();
  const pack = async (data: Buffer): Promise<Buffer> => {
    await packing();
    return await real.pack(data);
  };
  return { ...real, pack };
});

/** What the next server is asked, as it sees it. */
function nextCall(): Promise<grpc.ServerWritableStream<unknown, unknown>> {
  return new Promise((resolve) => {
    const add = grpc.Server.prototype.addService;
    const spy = vi.spyOn(grpc.Server.prototype, 'addService');
    onTestFinished(() => spy.mockRestore());
    spy.mockImplementation(function (this: grpc.Server, service, handlers) {
      const { Fetch: fetch } = handlers as { Fetch: grpc.handleServerStreamingCall<unknown, unknown> };
      add.call(this, service, {
        Fetch: (call: grpc.ServerWritableStream<unknown, unknown>) => {
          resolve(call);
          fetch(call);
        },
      });
    });
  });
}

it('A holder closes its file when nobody wants it any more while a chunk is packed', async () => {
  const folder = temporaryDirectory();
  const writer = new SegmentWriter(join(folder, 'held'), { partitions: 1 });
  for (let index = 0; index < 30_000; index++)
    writer.write(`${String(index).padStart(8, '0')}${'x'.repeat(90)}`, index);
  writer.endPartition();
  writer.finish();
  const call = nextCall();
  const server = new ShuffleServer(() => join(folder, 'held'));
  await server.listen(join(folder, 'holder.sock'));
  onTestFinished(() => server.close());
  const closed = new Promise<void>((resolve) => {
    const { close } = SegmentReader.prototype;
    const spy = vi.spyOn(SegmentReader.prototype, 'close').mockImplementation(function (this: SegmentReader) {
      close.call(this);
      resolve();
    });
    onTestFinished(() => spy.mockRestore());
  });
  const abort = new AbortController();
  packing = async () => {
    const cancelled = once(await call, 'cancelled');
    abort.abort(new Error('not wanted'));
    await cancelled;
  };
  const fetching = fetchSegment({
    source: { job: 1, task: 0, epoch: 1, n: 1 },
    partition: 0,
    address: join(folder, 'holder.sock'),
    target: join(folder, 'copy'),
    signal: abort.signal,
    lz4: true,
  });
  await expect(fetching).rejects.toThrow('not wanted');
  await closed;
});
