/**
 * A master of a local run, with the file store: the same for a master in the command's own process and in a child.
 */
import type { ClusterConfig } from '../../core/config.js';
import type { DecisionFacts, Effect } from '../../core/effects.js';
import type { MachineEvent } from '../../core/events.js';
import type { NodeId, NodeLife } from '../../core/ids.js';
import type { EpochPlace } from '../../core/master/state.js';
import type { JournalRecord } from '../../core/records.js';
import type { CrashPoints } from '../node/crash-points.js';
import { type RunLayout, tracePath } from '../node/layout.js';
import { MasterNode, type PublishTrouble } from '../node/master-node.js';
import { FileFiles } from '../store/file-files.js';
import { FileJournal } from '../store/file-journal.js';
import { FileLease } from '../store/file-lease.js';

export interface OpenMasterOptions {
  readonly config: ClusterConfig;
  readonly life: NodeLife;
  readonly formerly?: EpochPlace;
  readonly layout: RunLayout;
  readonly addresses: readonly (readonly [NodeId, string])[];
  /** Whoever talks to it is in this process. */
  readonly alone?: boolean;
  readonly points: CrashPoints;
  failed(error: Error): void;
  /** The disk takes no more of the trace: the master goes on without. */
  untraced(error: Error): void;
  /** The store has lost what it had acknowledged. */
  wentBack(facts: DecisionFacts): void;
  unpublished(trouble: PublishTrouble): void;
  stepped?(event: MachineEvent, effects: readonly Effect[]): void;
}

export async function openMaster(options: OpenMasterOptions): Promise<MasterNode> {
  const { config, life, layout, points } = options;
  const socketPath = new Map(options.addresses).get(life.node)!;
  return new MasterNode({
    config,
    life,
    ...(options.formerly ? { formerly: options.formerly } : {}),
    socketPath: options.alone ? undefined : socketPath,
    tracePath: tracePath(layout, life.node, life.incarnation),
    journal: await FileJournal.open<JournalRecord>(layout.journal, { step: (name) => points.reach(name) }),
    lease: new FileLease({
      directory: layout.lease,
      node: life.node,
      incarnation: life.incarnation,
      socketPath: `${socketPath}.life`,
    }),
    files: await FileFiles.open(layout.files),
    points,
    failed: options.failed,
    untraced: options.untraced,
    wentBack: options.wentBack,
    unpublished: options.unpublished,
    ...(options.stepped ? { stepped: options.stepped } : {}),
  });
}
