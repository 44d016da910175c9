/**
 * The services of proto/, read from the .proto files when this module loads. The files stand at the same place relative
 * to this module in the sources and in dist/.
 */
import { join } from 'node:path';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';
import { installation } from '../installation.js';

const protoFolder = join(installation, 'proto');

/** The options are those with which scripts/generate.mjs makes the types. */
const definition = protoLoader.loadSync(
  ['rehearse/v1/cluster.proto', 'rehearse/v1/jobs.proto', 'grpc/health/v1/health.proto'],
  { longs: Number, enums: String, defaults: true, oneofs: true, includeDirs: [protoFolder] },
);

function service(name: string): ServiceDefinition {
  return definition[name] as ServiceDefinition;
}

/** `Session` of the service for this role, whose frames are plain objects of the generated types. */
export const sessionMethods: {
  readonly [R in 'worker' | 'client']: MethodDefinition<object, object>;
} = {
  worker: service('rehearse.v1.Cluster').Session as MethodDefinition<object, object>,
  client: service('rehearse.v1.Jobs').Session as MethodDefinition<object, object>,
};

export const healthService = service('grpc.health.v1.Health');

/** The names that a health check may ask for; the empty one is the server as a whole. */
export const servingNames: ReadonlySet<string> = new Set(['', 'rehearse.v1.Cluster', 'rehearse.v1.Jobs']);
