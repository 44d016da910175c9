/**
 * `rehearse run --faults FILE`: the scenario that the simulator plays, on real processes, with the same expectations.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { builtinJobs } from '../../jobs/builtin/registry.js';
import { partName } from '../../jobs/output-names.js';
import { removeWorkspace } from '../../runtime/data/publish.js';
import { makeFolder } from '../../runtime/make-folder.js';
import type { Conclusion } from '../../runtime/node/client-node.js';
import { type RunLayout, runLayout } from '../../runtime/node/layout.js';
import { removeTree } from '../../runtime/remove-tree.js';
import { type RunRequest, writeRunRequest } from '../../runtime/run/run-request.js';
import { FileFiles } from '../../runtime/store/file-files.js';
import {
  checkExpectations,
  type JobOutcome,
  type UnmetExpectation,
} from '../../sim/scenario/expectations.js';
import type { Fact } from '../../sim/scenario/facts.js';
import { timeline } from '../../sim/scenario/timeline.js';
import type { Scenario } from '../../sim/scenario/types.js';
import { Work } from '../../sim/work.js';
import type { GlobalFlags } from '../global-flags.js';
import { sayDuration } from '../quantities.js';
import { type Ending, execute, type Rehearsal } from '../run/execute.js';
import type { RunFlags } from '../run/flags.js';
import { refuseOverlap } from '../run/output-overlap.js';
import { placeError } from '../run/place.js';
import { commandPath, sayPath } from '../run/prepare.js';
import { openProgress } from '../run/progress.js';
import { dataDirectoryOf, newRunId } from '../run/run-id.js';
import { readScenarios } from '../scenario-files.js';
import { openTerminal, type Terminal } from '../terminal.js';
import { exitCodes, exitOfSignal, UserError } from '../user-error.js';
import { Conductor, namesAttempts } from './conductor.js';
import { configOf, type StagedJob, stageJob } from './stage.js';

export async function rehearse(args: string[], flags: RunFlags & GlobalFlags): Promise<number> {
  if (args.length > 0) {
    throw new UserError({
      code: 'U009',
      what: 'with --faults, job and inputs come from the scenario',
      where: args.join(' '),
      next: `leave them away: rehearse run --faults ${flags.faults}`,
    });
  }
  const terminal = openTerminal(flags);
  const scenarios = await readScenarios(flags.faults!);
  if (scenarios.length > 1 && flags.output !== undefined) {
    throw new UserError({
      code: 'U010',
      what: `${flags.faults} has ${scenarios.length} variants, and -o names one output`,
      next: 'leave -o away: each variant then has an output of its own',
    });
  }
  const results: RehearsalResult[] = [];
  for (const scenario of scenarios) {
    const result = await rehearseOne(scenario, flags, terminal);
    if ('signal' in result) {
      if (flags.json)
        terminal.out(`${JSON.stringify({ runs: results.map(document), outcome: 'interrupted' })}\n`);
      terminal.say(`stopped: ${sayPath(scenario.file)} was not rehearsed to its end`);
      return exitOfSignal(result.signal);
    }
    if (result.unmet.length > 0) process.exitCode = exitCodes.no; // also when the reader of the next line has gone
    if (!flags.json) sayResult(result, terminal, flags);
    results.push(result);
  }
  if (flags.json) terminal.out(`${JSON.stringify({ runs: results.map(document) })}\n`);
  return results.every(({ unmet }) => unmet.length === 0) ? exitCodes.yes : exitCodes.no;
}

interface RehearsalResult {
  readonly scenario: Scenario;
  readonly jobs: readonly JobOutcome[];
  readonly facts: readonly Fact[];
  readonly unmet: readonly UnmetExpectation[];
  readonly traces: string;
}

/** Finds out whether everything can be written where it belongs, before anything is started. */
async function setStage(scenario: Scenario, layout: RunLayout, output: string | undefined) {
  try {
    makeFolder(layout.root, 0o700);
    const place = { layout, files: await FileFiles.open(layout.files), output };
    return { place, first: await stageJob(scenario.jobs[0]!, 0, place) };
  } catch (error) {
    removeTree(layout.root);
    throw placeError(error);
  }
}

