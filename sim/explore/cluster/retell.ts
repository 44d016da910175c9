/**
 * A counterexample told as a scenario, so that the simulator shows the same: its faults, each begun by what was decided last
 * before it. Scenarios have no say in the order of messages, so seeds are tried until one breaks the same rule.
 */
import { stringify } from 'yaml';
import { loadScenarios } from '../../scenario/load.js';
import { type SimulateOptions, simulate } from '../../simulate.js';
import type { ClusterSetup } from './bounds.js';
import type { Step } from './steps/successor.js';

type FaultText = Readonly<Record<string, unknown>>;

export interface Retold {
  /** A scenario file. */
  readonly text: string;
  readonly seed: string;
}

const seedsMax = 200;
const whole = { name: 'found by exploring', expect: {} };

/** Undefined when a fault of the path is none of a scenario, or no seed was found. */
export function retell(
  setup: ClusterSetup,
  steps: readonly Step[],
  rule: string,
  options: Omit<SimulateOptions, 'seed'> = {},
): Retold | undefined {
  const scenario = scenarioOf(setup, steps);
  if (!scenario) return undefined;
  for (let seed = 1; seed <= seedsMax; seed++) {
    const text = stringify({ ...scenario, seed });
    const loaded = loadScenarios(text, 'explored.yaml');
    if (!loaded.ok) throw new Error(`a scenario that cannot be read: ${loaded.errors[0]!.message}`);
    const { violation } = simulate(loaded.scenarios[0]!, options);
    if (violation && rule.startsWith(`${violation.id}:`)) return { text, seed: String(seed) };
  }
  return undefined;
}

function scenarioOf(
  { config, workers, slots, spec }: ClusterSetup,
  steps: readonly Step[],
): object | undefined {
  const { masters, mapOutputs } = config;
  const cluster = { masters: masters.length, workers: workers.length, slots, mapOutputs };
  const { maps, reduces, policy } = spec;
  const faults: FaultText[] = [];
  let trigger: FaultText = { at: '0s' };
  for (const step of steps) {
    if (step.fault) {
      const fault = faultOf(step);
      if (!fault) return undefined;
      faults.push({ ...trigger, ...fault });
    }
    const last = step.decisions.at(-1);
    if (last) trigger = { when: last.replaceAll('-', ' ') };
  }
  const { lateReports, maxAttempts } = policy;
  return { ...whole, cluster, job: { maps, reduces }, policy: { lateReports, maxAttempts }, faults };
}

/** What a scenario calls the fault; undefined when it has no word for it. */
function faultOf({ fault, node, event }: Step): FaultText | undefined {
  switch (fault) {
    case 'crashes':
      return { crash: node, restartAfter: '500ms' };
    case 'losses':
      return { drop: node };
    case 'unknowns':
      return { obscure: node };
    case 'expiries':
      return { expire: 'lease' };
    case 'duplicates':
      return { duplicate: ['all nodes', 'all nodes'], percent: 50 };
    case 'timeouts': {
      const deadline = event?.type === 'clock.reached' ? event.deadline : undefined;
      if (deadline?.kind === 'worker-lease') return { pause: deadline.id, for: '15s' };
      return deadline?.kind === 'lease-end' ? { pause: node, for: '5s' } : undefined;
    }
    default:
      return undefined;
  }
}
