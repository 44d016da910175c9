/** The vector of a global state: which word stands for what. */

/** Where everything stands in the vector. Nodes are masters, then workers, then the client. */
export interface Places {
  readonly masters: number;
  readonly workers: number;
  readonly nodes: number;
  /** Sessions of worker or client d, at `wires + d`; the client is the last. */
  readonly wires: number;
  readonly desks: number;
  readonly benches: number;
  readonly lease: number;
  readonly journal: number;
  readonly shelf: number;
  readonly bounds: number;
  /** Number of a text; 0 while no rule is broken. */
  readonly broken: number;
  readonly words: number;
}

export function placesOf(masters: number, workers: number): Places {
  const nodes = masters + workers + 1;
  const wires = nodes;
  const desks = wires + workers + 1;
  const benches = desks + masters;
  const lease = benches + workers;
  return {
    masters,
    workers,
    nodes,
    wires,
    desks,
    benches,
    lease,
    journal: lease + 1,
    shelf: lease + 2,
    bounds: lease + 3,
    broken: lease + 4,
    words: lease + 5,
  };
}
