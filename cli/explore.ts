/**
 * `rehearse explore`: every order of what may happen in a small cluster, on the core that really runs.
 */
import { writeFileSync } from 'node:fs';
import { tupleName } from '../sim/coverage/tuples.js';
import { boundNames } from '../sim/explore/cluster/bounds.js';
import { Cluster } from '../sim/explore/cluster/cluster.js';
import { retell } from '../sim/explore/cluster/retell.js';
import { clusterSetupOf, unexploredFaults } from '../sim/explore/cluster/setup.js';
import { TooLargeError } from '../sim/explore/cluster/steps/fairness.js';
import { symmetric } from '../sim/explore/cluster/symmetry.js';
import {
  type Counterexample,
  type Counts,
  type Exploration,
  explore as exploreModel,
} from '../sim/explore/explore.js';
import { checkLiveness, type Lasso, type Liveness } from '../sim/explore/liveness.js';
import type { Scenario } from '../sim/scenario/types.js';
import type { GlobalFlags } from './global-flags.js';
import { parseBytes, sayBytes, sayCount, sayDuration } from './quantities.js';
import { commandPath, sayPath } from './run/prepare.js';
import { readScenarios, refuseJobFile } from './scenario-files.js';
import { writingTo } from './surroundings.js';
import { openTerminal, type Terminal } from './terminal.js';
import { exitCodes, UserError } from './user-error.js';
import { tryOut } from './write-whole.js';

interface ExploreFlags extends GlobalFlags {
  readonly maxStates?: string;
  readonly memory?: string;
  readonly symmetry?: boolean;
  /** `--no-reduction` makes it false. */
  readonly reduction?: boolean;
  readonly exact?: boolean;
  readonly liveness?: boolean;
  readonly reached?: string;
  readonly scenario?: string;
}

interface Explored {
  readonly scenario: Scenario;
  readonly result: Exploration | Liveness;
  readonly seconds: number;
  /** Steps that the core itself took. */
  readonly steps: number;
  /** Names of the (role, state, event) that were reached. */
  readonly tuples: readonly string[];
}

export async function explore(args: string[], flags: ExploreFlags): Promise<number> {
  const terminal = openTerminal(flags);
  const limits = limitsOf(flags);
  if (flags.liveness && flags.symmetry) {
    const why =
      'a worker that always waits while others take turns looks, under symmetry, as if it took turns too';
    throw new UserError({ code: 'U021', what: '--liveness and --symmetry do not go together', why });
  }
  for (const flag of ['reached', 'scenario'] as const) {
    const file = flags[flag];
    if (file !== undefined) writingTo(`--${flag}`, file, () => tryOut(file));
  }
  const scenarios: Scenario[] = [];
  for (const file of args) scenarios.push(...(await readScenarios(file, refuseJobFile('explore'))));
  for (const { file, jobs } of scenarios) {
    if (jobs.length === 1) continue;
    throw new UserError({ code: 'U022', what: 'only scenarios with one job can be explored', where: file });
  }
  const explored = scenarios.map((scenario) => {
    try {
      return exploreOne(scenario, flags, limits, terminal);
    } catch (error) {
      throw error instanceof TooLargeError ? tooLarge(error, scenario) : error;
    }
  });
  if (flags.json) terminal.out(`${JSON.stringify({ explorations: explored.map(document) })}\n`);
  if (flags.reached !== undefined) writeReached(flags.reached, explored);
  const verdicts = explored.map(({ result }) => result.verdict);
  if (verdicts.some((verdict) => verdict === 'broken' || verdict === 'stuck')) return exitCodes.no;
  return verdicts.includes('inconclusive') ? exitCodes.inconclusive : exitCodes.yes;
}

function tooLarge({ message }: TooLargeError, { file }: Scenario): UserError {
  const what = 'this cluster is too large to be explored';
  const next = 'explore one of a few nodes: rehearse sim and fuzz are for large ones';
  return new UserError({ code: 'U029', what, where: file, why: message, next });
}

interface Limits {
  readonly statesMax?: number;
  readonly memoryMax?: number;
}

function limitsOf(flags: ExploreFlags): Limits {
  const states = flags.maxStates === undefined ? undefined : Number(flags.maxStates.replaceAll(/[_,]/g, ''));
  if (states !== undefined && !(Number.isSafeInteger(states) && states > 0)) {
    throw new UserError({ code: 'U023', what: `--max-states: "${flags.maxStates}" is no number of states` });
  }
  const memory = flags.memory === undefined ? undefined : parseBytes(flags.memory);
  if (flags.memory !== undefined && memory === undefined) {
    throw new UserError({
      code: 'U024',
      what: `--memory: "${flags.memory}" is no size`,
      next: 'write it like 2GiB',
    });
  }
  return {
    ...(states === undefined ? {} : { statesMax: states }),
    ...(memory === undefined ? {} : { memoryMax: memory }),
  };
}

function exploreOne(scenario: Scenario, flags: ExploreFlags, limits: Limits, terminal: Terminal): Explored {
  const cluster = new Cluster(clusterSetupOf(scenario));
  const startedMs = performance.now();
  const seconds = (): number => (performance.now() - startedMs) / 1000;
  const result = flags.liveness
    ? checkLiveness(cluster, limits)
    : exploreModel(flags.symmetry ? symmetric(cluster) : cluster, {
        ...limits,
        exact: flags.exact ?? false,
        noReduction: flags.reduction === false,
        onProgress: progressOf(flags, terminal, seconds),
      });
  const { parts } = cluster;
  const tuples = [...parts.tuples].map(tupleName).sort();
  const explored = { scenario, result, seconds: seconds(), steps: parts.stepsTaken, tuples };
  if (!flags.json) sayExplored(explored, cluster, terminal);
  if (flags.scenario !== undefined && result.counterexample) {
    retellTo(flags.scenario, cluster, result.counterexample, terminal);
  }
  return explored;
}

