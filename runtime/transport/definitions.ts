/**
 * The services that a master offers, as gRPC wants them: what encodes and decodes their messages is made of the .proto
 * files when the project is built.
 */
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { grpc_health_v1_Health, rehearse_v1_Cluster, rehearse_v1_Jobs } from '../../proto/generated/codec.js';

/** `Session` of the service for this role, whose frames are plain objects of the generated types. */
export const sessionMethods: {
  readonly [R in 'worker' | 'client']: MethodDefinition<object, object>;
} = {
  worker: rehearse_v1_Cluster.Session as MethodDefinition<object, object>,
  client: rehearse_v1_Jobs.Session as MethodDefinition<object, object>,
};

export const healthService: ServiceDefinition = grpc_health_v1_Health;

/** The names that a health check may ask for; the empty one is the server as a whole. */
export const servingNames: ReadonlySet<string> = new Set(['', 'rehearse.v1.Cluster', 'rehearse.v1.Jobs']);
