/**
 * The package's entry `mapreduce-rehearsal/core`: the pure machines, for whoever wants to drive them.
 */
export { canonicalText, stateDigest } from './canonical.js';
export { type Chain, chainText, extendChain, newChain } from './chain.js';
export { type ClientState, initClient, stepClient } from './client/step.js';
export { type ClusterConfig, defaultClusterConfig } from './config.js';
export { type ArmedDeadline, armed, type Deadline, earliest } from './deadlines.js';
export type * from './effects.js';
export type * from './events.js';
export * from './ids.js';
export { InvariantError } from './invariant-error.js';
export { type Machine, type MachineSetup, type Role, startMachine } from './machine.js';
export type { MasterState } from './master/state.js';
export { initMaster, stepMaster } from './master/step.js';
export type * from './messages.js';
export type * from './records.js';
export { type Cause, type TraceHeader, type TraceLine, tracedStep, traceVersion } from './trace.js';
export type { WorkerState } from './worker/state.js';
export { initWorker, stepWorker } from './worker/step.js';
