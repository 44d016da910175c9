/**
 * The form of a scenario file, version 1: what may stand where. What the texts inside mean (durations, triggers,
 * targets) is read by read.ts.
 */
import { z } from 'zod';
import {
  durationPattern,
  durationRangePattern,
  isTooLong,
  momentPattern,
  timeOfDayPattern,
} from './duration.js';
import { messageTypes } from './fact-names.js';
import { filesPattern, ratePattern, sizePattern, slownessPattern } from './size.js';

/** What a text of a certain form is called, and how it is written. */
interface TextForm {
  readonly pattern: RegExp;
  readonly like: string;
}

const textForms = {
  'a duration': { pattern: durationPattern, like: '500ms, 10s or 2m' },
  'a duration or a range': { pattern: durationRangePattern, like: '500ms or 200ms..2s' },
  'a moment': { pattern: momentPattern, like: '3s, or 12:04 in a scenario that says when it starts' },
  'a time of day': { pattern: timeOfDayPattern, like: '12:00 or 12:00:30' },
  'a size': { pattern: sizePattern, like: '64MB' },
  'a rate': { pattern: ratePattern, like: '50MB/s' },
  'one file or many of one size': { pattern: filesPattern, like: '1GB or 100 x 100MB' },
  'a factor or a range': { pattern: slownessPattern, like: '5 or 2..10' },
} as const satisfies Readonly<Record<string, TextForm>>;

/** By the message of an issue, which is the name of the form. */
export const textFormsByName: ReadonlyMap<string, TextForm> = new Map(Object.entries(textForms));

/** The message of an issue with a time that no clock can count. */
export const tooLong = 'too long';

function text(form: keyof typeof textForms) {
  return z
    .string({ error: form })
    .regex(textForms[form].pattern, { error: form })
    .refine((written) => !isTooLong(written), { error: tooLong });
}

const duration = text('a duration').describe('A duration with its unit: 200ms, 3s, 1.5m');
const durationRange = text('a duration or a range').describe(
  'A duration, or a range from which each attempt draws: 200ms..900ms',
);
const count = z.int().min(1);
const taskCounts = z.record(z.string(), z.int().min(0)).describe('By task: map-0: 1');
const onOff = z.union([z.boolean(), z.enum(['on', 'off'])]);
const trigger = z
  .string()
  .describe(
    'A fact: "map-0@2 started" (the second ever given out), "job publishing", "leader began", "worker-lost"',
  );
const node = z
  .string()
  .describe('A node (worker-1) or a role: leader, its worker, it, any worker, any standby, any master');
const link = z
  .tuple([node, node])
  .describe('Every link from the first to the second: nodes, roles, or all workers, masters, clients, nodes');
const misbehaviour = z.enum(['throws', 'hangs', 'differs', 'scatters', 'exhausts', 'exits']);
const files = z.string().describe('its output, map-0@1, or outputs of worker-1');

const masters = z.string().describe('Whose way to the store: leader, master-2, any standby, all masters');

const cluster = z.strictObject({
  masters: z.int().min(1).max(9).optional().describe('One leads, the others stand by. Default 1'),
  workers: z.int().min(1).max(10_000).optional().describe('Default 2'),
  slots: count.optional().describe('Attempts that one worker runs at a time. Default 1'),
  mapOutputs: z.enum(['shared', 'worker']).optional().describe('Where map outputs lie. Default shared'),
  clockOffset: durationRange.optional().describe("What a node's clock shows at the start. Default 0s"),
  clockDrift: z
    .number()
    .min(0)
    .max(50)
    .optional()
    .describe('By how many percent clocks run fast or slow at most. Default 0'),
  latency: durationRange.optional().describe('One way, per message. Default 200us..2ms'),
  stores: z.int().min(1).max(9).optional().describe('Nodes of the store; a majority is enough. Default 1'),
  snapshotSlots: count.optional().describe('Slots between two snapshots of the journal. Default 1000'),
});

const rate = text('a rate');
const cost = z.strictObject({
  inputs: z
    .array(text('one file or many of one size'))
    .min(1)
    .describe('Files by size: 1GB, or so many of one size: 100 x 100MB. The number of maps follows'),
  split: text('a size').optional().describe('What a map reads at most. Default 64MB'),
  startup: durationRange.optional().describe('Before an attempt does anything. Default 1s'),
  scan: rate.optional().describe('At which a map reads. Default 50MB/s'),
  write: rate.optional().describe('At which an attempt writes. Default 50MB/s'),
  network: rate.optional().describe('At which a reduce copies what maps have written. Default 50MB/s'),
  intermediate: z.number().positive().optional().describe('Bytes out of maps for each byte in. Default 1'),
  output: z.number().positive().optional().describe('Bytes out of reduces for each byte in. Default 1'),
  stragglers: z
    .strictObject({
      percent: z.number().min(0).max(100),
      by: text('a factor or a range').describe('Times slower, drawn per worker: 2..10'),
    })
    .optional()
    .describe('So many percent of the workers are slow in all they do. Default none'),
});

