/** What a build with a planted bug is asked for. Never imported by anything: `buildSimulator` makes a module of it. */
export { Cluster } from '../../sim/explore/cluster/cluster.js';
export { clusterSetupOf } from '../../sim/explore/cluster/setup.js';
export { explore } from '../../sim/explore/explore.js';
export { checkLiveness } from '../../sim/explore/liveness.js';
export { fuzzSeed } from '../../sim/fuzz/fuzz.js';
export { loadScenarios } from '../../sim/scenario/load.js';
export { shrink } from '../../sim/shrink/shrink.js';
export { simulate } from '../../sim/simulate.js';
