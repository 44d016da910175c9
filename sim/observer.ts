/**
 * What checkers may see of the world: every step, and every change of what outlives a process. Observers never change
 * anything. The world remembers; the machines are not asked what they believe.
 */
import type { Effect } from '../core/effects.js';
import type { MachineEvent } from '../core/events.js';
import type { AttemptId } from '../core/ids.js';
import type { JournalEntry } from '../core/records.js';
import type { AttemptFile } from './file-model.js';
import type { Frame } from './frames.js';
import type { Life } from './nodes.js';
import type { Directory } from './object-tree.js';
import type { PublishRequest } from './output-model.js';
import type { Fault } from './scenario/types.js';

/** Lent for the time of the call: the next step is told in the same object. */
export interface WorldStep {
  /** Counted from 1 over the whole world. */
  readonly index: number;
  readonly atUs: number;
  /** The time that the machine was told: its node's own. */
  readonly clockUs: number;
  readonly life: Life;
  /** As the world delivered it. */
  readonly event: MachineEvent;
  /** As the world will perform them. */
  readonly effects: readonly Effect[];
}

export interface Observer {
  /** A step of a master, of a worker, of a client: most observers have something to say to one kind of node only. */
  masterStepped?(step: WorldStep): void;
  workerStepped?(step: WorldStep): void;
  clientStepped?(step: WorldStep): void;
  /** Any step, after whoever asked for those of one kind. */
  stepped?(step: WorldStep): void;
  /** In the journal, but lost with its writer's crash until it is durable. */
  journalWritten?(entry: JournalEntry, writer: Life): void;
  journalDurable?(entry: JournalEntry, writer: Life): void;
  journalAcknowledged?(entry: JournalEntry, writer: Life): void;
  /** The store has lost confirmed entries: this is all it holds now, from slot 1 on. */
  journalWentBack?(history: readonly JournalEntry[]): void;
  attemptBegan?(life: Life, attempt: AttemptId): void;
  /** A reduce has read these map outputs, one per map in their order. */
  attemptRead?(life: Life, attempt: AttemptId, sources: readonly AttemptFile[]): void;
  fileWritten?(file: AttemptFile): void;
  /** `fault`: the scenario took it away; `order`: a machine asked for it. */
  fileGone?(file: AttemptFile, why: 'fault' | 'order'): void;
  /** Something was given to a link, whatever becomes of it there. */
  frameSent?(frame: Frame): void;
  /** A fault of the scenario has begun and changed something. */
  faultBegan?(fault: Fault): void;
  /** What stands at an output's path has changed. */
  outputChanged?(path: string, now: Directory | undefined, by: PublishRequest | undefined): void;
}

/** By what there is to hear, those who want to hear of it, in the order in which they came: nobody is asked in vain. */
export type Audience = {
  readonly [Hook in keyof Observer]-?: (Observer & Required<Pick<Observer, Hook>>)[];
};

export function newAudience(): Audience {
  return {
    masterStepped: [],
    workerStepped: [],
    clientStepped: [],
    stepped: [],
    journalWritten: [],
    journalDurable: [],
    journalAcknowledged: [],
    journalWentBack: [],
    attemptBegan: [],
    attemptRead: [],
    fileWritten: [],
    fileGone: [],
    frameSent: [],
    faultBegan: [],
    outputChanged: [],
  };
}

export function join(audience: Audience, observer: Observer): void {
  for (const hook of Object.keys(audience) as (keyof Observer)[]) {
    if (observer[hook]) (audience[hook] as Observer[]).push(observer);
  }
}
