/**
 * A run as one NDJSON: a header, then the steps of all nodes in the one order of `mergeTraces`, each with its node, its
 * life and the time since the run's zero, and its cause with the life that it names.
 */
import type { MergedStep, NodeTrace } from '../explain/merge.js';
import { startOf } from '../explain/merge.js';

export const mergedVersion = 'merged.v1';

export function* exportMerged(traces: readonly NodeTrace[], steps: readonly MergedStep[]): Generator<string> {
  const header = {
    merged: mergedVersion,
    driver: traces[0]?.header.driver,
    /** Unix time in microseconds of `atUs` 0; 0 in a simulation. */
    zeroUs: startOf(traces),
    steps: steps.length,
    traces: traces.map(({ header }) => header),
  };
  yield `${JSON.stringify(header)}\n`;
  for (const { node, incarnation, atUs, cause, line } of steps) {
    const known = cause ? { cause } : {};
    yield `${JSON.stringify({ node, incarnation, atUs, ...line, ...known })}\n`;
  }
}
