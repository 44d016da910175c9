/** `Shuffle.Fetch` of proto/, read from its file when the first worker needs it. */
import { join } from 'node:path';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';
import type { FetchChunk, FetchChunk__Output } from '../../proto/generated/rehearse/v1/FetchChunk.js';
import type { FetchRequest, FetchRequest__Output } from '../../proto/generated/rehearse/v1/FetchRequest.js';
import { installation } from '../installation.js';

let service: ServiceDefinition | undefined;

export function shuffleService(): ServiceDefinition {
  service ??= protoLoader.loadSync('rehearse/v1/shuffle.proto', {
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
    includeDirs: [join(installation, 'proto')],
  })['rehearse.v1.Shuffle'] as ServiceDefinition;
  return service;
}

/** Asked with a `FetchRequest`, answered with a stream of `FetchChunk`. */
export function fetchMethod(): MethodDefinition<FetchRequest, FetchChunk__Output> {
  return shuffleService().Fetch as unknown as MethodDefinition<FetchRequest, FetchChunk__Output>;
}

export type Asked = FetchRequest__Output;
export type Given = FetchChunk;
