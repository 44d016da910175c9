/**
 * Fetches one segment from the worker that holds it into a file of its own, chunk by chunk. A stream that breaks, or
 * that nothing comes from for a while, is opened again where it stopped; a holder from which nothing comes for
 * `patienceMs` is unreachable. What came is compared with the checksum of the holder's index.
 */
import { crc32 } from 'node:zlib';
import grpc from '@grpc/grpc-js';
import type { AttemptId } from '../../core/ids.js';
import type { FetchChunk__Output } from '../../proto/generated/rehearse/v1/FetchChunk.js';
import type { SegmentHead__Output } from '../../proto/generated/rehearse/v1/SegmentHead.js';
import { type SegmentWriter, writeSegmentsAsync } from '../data/segments/writer.js';
import { Channel } from '../transport/channel.js';
import { FetchError } from './fetch-error.js';
import { unpack } from './lz4.js';
import { chunkBytes, fetchMethod } from './method.js';

export interface Patience {
  /** A stream from which nothing came for so long is given up, and opened again. */
  readonly stallMs: number;
  /** So long without a byte is too long. */
  readonly patienceMs: number;
  /** Pause before a stream is opened again. */
  readonly retryMs: number;
}

export const defaultPatience: Patience = { stallMs: 2000, patienceMs: 5000, retryMs: 200 };

export interface FetchOptions {
  readonly source: AttemptId;
  readonly partition: number;
  /** Socket of the holder. */
  readonly address: string;
  /** The file to be made: the partition under its number, and nothing in those before it. */
  readonly target: string;
  readonly signal: AbortSignal;
  /** The holder may send LZ4 blocks. */
  readonly lz4?: boolean;
  readonly patience?: Patience;
  readonly onBytes?: (bytes: number) => void;
}

/** Throws FetchError, DiskError, and the signal's reason. */
export async function fetchSegment(options: FetchOptions): Promise<void> {
  const { partition, target } = options;
  await writeSegmentsAsync(target, { partitions: partition + 1 }, (writer) => receive(options, writer));
}

/** Writes the partition, from as many streams as it takes. */
async function receive(options: FetchOptions, writer: SegmentWriter): Promise<void> {
  const { source, partition, signal, patience = defaultPatience } = options;
  writer.skipTo(partition);
  const state: Received = {
    bytes: 0,
    checksum: 0,
    head: undefined,
    lastMs: performance.now(),
    failure: '',
  };
  while (!(await stream(options, patience, writer, state))) {
    signal.throwIfAborted();
    if (performance.now() - state.lastMs > patience.patienceMs)
      throw new FetchError(source, 'unreachable', `its holder does not answer: ${state.failure}`);
    await new Promise((resolve) => setTimeout(resolve, patience.retryMs));
  }
  if (state.checksum !== state.head!.checksum || state.bytes !== state.head!.bytes)
    throw new FetchError(source, 'corrupt', 'the checksum of a segment is wrong');
  writer.addRecords(state.head!.records);
  if (state.head!.unsorted) writer.leaveUnsorted();
  writer.endPartition();
}

interface Received {
  bytes: number;
  checksum: number;
  head: SegmentHead__Output | undefined;
  /** When the last byte came; for who has none, when it all began. */
  lastMs: number;
  /** How the last stream ended. */
  failure: string;
}

/** One stream. True when the segment is complete, false when the rest has to be asked for again. */
async function stream(
  { source, partition, address, signal, lz4 = false, onBytes }: FetchOptions,
  { stallMs }: Patience,
  writer: SegmentWriter,
  received: Received,
): Promise<boolean> {
  if (signal.aborted) return false; // before or between streams: who listens only now is not told
  const channel = new Channel(address);
  const { path, requestSerialize, responseDeserialize } = fetchMethod;
  const request = { attempt: source, partition, offset: received.bytes, lz4 };
  const call = channel.client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
  let timer: NodeJS.Timeout | undefined;
  let stop = (): void => {};
  try {
    return await new Promise<boolean>((resolve, reject) => {
      const giveUp = (why: string): void => {
        received.failure = why;
        resolve(false);
      };
      const awaitMore = (): void => {
        clearTimeout(timer);
        timer = setTimeout(giveUp, stallMs, 'nothing came');
      };
      stop = () => giveUp('aborted');
      signal.addEventListener('abort', stop);
      call.on('data', (chunk: FetchChunk__Output) => {
        awaitMore();
        try {
          const bytes = take(source, chunk, writer, received);
          onBytes?.(bytes);
        } catch (error) {
          reject(error);
        }
      });
      call.on('error', (error: grpc.ServiceError) => {
        if (error.code === grpc.status.NOT_FOUND) reject(new FetchError(source, 'missing', error.details));
        else if (error.code === grpc.status.DATA_LOSS)
          reject(new FetchError(source, 'corrupt', error.details));
        else giveUp(error.details);
      });
      call.on('end', () => resolve(received.bytes === received.head?.bytes));
      awaitMore();
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    // What still comes through this stream will come again through the next.
    call.removeAllListeners('data');
    call.on('error', () => {});
    call.cancel();
    channel.close();
  }
}

/** How many bytes of the segment came. */
function take(
  source: AttemptId,
  { head, data, lz4 }: FetchChunk__Output,
  writer: SegmentWriter,
  received: Received,
): number {
  received.head ??= head ?? undefined;
  if (data.length === 0) return 0;
  received.lastMs = performance.now();
  const bytes = lz4 ? unpack(data, chunkBytes) : data;
  if (bytes === undefined) throw new FetchError(source, 'corrupt', 'a chunk cannot be unpacked');
  received.checksum = crc32(bytes, received.checksum);
  received.bytes += bytes.length;
  writer.writeEncoded(bytes, 0);
  return bytes.length;
}
