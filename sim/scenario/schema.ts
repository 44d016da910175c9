/**
 * The form of a scenario file, version 1: what may stand where. What the texts inside mean (durations, triggers,
 * targets) is read by read.ts.
 */
import { z } from 'zod';
import { durationPattern, durationRangePattern } from './duration.js';

const duration = z.string().regex(durationPattern).describe('A duration with its unit: 200ms, 3s, 1.5m');
const durationRange = z
  .string()
  .regex(durationRangePattern)
  .describe('A duration, or a range from which each attempt draws: 200ms..900ms');
const count = z.int().min(1);
const taskCounts = z.record(z.string(), z.int().min(0)).describe('By task: map-0: 1');
const onOff = z.union([z.boolean(), z.enum(['on', 'off'])]);
const trigger = z
  .string()
  .describe('A fact: "map-0@1 started", "job publishing", "leader began", "worker-lost"');
const node = z
  .string()
  .describe('A node (worker-1) or a role: leader, its worker, it, any worker, any standby, any master');
const files = z.string().describe('its output, map-0@1, or outputs of worker-1');

const cluster = z.strictObject({
  masters: z.int().min(1).max(9).optional().describe('One leads, the others stand by. Default 1'),
  workers: z.int().min(1).max(10_000).optional().describe('Default 2'),
  slots: count.optional().describe('Attempts that one worker runs at a time. Default 1'),
  mapOutputs: z.enum(['shared', 'worker']).optional().describe('Where map outputs lie. Default shared'),
  latency: durationRange.optional().describe('One way, per message. Default 200us..2ms'),
});

const job = z.strictObject({
  run: z.string().optional().describe('A built-in job. Default: modelled work'),
  parameters: z.record(z.string(), z.string()).optional(),
  input: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe('Text of the input, or texts of its files. Default: a few words for each map'),
  maps: count.max(1_000_000).optional().describe('Default 2'),
  reduces: count.max(1_000_000).optional().describe('Default 1'),
  mapTime: durationRange.optional().describe('Default 200ms..900ms'),
  reduceTime: durationRange.optional().describe('Default 200ms..900ms'),
  output: z.string().min(1).optional().describe('Default out'),
  overwrite: z.boolean().optional(),
  misbehave: z
    .record(z.string(), z.enum(['throws', 'hangs', 'differs']))
    .optional()
    .describe('User code that does not do what it should, by task or attempt: map-0@1: throws'),
});

const policy = z.strictObject({
  lease: duration.optional().describe('A silent worker loses its attempts after this. Default 10s'),
  masterLease: duration.optional().describe('Default 3s'),
  beat: duration.optional().describe('Default 1s, or a quarter of the lease if that is less'),
  suspect: duration
    .optional()
    .describe('Silence after which a node tries another master. Default three beats'),
  reconnect: duration.optional().describe('Time to come back after a broken session. Default one beat'),
  lateReports: z.enum(['first-commit', 'owner-only']).optional(),
  maxAttempts: count.optional().describe('Counted failures of a task that fail the job. Default 4'),
  taskTimeout: duration.optional().describe('Without progress for so long an attempt is ended. Default 600s'),
  speculation: onOff.optional().describe('Default off'),
  speculationAge: duration.optional().describe('No copy of a younger attempt is made. Default 5s'),
});

const fault = z.strictObject({
  at: duration.optional(),
  when: trigger.optional(),
  point: z.string().optional().describe('A crash point: publish.before_rename'),
  after: trigger.optional().describe('The trigger counts only once this has happened'),
  on: node.optional().describe('Who must be at the point'),
  job: z.int().min(1).optional().describe('Which job the point must be about'),
  task: z.string().optional().describe('Which task or attempt the point must be about: map-0@1'),
  until: trigger.optional(),
  for: duration.optional(),
  crash: node.optional(),
  restartAfter: duration.optional(),
  restart: node.optional(),
  pause: node.optional(),
  slow: node.optional(),
  by: z.number().min(1).optional().describe('Times slower'),
  lose: files.optional(),
  corrupt: files.optional(),
  drop: node.optional().describe('Break all sessions of the node'),
  partition: z.tuple([node, node]).optional(),
  oneWay: z.boolean().optional().describe('Only what goes from the first to the second is held up'),
  obscure: node.optional().describe("The answer to the node's next append is lost"),
  expire: z.literal('lease').optional().describe('Who leads loses the lease and does not know'),
});

const outcome = z.enum(['succeeded', 'failed']);

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

export const scenarioSchema = z.strictObject({
  name: z.string().min(1),
  about: z.string().optional(),
  seed: z.union([z.int(), z.string()]).optional(),
  cluster: cluster.optional(),
  job: job.optional(),
  jobs: z.array(job).min(1).optional().describe('One after another'),
  policy: policy.optional(),
  faults: z.array(fault).optional(),
  expect,
  vary: z
    .record(z.string(), z.array(z.string()).min(1))
    .optional()
    .describe('One variant of the scenario per value: {name} in any text stands for it'),
});

export type RawScenario = z.infer<typeof scenarioSchema>;
export type RawJob = z.infer<typeof job>;
export type RawFault = z.infer<typeof fault>;

/** JSON Schema of `scenario.v1`, for editors. */
export function scenarioJsonSchema(): object {
  const schema = z.toJSONSchema(scenarioSchema, { io: 'input' });
  return { title: 'Rehearse scenario, version 1', ...schema };
}
