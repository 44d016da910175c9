/**
 * The three machines behind one shape, for drivers and replays that treat them alike.
 */
import { type ClientState, initClient, stepClient } from './client/step.js';
import type { ClusterConfig } from './config.js';
import type { Deadlines } from './deadlines.js';
import type { Effect } from './effects.js';
import type { ClientEvent, MachineEvent, MasterEvent, WorkerEvent } from './events.js';
import type { NodeLife } from './ids.js';
import { checkMaster, checkWorker } from './invariants.js';
import type { MasterState } from './master/state.js';
import { initMaster, stepMaster } from './master/step.js';
import type { WorkerSetup, WorkerState } from './worker/state.js';
import { initWorker, stepWorker } from './worker/step.js';

export type Role = 'master' | 'worker' | 'client';

/** Everything a machine is started with: together with its events it determines all it will ever do. */
export type MachineSetup =
  | { readonly role: 'master' | 'client'; readonly config: ClusterConfig; readonly life: NodeLife }
  | ({ readonly role: 'worker'; readonly config: ClusterConfig } & WorkerSetup);

export interface Machine {
  readonly setup: MachineSetup;
  readonly state: MasterState | WorkerState | ClientState;
  readonly deadlines: Deadlines;
  step(event: MachineEvent, now: number): readonly Effect[];
  /** Throws `InvariantError` when the state breaks a rule. */
  check(): void;
}

export function startMachine(setup: MachineSetup): Machine {
  switch (setup.role) {
    case 'master': {
      const state = initMaster(setup.config, setup.life);
      return {
        setup,
        state,
        deadlines: state.deadlines,
        step: (event, now) => stepMaster(state, event as MasterEvent, now),
        check: () => checkMaster(state),
      };
    }
    case 'worker': {
      const state = initWorker(setup.config, setup);
      return {
        setup,
        state,
        deadlines: state.deadlines,
        step: (event, now) => stepWorker(state, event as WorkerEvent, now),
        check: () => checkWorker(state),
      };
    }
    case 'client': {
      const state = initClient(setup.config, setup.life);
      return {
        setup,
        state,
        deadlines: state.deadlines,
        step: (event, now) => stepClient(state, event as ClientEvent, now),
        check: () => {},
      };
    }
  }
}
