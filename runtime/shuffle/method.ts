/** `Shuffle.Fetch` of proto/, as gRPC wants it. */
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { rehearse_v1_Shuffle } from '../../proto/generated/codec.js';
import type { FetchChunk, FetchChunk__Output } from '../../proto/generated/rehearse/v1/FetchChunk.js';
import type { FetchRequest, FetchRequest__Output } from '../../proto/generated/rehearse/v1/FetchRequest.js';

/** Bytes of one chunk, before they are packed. */
export const chunkBytes = 256 * 1024;

export const shuffleService: ServiceDefinition = rehearse_v1_Shuffle;

/** Asked with a `FetchRequest`, answered with a stream of `FetchChunk`. */
export const fetchMethod = rehearse_v1_Shuffle.Fetch as unknown as MethodDefinition<
  FetchRequest,
  FetchChunk__Output
>;

export type Asked = FetchRequest__Output;
export type Given = FetchChunk;
