/**
 * The three machines behind one shape, for drivers and replays that treat them alike.
 */
import { type ClientState, initClient, stepClient } from './client/step.js';
import type { ClusterConfig } from './config.js';
import type { Deadlines } from './deadlines.js';
import type { Effect, MasterEffect } from './effects.js';
import type { ClientEvent, MachineEvent, MasterEvent, WorkerEvent } from './events.js';
import type { NodeLife } from './ids.js';
import { checkMaster, checkWorker } from './invariants.js';
import type { MasterSetup, MasterState } from './master/state.js';
import { initMaster, stepMaster } from './master/step.js';
import { MasterCheck } from './step-invariants.js';
import type { WorkerSetup, WorkerState } from './worker/state.js';
import { initWorker, stepWorker } from './worker/step.js';

export type Role = 'master' | 'worker' | 'client';

/** Everything a machine is started with: together with its events it determines all it will ever do. */
export type MachineSetup =
  | ({ readonly role: 'master'; readonly config: ClusterConfig } & MasterSetup)
  | { readonly role: 'client'; readonly config: ClusterConfig; readonly life: NodeLife }
  | ({ readonly role: 'worker'; readonly config: ClusterConfig } & WorkerSetup);

export interface Machine {
  readonly setup: MachineSetup;
  readonly state: MasterState | WorkerState | ClientState;
  readonly deadlines: Deadlines;
  step(event: MachineEvent, now: number): readonly Effect[];
  /** Throws `InvariantError` when the state breaks a rule. Cost O(state). */
  check(): void;
  /** Like `check`, of what this step, the last one, can have changed; at the cost of the step. */
  checkStep(event: MachineEvent, effects: readonly Effect[]): void;
}

export function startMachine(setup: MachineSetup): Machine {
  switch (setup.role) {
    case 'master':
      return machineOf(setup, initMaster(setup.config, setup.life, setup.formerly));
    case 'worker':
      return machineOf(setup, initWorker(setup.config, setup));
    case 'client':
      return machineOf(setup, initClient(setup.config, setup.life));
  }
}

/** The machine that has this state, of the role that `setup` names: an explorer goes on from any state there has been. */
export function machineOf(setup: MachineSetup, state: Machine['state']): Machine {
  const { deadlines } = state;
  switch (setup.role) {
    case 'master': {
      const master = state as MasterState;
      const step = (event: MachineEvent, now: number) => stepMaster(master, event as MasterEvent, now);
      const check = new MasterCheck(master);
      return {
        setup,
        state,
        deadlines,
        step,
        check: () => checkMaster(master),
        checkStep: (event, effects) => check.after(event, effects as readonly MasterEffect[]),
      };
    }
    case 'worker': {
      const worker = state as WorkerState;
      const step = (event: MachineEvent, now: number) => stepWorker(worker, event as WorkerEvent, now);
      const check = () => checkWorker(worker);
      return { setup, state, deadlines, step, check, checkStep: check };
    }
    case 'client': {
      const client = state as ClientState;
      const step = (event: MachineEvent, now: number) => stepClient(client, event as ClientEvent, now);
      const check = () => {};
      return { setup, state, deadlines, step, check, checkStep: check };
    }
  }
}