const job = z.strictObject({
  at: text('a moment')
    .optional()
    .describe('When it is submitted, whatever the others do. Default: when the job before it has ended'),
  run: z
    .string()
    .optional()
    .describe(
      'A built-in job of one stage, or a file of your own, as seen from here: ../job.ts. Default: modelled work',
    ),
  parameters: z.record(z.string(), z.string()).optional().describe('As with --param: pattern: a.*b'),
  input: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe('Text of the input, or texts of its files. Default: a few words for each map'),
  maps: count.max(1_000_000).optional().describe('Default 2'),
  reduces: count.max(1_000_000).optional().describe('Default 1'),
  mapTime: durationRange.optional().describe('Default 200ms..900ms'),
  reduceTime: durationRange.optional().describe('Default 200ms..900ms'),
  times: z
    .record(z.string(), durationRange)
    .optional()
    .describe(
      'Of single tasks, or of attempts as given out, instead of those of their kind: map-0: 3s, map-1@2: 1s..2s',
    ),
  cost: cost.optional().describe('Attempts take what their bytes cost; instead of times, input and maps'),
  output: z.string().min(1).optional().describe('Default out'),
  overwrite: z.boolean().optional(),
  misbehave: z
    .record(z.string(), misbehaviour)
    .optional()
    .describe(
      'User code that does not do what it should, by task, or by attempt as given out: map-0@1: throws',
    ),
  poison: z
    .strictObject({
      lines: z.array(z.string()).optional().describe('Lines at which map throws'),
      keys: z.array(z.string()).optional().describe('Keys at which reduce throws'),
    })
    .optional()
    .describe('What user code cannot stand, in any attempt'),
});

const policy = z.strictObject({
  lease: duration.optional().describe('A silent worker loses its attempts after this. Default 10s'),
  masterLease: duration.optional().describe('Default 3s'),
  beat: duration.optional().describe('Default 1s, or a quarter of the lease if that is less'),
  suspect: duration
    .optional()
    .describe('Silence after which a node tries another master. Default three beats'),
  reconnect: duration.optional().describe('Time to come back after a broken session. Default one beat'),
  sharing: z
    .enum(['fair', 'fifo'])
    .optional()
    .describe(
      'Of jobs at once the one with the fewest attempts gets the next slot, or the oldest. Default fair',
    ),
  lateReports: z.enum(['first-commit', 'owner-only']).optional(),
  maxAttempts: count.optional().describe('Counted failures of a task that fail the job. Default 4'),
  taskTimeout: duration.optional().describe('Without progress for so long an attempt is ended. Default 600s'),
  speculation: onOff.optional().describe('Default off'),
  skipBadRecords: onOff.optional().describe('Two failures at one record skip it. Default off'),
  slowstart: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('Reduces may begin once this part of the maps is committed. Default 1'),
  exclusion: duration
    .optional()
    .describe(
      'How long a worker that failed three tasks is excluded from a job, the first time. Default 30s',
    ),
  exclusionMax: duration.optional().describe('And at most. Default 10m'),
  speculationAge: duration.optional().describe('No copy of a younger attempt is made. Default 5s'),
});

const fault = z.strictObject({
  at: text('a moment')
    .optional()
    .describe('Time since the start: 3s; or, in a scenario that says when it starts, a time of day: 12:04'),
  when: trigger.optional(),
  point: z.string().optional().describe('A crash point: publish.before_rename'),
  after: trigger.optional().describe('The trigger counts only once this has happened'),
  on: node.optional().describe('Who must be at the point'),
  job: z.int().min(1).optional().describe('Which job the point must be about'),
  task: z
    .string()
    .optional()
    .describe('Which task, or which of its attempts as given out, the point must be about: map-0@1'),
  until: trigger.optional(),
  for: duration.optional(),
  crash: node.optional(),
  restartAfter: duration.optional(),
  restart: node.optional(),
  pause: node.optional(),
  slow: node.optional(),
  by: z.number().positive().max(1000).optional().describe('Times slower; for drift, times faster'),
  blackout: node.optional().describe('The machine loses power, and what it has not synced'),
  torn: z.boolean().optional().describe('What was not synced is half there instead of gone'),
  jump: node.optional().describe("The node's clock leaps ahead"),
  ahead: duration.optional(),
  drift: node.optional().describe("The node's clock runs faster or slower"),
  lose: files.optional(),
  corrupt: files.optional(),
  drop: node.optional().describe('Break all sessions of the node'),
  fill: node.optional().describe("The worker's disk is full"),
  flap: node.optional().describe('Break all sessions of the node again and again'),
  every: duration.optional(),
  partition: link.optional().describe('What is said waits until the partition heals'),
  delay: link.optional().describe('What is said takes longer'),
  reorder: link.optional().describe('What a broken session had under way comes later'),
  extra: durationRange.optional().describe('How much later, drawn for each message'),
  loss: link.optional().describe('A message is lost, and its session with it'),
  duplicate: link.optional().describe('A message comes twice in a row'),
  happen: z.int().min(0).max(100).optional().describe('Of blurred appends, how many percent. Default 50'),
  percent: z.int().min(1).max(100).optional().describe('Of the messages, drawn for each. Default 100'),
  hold: link
    .optional()
    .describe('The next message, and what comes after it in its session, waits for the end'),
  message: z.enum(messageTypes).optional().describe('Only a message of this type is held'),
  clog: link.optional().describe('Messages pass one at a time'),
  gap: duration.optional().describe('Between two messages'),
  oneWay: z.boolean().optional().describe('Only what goes from the first to the second is hit'),
  misbehave: z.string().optional().describe('its attempt, or map-0@1: its user code goes wrong from now on'),
  how: misbehaviour.optional(),
  lag: masters.optional().describe('Journal and lease take longer, for these masters'),
  sever: masters.optional().describe('These masters cannot reach journal and lease'),
  blur: masters.optional().describe('What became of an append, nobody can say'),
  halt: z.string().optional().describe('Nodes of the store die: store-2, or all stores'),
  rewind: z.literal('journal').optional().describe('The journal is restored from an older copy'),
  forget: z.literal('journal').optional().describe('The last confirmed slots are lost in a failover'),
  slots: count.optional().describe('How many slots are lost; at most, when they are forgotten'),
  failSync: node.optional().describe("The master's next sync of the journal fails, which ends its process"),
  obscure: node.optional().describe("The answer to the node's next append is lost"),
  expire: z.literal('lease').optional().describe('Who leads loses the lease and does not know'),
  drain: z
    .literal('run')
    .optional()
    .describe('The user asks that what runs is finished, and nothing more begun'),
});