/** A line now and then; on a terminal always the same one. */
function progressOf(
  flags: ExploreFlags,
  terminal: Terminal,
  seconds: () => number,
): (counts: Counts) => void {
  const everySeconds = terminal.interactive ? 0.5 : 10;
  let saidAt = 0;
  return ({ generated, distinct, depth, waiting }) => {
    if (flags.progress === 'none' || flags.json || seconds() - saidAt < everySeconds) return;
    saidAt = seconds();
    const text =
      `${sayCount(generated)} generated, ${sayCount(distinct)} distinct, ${sayCount(waiting)} waiting, ` +
      `depth ${depth}, ${sayCount(Math.round(generated / saidAt))} a second`;
    terminal.say(text);
  };
}

const verdictText: Readonly<Record<(Exploration | Liveness)['verdict'], string>> = {
  holds: 'ok  ',
  broken: 'FAIL',
  stuck: 'STUCK',
  inconclusive: 'INCONCLUSIVE',
};

function sayExplored(
  { scenario, result, seconds, steps }: Explored,
  cluster: Cluster,
  terminal: Terminal,
): void {
  const { bounds } = cluster.parts.setup;
  for (const { text } of unexploredFaults(scenario)) terminal.warn(`not explored: ${text}`);
  const counterexample = result.counterexample;
  if (counterexample) tellPath(counterexample, terminal);
  if ('lasso' in result && result.lasso) tellLasso(result.lasso, terminal);
  const within = boundNames.filter((name) => bounds[name] > 0).map((name) => `${bounds[name]} ${name}`);
  const say = result.verdict === 'holds' ? terminal.say : terminal.warn;
  say(
    `${verdictText[result.verdict]}  ${sayPath(scenario.file)}, ${within.length > 0 ? within.join(', ') : 'no faults'}: ` +
      `${sayCount(result.generated)} states generated, ${sayCount(result.distinct)} distinct, ` +
      `${'depth' in result ? `depth ${result.depth}, ` : ''}${sayDuration(seconds * 1e6)}, ` +
      `${sayCount(Math.round(result.generated / seconds))} a second, ${sayCount(steps)} steps of the core`,
  );
  if (counterexample) terminal.warn(`  ${counterexample.rule}`);
  if (result.verdict === 'stuck') terminal.warn('  C13: a fair run never comes to an answer');
  if (result.limit === 'states') terminal.warn('  more states than --max-states');
  if (result.limit === 'memory')
    terminal.warn(`  the memory is used up${'bytes' in result ? ` (${sayBytes(result.bytes)})` : ''}`);
}

function tellPath({ path }: Counterexample, terminal: Terminal): void {
  for (const [index, step] of path.steps.entries())
    terminal.out(`${String(index + 1).padStart(3)}  ${step}\n`);
}

function tellLasso({ stem, cycle }: Lasso, terminal: Terminal): void {
  for (const [index, step] of stem.steps.entries())
    terminal.out(`${String(index + 1).padStart(3)}  ${step}\n`);
  terminal.out(
    cycle.length > 0 ? '     and from here on for ever:\n' : '     and then nothing happens any more\n',
  );
  for (const step of cycle) terminal.out(`  *  ${step}\n`);
}

/** Where the simulator can show the same, a scenario file that does. */
function retellTo(
  path: string,
  cluster: Cluster,
  { path: way, rule }: Counterexample,
  terminal: Terminal,
): void {
  const steps = way.ordinals.map((ordinal, index) =>
    cluster.step(way.states, index * cluster.words, ordinal),
  );
  const retold = retell(cluster.parts.setup, steps, rule);
  if (!retold) {
    terminal.warn(
      '  no scenario was found that shows it: the order of messages matters, and only seeds choose it',
    );
    return;
  }
  write(path, retold.text, '--scenario');
  terminal.warn(`  again: rehearse sim ${commandPath(path)}`);
}

/** The (role, state, event) that any of the explorations reached, one a line, sorted. */
function writeReached(path: string, explored: readonly Explored[]): void {
  const all = new Set(explored.flatMap(({ tuples }) => tuples));
  write(path, `${[...all].sort().join('\n')}\n`, '--reached');
}

function write(path: string, text: string, flag: string): void {
  writingTo(flag, path, () => writeFileSync(path, text));
}

/** What `--json` says. */
function document({ scenario, result, seconds, steps, tuples }: Explored): object {
  const { counterexample, ...counts } = result;
  const { lasso, ...rest } = 'lasso' in counts ? counts : { ...counts, lasso: undefined };
  return {
    scenario: scenario.file,
    name: scenario.name,
    ...rest,
    unexplored: unexploredFaults(scenario).map(({ text }) => text),
    seconds,
    steps,
    ...(counterexample ? { rule: counterexample.rule, path: counterexample.path.steps } : {}),
    ...(lasso ? { stem: lasso.stem.steps, cycle: lasso.cycle } : {}),
    reached: tuples,
  };
}
