/** `rehearse fuzz`: random clusters, jobs and faults by seed, on all cores, until something breaks or nothing is left. */
import { missingFrom } from '../../sim/coverage/coverage.js';
import { possibleStrikes } from '../../sim/coverage/phases.js';
import { Campaign } from '../../sim/fuzz/campaign.js';
import { firstLine } from '../../sim/thrown-text.js';
import { sayCount, sayDuration, sayMany } from '../quantities.js';
import { commandPath } from '../run/prepare.js';
import { exitOfSignal, onStopSignal, type StopSignal } from '../stop-signals.js';
import { writingTo } from '../surroundings.js';
import { openTerminal, type Terminal } from '../terminal.js';
import { exitCodes } from '../user-error.js';
import { tryOut, writeWhole } from '../write-whole.js';
import { Corpus, keepFailures } from './corpus.js';
import { type FuzzFlags, type FuzzPlan, planOf } from './flags.js';
import { type Finding, Findings, type Outcome } from './outcome.js';
import { reporters } from './reporters.js';
import { StopFlag } from './stop-flag.js';
import { runCampaign } from './threads.js';

/** Between two words on how it goes. */
const sayEveryMs = 10_000;
/** Longer timers go off at once. */
const timerMsMax = 2 ** 31 - 1;

export async function fuzz(_args: string[], flags: FuzzFlags): Promise<number> {
  const plan = planOf(flags);
  const terminal = openTerminal(flags);
  const { outcome, signal } = await hold(plan, terminal, flags);
  say(outcome, plan, terminal);
  if (plan.reporter) {
    const text = reporters[plan.reporter.name](outcome);
    const { file } = plan.reporter;
    if (file === undefined) terminal.out(text);
    else writingTo('--report-file', file, () => writeWhole(file, [text]));
  }
  if (flags.json) terminal.out(`${JSON.stringify(document(outcome))}\n`);
  return signal ? exitOfSignal(signal) : exitCodeOf(outcome, plan);
}

interface Held {
  readonly outcome: Outcome;
  /** Which one cut the campaign short. */
  readonly signal: StopSignal | undefined;
}

async function hold(plan: FuzzPlan, terminal: Terminal, flags: FuzzFlags): Promise<Held> {
  const corpus = new Corpus(plan.corpus);
  corpus.tryOut();
  const report = plan.reporter?.file;
  if (report !== undefined) writingTo('--report-file', report, () => tryOut(report));
  // A range of seeds is the same whatever was run before; without one the campaign goes on where the last ended.
  const before = plan.seeds ? undefined : corpus.readProgress();
  const campaign = new Campaign({
    from: plan.seeds?.from ?? before?.next ?? 1,
    ...(plan.seeds ? { to: plan.seeds.to } : {}),
    given: plan.given,
    ...(plan.reachable ? { reachable: plan.reachable } : {}),
    ...(before ? { coverage: before.coverage } : {}),
  });
  const findings = new Findings();
  const since = performance.now();
  let saidMs = since;
  const stopping = stopsOf(plan, terminal);
  const reporting = runCampaign({
    campaign,
    threads: plan.threads,
    stop: stopping.flag,
    reported: (report) => {
      const found = (finding: Finding): void => sayFinding(finding, terminal);
      keepFailures(report.failures, { corpus, findings, found });
      if (!plan.seeds) corpus.writeProgress({ next: campaign.next, coverage: campaign.coverage });
      if (flags.progress === 'none' || performance.now() - saidMs < sayEveryMs) return;
      saidMs = performance.now();
      terminal.say(`${sayMany(campaign.runs, 'seed')}, ${sayMany(findings.all.length, 'finding')}`);
    },
  });
  await reporting.finally(stopping.end);
  const { runs, steps, verdicts, inconclusive, coverage } = campaign;
  const seconds = (performance.now() - since) / 1000;
  const base = { runs, steps, seconds, verdicts, inconclusive, coverage, findings: findings.all };
  const { why, signal } = campaign.finished ? {} : stopping.stopped();
  return { outcome: { ...base, missing: missingOf(plan, coverage), cut: why }, signal };
}