const outcome = z
  .enum(['succeeded', 'failed', 'refused', 'drained', 'any'])
  .describe(
    'drained: stopped by a drain before its end. any: only the invariants judge, as in what the fuzzer draws',
  );

const heal = z.strictObject({
  at: duration,
  nodes: z.array(z.string()).min(2).describe('By name: at least one master and one worker'),
});

const expect = z.strictObject({
  job: outcome.optional(),
  jobs: z.array(outcome).optional(),
  reason: z.string().optional().describe('Why the failed job failed: nondeterministic, task-failed, …'),
  output: z.enum(['same-as-sequential', 'some-sequential', 'any']).optional(),
  commits: taskCounts.optional(),
  attempts: taskCounts.optional(),
  exercised: z.array(z.string()).optional(),
  not: z.array(z.string()).optional(),
  within: duration.optional(),
});

const bound = z.int().min(0).max(15).optional();
const explore = z.strictObject({
  crashes: bound.describe('A master or worker ends as by kill -9'),
  losses: bound.describe('A session breaks with what is under way'),
  duplicates: bound.describe('A message is delivered twice'),
  timeouts: bound.describe('A deadline comes while something else is still under way'),
  unknowns: bound.describe('An append is answered as unknown'),
  failures: bound.describe('User code fails'),
  expiries: bound.describe('The lease is given to somebody else'),
});

export const scenarioSchema = z.strictObject({
  name: z.string().min(1),
  about: z.string().optional(),
  seed: z.union([z.int(), z.string()]).optional(),
  starts: text('a time of day')
    .optional()
    .describe(
      'Time of day at which the story begins, 12:00 or 12:00:30; the time line is told in such times',
    ),
  cluster: cluster.optional(),
  job: job.optional(),
  jobs: z.array(job).min(1).optional().describe('One after another, or each at its time'),
  policy: policy.optional(),
  faults: z.array(fault).optional(),
  heal: heal
    .optional()
    .describe(
      'From then on these nodes and all clients are healthy and reach each other; the rest stays as it is',
    ),
  explore: explore
    .optional()
    .describe('For `rehearse explore`: how often each may happen in a run. Default: as the faults say'),
  expect,
  vary: z
    .record(z.string(), z.array(z.string()).min(1))
    .optional()
    .describe('One variant of the scenario per value: {name} in any text stands for it'),
});

export type RawScenario = z.infer<typeof scenarioSchema>;
export type RawJob = z.infer<typeof job>;
export type RawCost = z.infer<typeof cost>;
export type RawFault = z.infer<typeof fault>;

/** `{name}`, for which `vary` has values. */
const placeholder = '\\{[^{}]+\\}';

/** JSON Schema of `scenario.v1`, for editors. They see files before placeholders are filled in: any text may hold one. */
export function scenarioJsonSchema(): object {
  const schema = z.toJSONSchema(scenarioSchema, {
    io: 'input',
    override({ jsonSchema }) {
      const { pattern, enum: values } = jsonSchema;
      // It is called for an optional field and for what is in it.
      if (pattern !== undefined && !pattern.endsWith(placeholder)) {
        jsonSchema.pattern = `(?:${pattern})|${placeholder}`;
      }
      if (values === undefined) return;
      delete jsonSchema.enum;
      jsonSchema.anyOf = [{ enum: values }, { pattern: placeholder }];
    },
  });
  return { title: 'Rehearse scenario, version 1', ...schema };
}
