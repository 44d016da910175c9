/**
 * A worker's end of the shuffle: hands out segments of the map outputs that lie with it, in chunks, no faster than they
 * are taken. It checks nothing but the index: whoever reads compares the checksum.
 */
import grpc, { type ServerWritableStream } from '@grpc/grpc-js';
import type { AttemptId } from '../../core/ids.js';
import { SegmentCorruptError, SegmentMissingError } from '../data/errors.js';
import { SegmentReader } from '../data/segments/reader.js';
import { channelOptions } from '../transport/channel-options.js';
import { ProtocolError } from '../transport/check.js';
import { attempt } from '../transport/codec-records.js';
import { checkSocketPath, removeStaleSocket } from '../transport/socket-path.js';
import { pack } from './lz4.js';
import { type Asked, chunkBytes, type Given, shuffleService } from './method.js';

type Call = ServerWritableStream<Asked, Given>;

export class ShuffleServer {
  readonly #server = new grpc.Server(channelOptions);
  readonly #fileOf: (attempt: AttemptId) => string;

  /** `fileOf` says where the output of a map attempt lies, if it is here. */
  constructor(fileOf: (attempt: AttemptId) => string) {
    this.#fileOf = fileOf;
    this.#server.addService(shuffleService, { Fetch: (call: Call) => void this.#fetch(call) });
  }

  /** Listens on a Unix socket, in a folder that exists and is private to the user. */
  async listen(socketPath: string): Promise<void> {
    checkSocketPath(socketPath);
    await removeStaleSocket(socketPath);
    await new Promise<void>((resolve, reject) => {
      this.#server.bindAsync(`unix:${socketPath}`, grpc.ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  /** Ends every stream, and stops listening. */
  close(): void {
    this.#server.forceShutdown();
  }

  async #fetch(call: Call): Promise<void> {
    let reader: SegmentReader | undefined;
    try {
      const id = attempt(call.request.attempt, 'attempt');
      reader = new SegmentReader(this.#fileOf(id));
      await send(call, reader);
      call.end();
    } catch (error) {
      call.emit('error', { code: codeOf(error), details: (error as Error).message });
    } finally {
      reader?.close();
    }
  }
}

async function send(call: Call, reader: SegmentReader): Promise<void> {
  const { partition, offset, lz4 } = call.request;
  if (partition >= reader.partitions) throw new ProtocolError('partition', 'is not in this output');
  const bytes = reader.bytesOf(partition);
  const head = {
    bytes,
    records: reader.recordsOf(partition),
    checksum: reader.checksumOf(partition),
    unsorted: !reader.sorted,
  };
  call.write({ head });
  for (let position = offset; position < bytes && !call.cancelled; ) {
    const data = reader.bytesAt(partition, position, chunkBytes);
    position += data.length;
    const chunk = lz4 ? await packed(data) : { data };
    if (!call.write(chunk)) await taken(call);
  }
}

/** As a block, unless that would be no smaller. */
async function packed(data: Buffer): Promise<Given> {
  const block = await pack(data);
  return block.length < data.length ? { data: block, lz4: true } : { data };
}

/** Resolves when more may be written, or nobody reads any more: whoever stopped before this is called is not heard again. */
async function taken(call: Call): Promise<void> {
  if (call.cancelled || call.destroyed) return;
  await new Promise<void>((resolve) => {
    const events = ['drain', 'cancelled', 'close', 'error'];
    const done = (): void => {
      for (const event of events) call.off(event, done);
      resolve();
    };
    for (const event of events) call.on(event, done);
  });
}

function codeOf(error: unknown): grpc.status {
  if (error instanceof SegmentMissingError) return grpc.status.NOT_FOUND;
  if (error instanceof SegmentCorruptError) return grpc.status.DATA_LOSS;
  if (error instanceof ProtocolError) return grpc.status.INVALID_ARGUMENT;
  return grpc.status.INTERNAL;
}