async function rehearseOne(
  scenario: Scenario,
  flags: RunFlags & GlobalFlags,
  terminal: Terminal,
): Promise<RehearsalResult | (Ending & { readonly type: 'interrupted' })> {
  const dataDirectory = dataDirectoryOf(flags.dataDir);
  const layout = runLayout(dataDirectory, newRunId(dataDirectory));
  const quiet = flags.quiet || flags.json || false;
  const progress = await openProgress(flags.progress ?? (quiet ? 'none' : 'plain'), terminal, quiet);
  const conductor = new Conductor(scenario, layout, (line) => progress.event(line));
  if (flags.output !== undefined) {
    const output = resolve(flags.output);
    refuseOverlap({ output, said: flags.output, layout, sources: [flags.faults!] });
  }
  const { place, first } = await setStage(scenario, layout, flags.output);
  const jobs: StagedJob[] = [first];
  const outcomes: JobOutcome[] = [];
  const rehearsal: Rehearsal = {
    points: (node) => conductor.points(node),
    watch: (node, event, effects) => conductor.watch(node, event, effects),
    ...(namesAttempts(scenario) ? { ordinalOf: (attempt) => conductor.ordinalOf(attempt) } : {}),
    pointReached: (node, point, on) => conductor.pointReached(node, point, on),
    started: (node, incarnation) => conductor.started(node, incarnation),
    begin: (cluster) => conductor.begin(cluster),
    followUp: async (cluster, conclusion) => {
      outcomes.push(await outcomeOf(jobs[0]!, conclusion));
      for (const next of scenario.jobs.slice(1)) {
        if (isDrained(outcomes)) break;
        const job = await stageJob(next, jobs.length, place);
        jobs.push(job);
        outcomes.push(await outcomeOf(job, await cluster.run(job.requestId, job.spec)));
      }
      if (!isDrained(outcomes)) await linger(conductor, scenario);
    },
    end: () => conductor.end(),
  };
  const request = requestOf(scenario, jobs[0]!, flags.faults!, layout.runId);
  writeRunRequest(layout, request);
  const ending = await execute({ request, layout, progress, verbose: flags.verbose ?? false, rehearsal });
  // What late publishers did shows only now that they are dead.
  outcomes[outcomes.length - 1] = await look(jobs.at(-1)!, outcomes.at(-1)!);
  for (const job of jobs) await removeWorkspace(job.spec.output, job.requestId);
  if (ending.type === 'interrupted') return ending;
  const { facts, effective } = conductor;
  const unmet = checkExpectations(scenario, { facts, jobs: outcomes, effective });
  return { scenario, jobs: outcomes, facts, unmet, traces: layout.trace };
}

/** Who has asked for a drain asks for no more jobs, and ends all processes when it is over. */
function isDrained(outcomes: readonly JobOutcome[]): boolean {
  return outcomes.at(-1)?.outcome === 'drained';
}

/** Whoever was stopped goes on now, and gets the time to do harm. */
async function linger(conductor: Conductor, scenario: Scenario): Promise<void> {
  conductor.healAll();
  const late = scenario.faults.some((fault) => fault.action.kind === 'pause');
  if (late) await new Promise((resolve) => setTimeout(resolve, 1000));
}

function requestOf(scenario: Scenario, job: StagedJob, file: string, runId: string): RunRequest {
  return {
    format: 'rehearse.run.v1',
    runId,
    createdAt: new Date().toISOString(),
    directory: process.cwd(),
    job: file,
    code: job.order.code,
    inputs: job.order.files.map((input) => input.path),
    hidden: false,
    spec: job.spec,
    config: configOf(scenario),
    workers: scenario.cluster.workers,
    slots: scenario.cluster.slots,
    standbys: scenario.cluster.masters - 1,
    heapMiB: 256,
    overwrite: job.order.overwrite,
    toStdout: false,
  };
}

