/**
 * Generated states per second of the explorer, per second of processor time: on the yardstick model, beside a plain
 * explorer with JSON keys in the same run, and on the real core.
 */
import { Cluster } from '../../dist/sim/explore/cluster/cluster.js';
import { clusterSetupOf } from '../../dist/sim/explore/cluster/setup.js';
import { explore } from '../../dist/sim/explore/explore.js';
import { yardstick } from '../../dist/sim/explore/yardstick.js';
import { loadScenarios } from '../../dist/sim/scenario/load.js';
import { explorePlainly } from '../../dist/test/sim/explore/plain-explorer.js';
import { interleave, line, median, rateOf, spreadText } from './measures.mjs';

const whole = { tasks: 3, workers: 3, attempts: 2, crashes: 1 };
/** Small enough for JSON keys. */
const part = { tasks: 3, workers: 2, attempts: 2, crashes: 1 };
const everyStep = { noReduction: true };

/** Two masters of which either may crash, twice: every order, up to this many distinct states. */
const text = `
name: two masters
cluster: { masters: 2, workers: 1 }
job: { maps: 1, reduces: 1 }
explore: { crashes: 2 }
expect: {}
`;
const statesMax = 2_000_000;

export function measureExplorer() {
  const loaded = loadScenarios(text, 'bench.yaml');
  if (!loaded.ok) throw new Error(loaded.errors[0].message);
  const setup = clusterSetupOf(loaded.scenarios[0]);
  const measured = (run) => {
    let generated = 0;
    const seconds = 1 / rateOf(1, () => (generated = run().generated));
    return generated / seconds;
  };
  const { packed, same, plain, core } = interleave({
    packed: () => measured(() => explore(yardstick(whole), everyStep)),
    same: () => measured(() => explore(yardstick(part), everyStep)),
    plain: () => measured(() => explorePlainly(part)),
    core: () => measured(() => explore(new Cluster(setup), { ...everyStep, statesMax })),
  });
  line('explorer: states/s generated, yardstick model', spreadText(packed));
  line('explorer: the same model in small, packed', spreadText(same));
  line('explorer: the same with JSON keys', spreadText(plain));
  line('explorer: packed / JSON keys', (median(same) / median(plain)).toFixed(1));
  line('explorer: states/s generated, real core', spreadText(core));
}
