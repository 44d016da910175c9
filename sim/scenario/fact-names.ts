/**
 * Everything that scenarios can wait for or demand, by name. Decisions of the machines keep their names; the rest is
 * derived from events and effects (facts.ts) or told by the driver's world.
 */
import type { Decision } from '../../core/effects.js';
import type { Message } from '../../core/messages.js';

/** What a fact is about at most: one attempt of a task, a job as a whole, or nodes alone. */
type About = 'attempt' | 'job' | 'node';

/** Named so that the compiler notices a decision that is missing here. */
const decisions: Readonly<Record<Decision, About>> = {
  'lease-expired': 'node',
  'leader-began': 'node',
  'leader-fenced': 'node',
  'leader-resigned': 'node',
  'append-retried': 'node',
  'snapshot-written': 'node',
  'snapshot-loaded': 'node',
  'store-went-back': 'node',
  'intent-dropped': 'node',
  'worker-joined': 'node',
  'worker-lease-expired': 'node',
  'worker-lost': 'node',
  'worker-rejoined': 'node',
  'worker-excluded': 'job',
  'worker-readmitted': 'job',
  'order-refused': 'node',
  'attempt-assigned': 'attempt',
  'attempt-adopted': 'attempt',
  'attempt-speculated': 'attempt',
  'attempt-revoked': 'attempt',
  'attempt-preempted': 'attempt',
  'attempt-timed-out': 'attempt',
  'attempt-failed': 'attempt',
  'task-committed': 'attempt',
  'task-invalidated': 'attempt',
  'late-report-accepted': 'attempt',
  'late-report-refused': 'attempt',
  'duplicate-report': 'attempt',
  'nondeterminism-seen': 'attempt',
  'input-reported-unreadable': 'attempt',
  'record-skipped': 'attempt',
  'job-accepted': 'job',
  'job-refused': 'node',
  'maps-done': 'job',
  'reduces-done': 'job',
  'job-publishing': 'job',
  'job-published': 'job',
  'job-failed': 'job',
  draining: 'node',
};

/** Derived from a step of a machine, the same way by both drivers. */
const derived = {
  /** A worker began to run the attempt. */
  started: 'attempt',
  /** The attempt's file is complete on its worker; nobody else knows yet. */
  finished: 'attempt',
  /** User code or data failed. */
  broke: 'attempt',
  /** A reduce could not read an input. */
  starved: 'attempt',
  /** The attempt's commit was seen durable, by whoever saw it first. */
  committed: 'attempt',
  invalidated: 'attempt',
  failed: 'attempt',
  /** A publisher was told that the output is in place, or that it never will be. */
  'output-published': 'job',
  'output-refused': 'job',
} as const satisfies Readonly<Record<string, About>>;

/** Told by the driver's world, not by any machine. */
const told = {
  'node-crashed': 'node',
  'node-restarted': 'node',
  'node-paused': 'node',
  'node-resumed': 'node',
  'node-slowed': 'node',
  'files-lost': 'attempt',
  'files-corrupted': 'attempt',
  'session-dropped': 'node',
  'partition-began': 'node',
  'partition-healed': 'node',
  /** A fault other than a partition lies on a link from now on; `detail.by` names it. */
  'link-troubled': 'node',
  'link-relieved': 'node',
  'message-lost': 'node',
  'message-duplicated': 'node',
  'message-held': 'node',
  /** A message is not lost with its session: it comes later. */
  'message-straggled': 'node',
  'machine-blacked-out': 'node',
  'clock-jumped': 'node',
  'clock-drifted': 'node',
  'disk-filled': 'node',
  'disk-freed': 'node',
  /** Something could not be written, because the disk was full. */
  'write-refused': 'node',
  /** User code ate all memory, and its process is gone. */
  'memory-exhausted': 'attempt',
  'append-obscured': 'node',
  'store-slowed': 'node',
  /** A master cannot reach journal and lease, and can again. */
  'store-severed': 'node',
  'store-reached': 'node',
  'store-blurred': 'node',
  /** A node of the store died, and is back. */
  'store-halted': 'node',
  'store-restarted': 'node',
  /** The store has lost confirmed slots; nobody need have noticed. */
  'journal-lost-slots': 'node',
  'journal-trimmed': 'node',
  'sync-failed': 'node',
  'lease-taken-away': 'node',
  /** A publisher's move or link failed, because somebody else had moved first. */
  'publisher-late': 'job',
  /** A step named in `crashPoints` is about to be taken; `detail.point` names it. */
  'point-reached': 'attempt',
} as const satisfies Readonly<Record<string, About>>;

export type FactName = Decision | keyof typeof derived | keyof typeof told;

export const factAbout: Readonly<Record<FactName, About>> = { ...decisions, ...derived, ...told };

/** No machine has taken a step for it. */
export function isOfTheWorld(name: FactName): boolean {
  return Object.hasOwn(told, name);
}

export const factNames = Object.keys(factAbout) as FactName[];

export function isFactName(name: string): name is FactName {
  return Object.hasOwn(factAbout, name);
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