async function outcomeOf(job: StagedJob, conclusion: Conclusion): Promise<JobOutcome> {
  // Real time depends on the machine: whether it was within a bound is the simulator's to judge.
  const concludedUs = 0;
  if (conclusion.type === 'refused') {
    return { outcome: 'refused', message: conclusion.refused.message, concludedUs };
  }
  if (conclusion.type === 'drained') return { outcome: 'drained', concludedUs };
  const { phase, failure } = conclusion.status;
  if (phase !== 'published') {
    return { outcome: 'failed', reason: failure!.reason, message: failure!.message, concludedUs };
  }
  return await look(job, { outcome: 'succeeded', concludedUs });
}

/** Compares what lies at the output with the sequential run of the same job. */
async function look(job: StagedJob, outcome: JobOutcome): Promise<JobOutcome> {
  if (outcome.outcome !== 'succeeded') return outcome;
  const { reduces, misbehaviours } = job.scenario;
  const expected = sequentialParts(job);
  if (!expected) return { ...outcome, output: 'different' };
  const found: string[] = [];
  for (let partition = 0; partition < reduces; partition++) {
    found.push(await readFile(join(job.spec.output, partName(partition)), 'utf8').catch(() => '(missing)'));
  }
  const same = found.every((text, partition) => text === expected[partition]);
  const alike = found.every((text, partition) => withoutMarks(text) === withoutMarks(expected[partition]!));
  const differs = misbehaviours.some(({ how }) => how === 'differs');
  const output = same ? 'same-as-sequential' : differs && alike ? 'some-sequential' : 'different';
  return { ...outcome, output };
}

/** Undefined when code of the user's fails here, and so does not do the same each time. */
function sequentialParts({ scenario, order }: StagedJob): readonly string[] | undefined {
  const { maps, reduces, policy, own } = scenario;
  const work = new Work(0, scenario, builtinJobs, order.seed);
  try {
    const skips = policy.skipBadRecords ? work.badRecords() : [];
    return work.sequential(new Array(maps + reduces).fill(0), skips).parts;
  } catch (error) {
    if (!own) throw error;
    return undefined;
  }
}

/** Without the lines by which a job that answers differently marks its attempts. */
function withoutMarks(text: string): string {
  return text.replace(/^generation-.*\n/gm, '');
}

function sayResult(result: RehearsalResult, terminal: Terminal, flags: GlobalFlags): void {
  const { scenario, facts, unmet, traces } = result;
  const bad = unmet.length > 0;
  if (flags.verbose || bad) for (const line of timeline(facts)) terminal.out(`${line}\n`);
  const variant = Object.values(scenario.variant).join(', ');
  const title = `${sayPath(scenario.file)}${variant === '' ? '' : ` (${variant})`}`;
  const say = bad ? terminal.warn : terminal.say;
  say(`${bad ? 'FAIL' : 'ok  '}  ${title} on real processes, ${sayDuration(facts.at(-1)?.atUs ?? 0)}`);
  for (const { message } of unmet) terminal.warn(`  ${message}`);
  if (bad)
    terminal.warn(`  again: rehearse run --faults ${commandPath(scenario.file)}; traces: ${sayPath(traces)}`);
}

/** What `--json` says of a rehearsal. */
function document({ scenario, jobs, facts, unmet, traces }: RehearsalResult): object {
  const verdict =
    unmet.length === 0 ? 'passed' : unmet.some(({ kind }) => kind === 'unmet') ? 'failed' : 'tested-nothing';
  return {
    scenario: scenario.file,
    variant: scenario.variant,
    verdict,
    jobs,
    unmet,
    timeline: timeline(facts),
    traces,
  };
}