/** What can stop a campaign before its last seed: the time it has, and the first Ctrl-C; the second ends it at once. */
function stopsOf({ timeUs }: FuzzPlan, terminal: Terminal) {
  const flag = new StopFlag();
  let why: Outcome['cut'];
  let signal: StopSignal | undefined;
  const answer = (by: StopSignal): void => {
    why = 'signal';
    signal = by;
    flag.set();
    unheard();
    terminal.say('stopping: no more seeds are begun (once more to stop at once)');
  };
  const unheard = onStopSignal(answer);
  const late = (): void => {
    why ??= 'time';
    flag.set();
  };
  const timer = timeUs === undefined ? undefined : setTimeout(late, Math.min(timeUs / 1000, timerMsMax));
  const end = (): void => {
    clearTimeout(timer);
    unheard();
  };
  return { flag, end, stopped: () => ({ why, signal }) };
}

function missingOf({ reachable }: FuzzPlan, coverage: Outcome['coverage']): string[] {
  if (!reachable) return [];
  const { tuples, strikes } = missingFrom(coverage, { tuples: reachable, strikes: possibleStrikes() });
  return [...tuples, ...strikes];
}

function exitCodeOf({ findings, missing, inconclusive, cut }: Outcome, plan: FuzzPlan): number {
  if (findings.length > 0 || missing.length > 0) return exitCodes.no;
  const unfinished = cut === 'time' && plan.seeds !== undefined;
  return inconclusive.length > 0 || unfinished ? exitCodes.inconclusive : exitCodes.yes;
}

// ---- for people -------------------------------------------------------------------------------------------------

function sayFinding({ id, message, profile, file, command, isNew }: Finding, terminal: Terminal): void {
  terminal.warn(
    `${id} broken in seed ${command.match(/\d+/)![0]}${isNew ? '' : ' (known)'}: ${firstLine(message)}`,
  );
  if (file !== undefined) terminal.warn(`  again: rehearse sim ${commandPath(file)}`);
  terminal.warn(`  again: ${command}`);
  terminal.warn(`  profile: ${profile}`);
}

function say(outcome: Outcome, plan: FuzzPlan, terminal: Terminal): void {
  const { runs, steps, seconds, findings, inconclusive, coverage, missing, cut } = outcome;
  const perMinute = sayCount(Math.round((runs / Math.max(seconds, 0.001)) * 60));
  const verdict = findings.length > 0 || missing.length > 0 ? 'FAIL' : 'ok  ';
  terminal.say(
    `${verdict}  ${sayMany(runs, 'seed')} in ${sayDuration(seconds * 1e6)} (${perMinute} a minute), ` +
      `${sayCount(steps)} steps, ${sayMany(findings.length, 'finding')}`,
  );
  const idle = outcome.verdicts['tested-nothing'] ?? 0;
  if (idle > 0) terminal.say(`  ${sayMany(idle, 'seed')} had a fault that hit nothing`);
  const strikes = possibleStrikes();
  const struck = strikes.filter((strike) => coverage.strikes[strike] !== undefined);
  terminal.say(
    `  covered: ${Object.keys(coverage.tuples).length} steps, ` +
      `${struck.length} of ${strikes.length} faults by phase`,
  );
  for (const name of missing) terminal.warn(`  not reached: ${name}`);
  if (inconclusive.length > 0) terminal.warn(`  inconclusive: seeds ${inconclusive.join(', ')}`);
  if (cut === 'time' && plan.seeds) terminal.warn(`  the time was over before seed ${plan.seeds.to}`);
}

/** What `--json` says. */
function document(outcome: Outcome): object {
  const { findings, missing, ...rest } = outcome;
  const verdict = findings.length > 0 || missing.length > 0 ? 'failed' : 'passed';
  return { verdict, findings, missing, ...rest };
}
