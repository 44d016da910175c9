/**
 * `rehearse sim`: scenarios in virtual time, by seed.
 */
import { makeFolder } from '../runtime/make-folder.js';
import { versions } from '../runtime/versions.js';
import type { Scenario } from '../sim/scenario/types.js';
import { type SimulationResult, simulate } from '../sim/simulate.js';
import { TraceRecorder } from '../sim/traced.js';
import { commandWord } from './command-word.js';
import { scenarioOfRun } from './from-run.js';
import type { GlobalFlags } from './global-flags.js';
import { sayCount, sayDuration, sayMany } from './quantities.js';
import { commandPath, sayPath } from './run/prepare.js';
import { readScenarios } from './scenario-files.js';
import { seedRange } from './seed-range.js';
import { type ShrunkFile, writeShrunk } from './shrink.js';
import { playSteps } from './step.js';
import { writingTo } from './surroundings.js';
import { openTerminal, type Terminal } from './terminal.js';
import { clearTraceFolder, folderOfRun, writeTraces } from './trace-folder.js';
import { traceFiles } from './traces.js';
import { exitCodes, UserError } from './user-error.js';
import { fileOf } from './write-whole.js';

interface SimFlags extends GlobalFlags {
  readonly seed?: string;
  readonly seeds?: string;
  readonly trace?: string;
  readonly shrink?: boolean;
  readonly from?: string;
  readonly output?: string;
  readonly step?: boolean;
}

export async function sim(args: string[], flags: SimFlags): Promise<number> {
  const terminal = openTerminal(flags);
  const seeds = seedsOf(flags);
  const scenarios = await scenariosOf(args, { ...flags, runs: seeds.count }, terminal);
  if (flags.step) return await step(scenarios, seeds, flags, terminal);
  const results: SimulationResult[] = [];
  const shrunk: ShrunkFile[] = [];
  const runs = scenarios.length * seeds.count;
  const many = runs > 1;
  const told = new ToldFailures();
  const { trace } = flags;
  if (trace !== undefined) {
    const read = flags.from === undefined ? [] : traceFiles(flags.from, flags);
    writingTo('--trace', trace, () => makeFolder(trace));
    writingTo('--trace', trace, () => clearTraceFolder(trace, runs, read));
  }
  for (const scenario of scenarios) {
    for (const seed of seeds.of(scenario)) {
      if (flags.shrink) {
        // What fails in an error of ours can be shrunk as well: it comes before the run that would end in it.
        const stem = `${stemOf(scenario, flags)}${many ? `.${results.length + 1}` : ''}`;
        const written = writeShrunk(scenario, seed, stem, terminal);
        if (written) shrunk.push(written);
      }
      const recorder = trace === undefined ? undefined : new TraceRecorder(seed, versions());
      const result = simulate(scenario, {
        seed,
        keepsFacts: !many || flags.json === true || flags.verbose === true,
        ...(recorder ? { onStep: (step) => recorder.stepped(step) } : {}),
      });
      if (recorder) {
        const folder = folderOfRun(trace!, results.length + 1, runs);
        writingTo('--trace', folder, () => writeTraces(recorder, folder));
      }
      results.push(result);
      if (!flags.json) sayResult(result, terminal, flags, many, told);
    }
  }
  if (many && !flags.json) {
    if (told.inShort) terminal.warn(`the time line of another: ${againText(told.inShort, flags)}`);
    sayTotal(results, terminal);
  }
  if (flags.shrink && shrunk.length === 0 && !flags.json)
    terminal.say(`nothing was shrunk: ${whyNothingShrunk(results)}`);
  if (flags.json) {
    const played = { runs: results.map(document) };
    terminal.out(`${JSON.stringify(flags.shrink ? { ...played, shrunk } : played)}\n`);
  }
  return exitCodeOf(results);
}

function exitCodeOf(results: readonly SimulationResult[]): number {
  if (results.some(({ verdict }) => verdict === 'failed' || verdict === 'tested-nothing'))
    return exitCodes.no;
  return results.some(({ verdict }) => verdict === 'inconclusive') ? exitCodes.inconclusive : exitCodes.yes;
}

/** What shrunk files are called: beside the scenario's own file, or by the run in the working directory where it has none. */
function stemOf({ name, file }: Scenario, flags: SimFlags): string {
  return isOfNoFile(flags) ? name : file.replace(/\.ya?ml$/, '');
}

function isOfNoFile(flags: SimFlags): boolean {
  return flags.from !== undefined && fileOf(flags) === undefined;
}

