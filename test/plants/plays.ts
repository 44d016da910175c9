/** What a simulator is told to play, and what becomes of it; the same for a build with a bug as for one without. */
import type { Scenario } from '../../sim/scenario/types.js';
import type * as Simulator from './planted-simulator.js';

export type Play =
  /** A scenario file, all variants or one, on its own seed or another. */
  | {
      readonly kind: 'scenario';
      readonly text: string;
      readonly file: string;
      readonly variant?: string;
      readonly seed?: string;
    }
  /** Drawn scenarios of these seeds, until one fails. */
  | {
      readonly kind: 'fuzz';
      readonly from: number;
      readonly count: number;
      readonly skip?: readonly number[];
    }
  /** The drawn scenario of a seed that fails, made small. */
  | { readonly kind: 'shrink'; readonly seed: number }
  /** Every order of events in the first scenario of a file, up to so many states; or whether it can go on for ever. */
  | {
      readonly kind: 'explore' | 'liveness';
      readonly text: string;
      readonly file: string;
      readonly statesMax: number;
    };

/** How it ended. */
export interface Played {
  readonly caught: boolean;
  /** An invariant; `expectation`; `tested-nothing`; `endless`; or `exception`, when the simulator itself broke. */
  readonly by?: string;
  readonly message?: string;
  /** Simulated runs, or states that were generated. */
  readonly runs: number;
  /** For `fuzz`: the seed that failed. */
  readonly seed?: number;
  /** For `shrink`: what is left. */
  readonly faults?: number;
  readonly tasks?: number;
  /** Of the play itself, without what it took to build and to load. */
  readonly ms: number;
}

type Found = Omit<Played, 'ms'>;

/** Many times what any run needs that ends. */
const stepsMax = 200_000;

/** A play that cannot be played: a mistake of whoever asks, and nothing that a bug has done. */
class WrongPlay extends Error {}

export function perform(simulator: typeof Simulator, play: Play): Played {
  const begunMs = performance.now();
  let found: Found;
  try {
    found = begin(simulator, play);
  } catch (error) {
    if (error instanceof WrongPlay) throw error;
    found = { caught: true, by: 'exception', message: String((error as Error).stack), runs: 1 };
  }
  return { ...found, ms: performance.now() - begunMs };
}

function begin(simulator: typeof Simulator, play: Play): Found {
  switch (play.kind) {
    case 'scenario':
      return playScenario(simulator, play);
    case 'fuzz':
      return fuzz(simulator, play);
    case 'shrink':
      return makeSmall(simulator, play.seed);
    case 'explore':
    case 'liveness':
      return explore(simulator, play);
  }
}

function load(simulator: typeof Simulator, text: string, file: string): readonly Scenario[] {
  const loaded = simulator.loadScenarios(text, file);
  if (!loaded.ok) throw new WrongPlay(`${file}: ${loaded.errors[0]!.message}`);
  return loaded.scenarios;
}

function playScenario(simulator: typeof Simulator, play: Play & { kind: 'scenario' }): Found {
  const { text, file, variant, seed } = play;
  let runs = 0;
  for (const scenario of load(simulator, text, file)) {
    if (variant !== undefined && Object.values(scenario.variant).join(', ') !== variant) continue;
    runs++;
    const options = { stepsMax, ...(seed === undefined ? {} : { seed }) };
    const { verdict, violation, unmet } = simulator.simulate(scenario, options);
    if (verdict === 'passed') continue;
    const by = verdict === 'inconclusive' ? 'endless' : verdict === 'failed' ? 'expectation' : verdict;
    const message = violation?.message ?? unmet.map((one) => one.message).join('; ');
    return { caught: true, by: violation?.id ?? by, message, runs };
  }
  if (runs === 0) throw new WrongPlay(`${file} has no variant ${variant}`);
  return { caught: false, runs };
}

function fuzz(simulator: typeof Simulator, { from, count, skip = [] }: Play & { kind: 'fuzz' }): Found {
  let runs = 0;
  for (let seed = from; seed < from + count; seed++) {
    if (skip.includes(seed)) continue;
    runs++;
    const { result, failure } = simulator.fuzzSeed(seed, { stepsMax });
    if (failure) return { caught: true, by: kindOf(failure.id), message: failure.message, runs, seed };
    if (result?.verdict === 'inconclusive')
      return { caught: true, by: 'endless', message: `more than ${stepsMax} steps`, runs, seed };
  }
  return { caught: false, runs };
}

function kindOf(id: string): string {
  if (/^[MCW]\d+$/.test(id)) return id;
  return id.startsWith('expectation') ? 'expectation' : 'exception';
}

function makeSmall(simulator: typeof Simulator, seed: number): Found {
  const { scenario: drawn } = simulator.fuzzSeed(seed, { stepsMax });
  const shrunk = simulator.shrink(drawn, String(seed), { stepsMax });
  if (!shrunk) return { caught: false, runs: 1 };
  const { scenario, failure, runs } = shrunk;
  const tasks = scenario.jobs.reduce((sum, { maps, reduces }) => sum + maps + reduces, 0);
  return { caught: true, by: kindOf(failure.id), runs, seed, faults: scenario.faults.length, tasks };
}

function explore(simulator: typeof Simulator, play: Play & { kind: 'explore' | 'liveness' }): Found {
  const { kind, text, file, statesMax } = play;
  const cluster = new simulator.Cluster(simulator.clusterSetupOf(load(simulator, text, file)[0]!));
  const search = kind === 'explore' ? simulator.explore : simulator.checkLiveness;
  const { verdict, generated, counterexample } = search(cluster, { statesMax });
  if (verdict === 'stuck')
    return { caught: true, by: 'C13', message: 'a fair run never ends', runs: generated };
  if (verdict !== 'broken') return { caught: false, runs: generated };
  const message = counterexample?.rule ?? '';
  return { caught: true, by: kindOf(/^[MCW]\d+/.exec(message)?.[0] ?? ''), message, runs: generated };
}
