/**
 * Everything that scenarios can wait for or demand, by name. Decisions of the machines keep their names; the rest is
 * derived from events and effects (facts.ts) or told by the driver's world.
 */
import type { Decision } from '../../core/effects.js';
import type { Message } from '../../core/messages.js';

/** Named so that the compiler notices a decision that is missing here. */
const decisions: Readonly<Record<Decision, true>> = {
  'lease-expired': true,
  'leader-began': true,
  'leader-fenced': true,
  'leader-resigned': true,
  'append-retried': true,
  'snapshot-written': true,
  'snapshot-loaded': true,
  'store-went-back': true,
  'intent-dropped': true,
  'worker-joined': true,
  'worker-lease-expired': true,
  'worker-lost': true,
  'worker-rejoined': true,
  'worker-excluded': true,
  'worker-readmitted': true,
  'order-refused': true,
  'attempt-assigned': true,
  'attempt-adopted': true,
  'attempt-speculated': true,
  'attempt-revoked': true,
  'attempt-preempted': true,
  'attempt-timed-out': true,
  'attempt-failed': true,
  'task-committed': true,
  'task-invalidated': true,
  'late-report-accepted': true,
  'late-report-refused': true,
  'duplicate-report': true,
  'nondeterminism-seen': true,
  'input-reported-unreadable': true,
  'record-skipped': true,
  'job-accepted': true,
  'job-refused': true,
  'maps-done': true,
  'reduces-done': true,
  'job-publishing': true,
  'job-published': true,
  'job-failed': true,
  draining: true,
};

/** Derived from a step of a machine, the same way by both drivers. */
const derived = {
  /** A worker began to run the attempt. */
  started: true,
  /** The attempt's file is complete on its worker; nobody else knows yet. */
  finished: true,
  /** User code or data failed. */
  broke: true,
  /** A reduce could not read an input. */
  starved: true,
  /** The attempt's commit was seen durable, by whoever saw it first. */
  committed: true,
  invalidated: true,
  failed: true,
  /** A publisher was told that the output is in place, or that it never will be. */
  'output-published': true,
  'output-refused': true,
} as const;

/** Told by the driver's world, not by any machine. */
const told = {
  'node-crashed': true,
  'node-restarted': true,
  'node-paused': true,
  'node-resumed': true,
  'node-slowed': true,
  'files-lost': true,
  'files-corrupted': true,
  'session-dropped': true,
  'partition-began': true,
  'partition-healed': true,
  /** A fault other than a partition lies on a link from now on; `detail.by` names it. */
  'link-troubled': true,
  'link-relieved': true,
  'message-lost': true,
  'message-duplicated': true,
  'message-held': true,
  /** A message is not lost with its session: it comes later. */
  'message-straggled': true,
  'machine-blacked-out': true,
  'clock-jumped': true,
  'clock-drifted': true,
  'disk-filled': true,
  'disk-freed': true,
  /** Something could not be written, because the disk was full. */
  'write-refused': true,
  /** User code ate all memory, and its process is gone. */
  'memory-exhausted': true,
  'append-obscured': true,
  'store-slowed': true,
  /** A master cannot reach journal and lease, and can again. */
  'store-severed': true,
  'store-reached': true,
  'store-blurred': true,
  /** A node of the store died, and is back. */
  'store-halted': true,
  'store-restarted': true,
  /** The store has lost confirmed slots; nobody need have noticed. */
  'journal-lost-slots': true,
  'journal-trimmed': true,
  'sync-failed': true,
  'lease-taken-away': true,
  /** A publisher's move or link failed, because somebody else had moved first. */
  'publisher-late': true,
  /** A step named in `crashPoints` is about to be taken; `detail.point` names it. */
  'point-reached': true,
} as const;

export type FactName = Decision | keyof typeof derived | keyof typeof told;

const all: Readonly<Record<FactName, true>> = { ...decisions, ...derived, ...told };

export const factNames = Object.keys(all) as FactName[];

export function isFactName(name: string): name is FactName {
  return Object.hasOwn(all, name);
}

/**
 * Places in the code of both drivers at which a process can be stopped; a fault with `point` names one. In the order in
 * which a process comes past them.
 */
export const crashPoints = [
  'attempt.before_write',
  'attempt.after_write_before_report',
  'master.before_append',
  'journal.after_create',
  'journal.after_read',
  'journal.after_base_sync',
  'journal.after_header_sync',
  'journal.after_write',
  'journal.after_sync',
  'journal.before_trim',
  'journal.before_remove',
  'master.after_append_before_ack',
  'publish.before_links',
  'publish.between_links',
  'publish.after_links',
  'publish.before_success',
  'publish.before_sync',
  'publish.before_look',
  'publish.before_tomb',
  'publish.before_marker',
  'publish.before_private_rename',
  'publish.before_rename',
  'publish.after_rename',
  'publish.before_empty',
  'publish.before_void',
  'publish.before_restore_rename',
] as const;

export type CrashPoint = (typeof crashPoints)[number];

/** What nodes say to each other; a fault with `message` names one. */
const messages: Readonly<Record<Message['type'], true>> = {
  'worker.hello': true,
  'worker.beat': true,
  'attempt.completed': true,
  'attempt.ended': true,
  'input.unreadable': true,
  'master.welcome': true,
  'master.notLeading': true,
  'master.beat': true,
  'attempt.assign': true,
  'attempt.revoke': true,
  'attempt.answer': true,
  'outputs.changed': true,
  'job.ended': true,
  'job.submit': true,
  'drain.request': true,
  'job.status': true,
  'job.refused': true,
};

export type MessageType = Message['type'];
export const messageTypes = Object.keys(messages) as MessageType[];