/** One run, at the pace of whoever reads. */
async function step(
  scenarios: readonly Scenario[],
  seeds: Seeds,
  flags: SimFlags,
  terminal: Terminal,
): Promise<number> {
  const [scenario] = scenarios;
  const count = scenarios.length * seeds.count;
  const without = (['json', 'shrink', 'trace'] as const).filter((flag) => flags[flag] !== undefined);
  if (count !== 1 || without.length > 0) {
    const what =
      count === 1
        ? `--step and --${without[0]} do not go together`
        : `--step shows one run, not ${sayCount(count)}`;
    const next = count === 1 ? 'do one after the other' : 'name one scenario without variants, and one seed';
    throw new UserError({ code: 'U035', what, next });
  }
  const [seed] = seeds.of(scenario!);
  const result = await playSteps(scenario!, seed!, terminal);
  if (!result) return exitCodes.yes;
  sayVerdict(result, terminal, flags);
  return exitCodeOf([result]);
}

async function scenariosOf(
  files: string[],
  flags: SimFlags & { readonly runs: number },
  terminal: Terminal,
): Promise<Scenario[]> {
  const { from } = flags;
  refuseNothingOrBoth(files, flags);
  refuseTwoOnStandardOutput(flags);
  if (from !== undefined) return [...(await scenarioOfRun({ ...flags, from }, terminal))];
  const scenarios: Scenario[] = [];
  for (const file of files) scenarios.push(...(await readScenarios(file)));
  return scenarios;
}

function refuseNothingOrBoth(files: string[], { from, output }: SimFlags): void {
  if (output !== undefined && from === undefined) {
    const next = 'scenarios are files already; --shrink and --trace say themselves where they write';
    throw new UserError({ code: 'U033', what: '-o is for the scenario that --from makes', next });
  }
  if (from === undefined && files.length === 0) {
    const next = 'name scenario files, or a recorded run with --from';
    throw new UserError({ code: 'U032', what: 'there is nothing to play', next });
  }
  if (from !== undefined && files.length > 0) {
    const next = 'play them one after the other';
    throw new UserError({
      code: 'U032',
      what: '--from and scenario files do not go together',
      where: files.join(' '),
      next,
    });
  }
}

/** Nobody could tell where one ends and the other begins. */
function refuseTwoOnStandardOutput({ output, quiet, json, step }: SimFlags): void {
  if (output !== '-' || (quiet && !json && !step)) return;
  const other = json ? 'what --json says' : step ? 'what --step shows' : 'the time line';
  const next = json || step ? 'name a file for the scenario' : 'add -q, or name a file for the scenario';
  throw new UserError({ code: 'U033', what: `-o - and ${other} would both go to standard output`, next });
}

interface Seeds {
  readonly count: number;
  of(scenario: Scenario): Iterable<string>;
}

function seedsOf({ seed, seeds }: SimFlags): Seeds {
  if (seed !== undefined && seeds !== undefined) {
    const next = 'leave one of them away: --seeds 7 is one seed as well';
    throw new UserError({ code: 'U028', what: '--seed and --seeds do not go together', next });
  }
  if (seeds === undefined) return { count: 1, of: (scenario) => [seed ?? scenario.seed] };
  const { from, to } = seedRange(seeds);
  return { count: to - from + 1, of: () => numbersFrom(from, to) };
}

/** One after the other: a range may be longer than any list. */
function* numbersFrom(from: number, to: number): Generator<string> {
  for (let number = from; number <= to; number++) yield String(number);
}

function title(result: SimulationResult): string {
  const variant = Object.values(result.scenario.variant).join(', ');
  return `${sayPath(result.scenario.file)}${variant === '' ? '' : ` (${variant})`}`;
}

/** Of many seeds of a scenario the first with a verdict is told with its story, the others that do not pass in a line each. */
class ToldFailures {
  readonly #verdicts = new Map<Scenario, Set<SimulationResult['verdict']>>();
  /** The first that was told in a line. */
  inShort: SimulationResult | undefined;

  isFirst(result: SimulationResult): boolean {
    const { scenario, verdict } = result;
    const verdicts = this.#verdicts.get(scenario) ?? new Set();
    this.#verdicts.set(scenario, verdicts);
    const isFirst = !verdicts.has(verdict);
    verdicts.add(verdict);
    if (!isFirst) this.inShort ??= result;
    return isFirst;
  }
}

function sayResult(
  result: SimulationResult,
  terminal: Terminal,
  flags: SimFlags,
  many: boolean,
  told: ToldFailures,
): void {
  const bad = result.verdict !== 'passed';
  if (bad && !flags.verbose && !told.isFirst(result)) {
    const reason = reasonsOf(result)[0] ?? lengthText(result);
    terminal.warn(`${verdictText[result.verdict]}  ${title(result)} seed ${result.seed}: ${reason}`);
    return;
  }
  if (!flags.quiet && (!many || flags.verbose || bad))
    for (const line of result.timeline) terminal.out(`${line}\n`);
  sayVerdict(result, terminal, flags);
}

function sayVerdict(result: SimulationResult, terminal: Terminal, flags: SimFlags): void {
  const bad = result.verdict !== 'passed';
  const say = bad ? terminal.warn : terminal.say;
  say(
    `${verdictText[result.verdict]}  ${title(result)} seed ${result.seed}: ${lengthText(result)}, chain ${result.chain}`,
  );
  for (const reason of reasonsOf(result)) terminal.warn(`  ${reason}`);
  if (result.verdict === 'tested-nothing' && flags.from !== undefined) terminal.warn(`  ${anotherWay}`);
  if (bad) terminal.warn(`  again: ${againText(result, flags)}`);
}

function lengthText({ steps, virtualUs }: SimulationResult): string {
  return `${sayCount(steps)} steps, ${sayDuration(virtualUs)} of virtual time`;
}

/** Why it did not pass. */
function reasonsOf({ unmet, violation }: SimulationResult): string[] {
  const reasons = unmet.map(({ message }) => message);
  if (!violation) return reasons;
  const { id, message, step, timeUs } = violation;
  return [...reasons, `${id} broken at step ${step} (${sayDuration(timeUs)}): ${message}`];
}

function whyNothingShrunk(results: readonly SimulationResult[]): string {
  if (results.some(({ verdict }) => verdict === 'failed')) return 'that is no fault of the cluster';
  const idle = results.find(({ verdict }) => verdict === 'tested-nothing');
  if (!idle) return 'no rule and no expectation is broken';
  return `nothing is broken, but nothing was tested either: ${reasonsOf(idle).join('; ')}`;
}

const anotherWay =
  'it went another way here than when it was recorded; other seeds may come to that: --seeds 1..20';

function againText({ scenario, seed }: SimulationResult, flags: SimFlags): string {
  const { from, dataDir } = flags;
  const place = dataDir === undefined ? '' : ` --data-dir ${commandPath(dataDir)}`;
  const played = isOfNoFile(flags) ? `--from ${commandWord(from!)}${place}` : commandPath(scenario.file);
  return `rehearse sim ${played} --seed ${commandWord(seed)}`;
}

const verdictText: Readonly<Record<SimulationResult['verdict'], string>> = {
  passed: 'ok  ',
  failed: 'FAIL',
  'tested-nothing': 'NOTHING TESTED',
  inconclusive: 'INCONCLUSIVE',
};

const namedMax = 10;

/** The last line of many runs: how many came to which verdict, and which ones they are that did not pass. */
function sayTotal(results: readonly SimulationResult[], terminal: Terminal): void {
  const isOneFile = results.every(({ scenario }) => scenario === results[0]!.scenario);
  const isOneSeed = new Set(results.map(({ scenario }) => scenario)).size === results.length;
  const nameOf = (result: SimulationResult): string => {
    if (isOneFile) return result.seed;
    return isOneSeed ? title(result) : `${title(result)} seed ${result.seed}`;
  };
  const counts = verdictsInOrder.flatMap((verdict) => {
    const alike = results.filter((result) => result.verdict === verdict);
    if (alike.length === 0) return [];
    const count = `${sayCount(alike.length)} ${verdict.replace('-', ' ')}`;
    if (verdict === 'passed') return [count];
    const names = alike.slice(0, namedMax).map(nameOf).join(', ');
    const more = alike.length > namedMax ? ` and ${sayCount(alike.length - namedMax)} more` : '';
    const noun = isOneFile ? `seed${alike.length === 1 ? '' : 's'} ` : '';
    return [`${count} (${noun}${names}${more})`];
  });
  const say = results.every(({ verdict }) => verdict === 'passed') ? terminal.say : terminal.warn;
  say(`${sayMany(results.length, isOneFile ? 'seed' : 'run')}: ${counts.join(', ')}`);
}

const verdictsInOrder = ['passed', 'failed', 'tested-nothing', 'inconclusive'] as const;

/** What `--json` says of a run. */
function document(result: SimulationResult): object {
  const { scenario, seed, verdict, chain, steps, virtualUs, jobs, counts, unmet, violation, timeline } =
    result;
  return {
    scenario: scenario.file,
    name: scenario.name,
    variant: scenario.variant,
    ...{ seed, verdict, chain, steps, virtualUs, jobs, counts, unmet, timeline },
    ...(violation ? { violation } : {}),
  };
}
