/** Times with which no job can ever end, whatever the seed: said when they are read, at their place. */
import { leaseAnswerUsMax } from '../lease-model.js';
import { durationText } from './duration.js';
import type { Report } from './issue.js';
import type { RawScenario } from './schema.js';
import type { ScenarioCluster } from './types.js';

type Path = readonly (string | number)[];

/** A session is asked for, opened, used for a hello and answered: silence counts from the first to the last. */
const messagesToAnswer = 4;

export function checkTimes(raw: RawScenario, cluster: ScenarioCluster, report: Report): void {
  const { beatUs, masterLeaseUs } = cluster;
  const refuse = (path: Path, message: string, label?: string): void =>
    report({ path, code: 'S018', message, ...(label === undefined ? {} : { label }) });
  if (masterLeaseUs < leaseAnswerUsMax) {
    const label = `whoever asks for it may be answered after ${durationText(leaseAnswerUsMax)}`;
    refuse(
      ['policy', 'masterLease'],
      `a lease of ${durationText(masterLeaseUs)} is over before anybody leads`,
      label,
    );
  }
  if (beatUs === 0) {
    const label = raw.policy?.beat === undefined ? 'a beat is a quarter of it' : undefined;
    refuse(placeOf(raw, ['beat', 'lease']), 'a beat of 0 µs would never let anything else happen', label);
    return;
  }
  const why = whyOutOfReach(cluster);
  if (why === undefined || raw.faults?.some(({ drift }) => drift !== undefined)) return; // a clock may run far slower by then
  const isFar = raw.cluster?.latency !== undefined;
  refuse(isFar ? ['cluster', 'latency'] : placeOf(raw, ['suspect', 'beat', 'lease']), why);
}

/** Of what decides a time, the first that the file has. */
function placeOf({ policy }: RawScenario, keys: readonly ('suspect' | 'beat' | 'lease')[]): Path {
  return ['policy', keys.find((key) => policy?.[key] !== undefined) ?? keys[0]!];
}

/** Clocks that run slow wait longer. */
function whyOutOfReach({ latencyUs, suspectUs, clockDriftPercent }: ScenarioCluster): string | undefined {
  const quickestUs = messagesToAnswer * latencyUs.min * (1 - clockDriftPercent / 100);
  if (quickestUs <= suspectUs) return undefined;
  return (
    `no master can be reached: that takes ${messagesToAnswer} messages of at least ${durationText(latencyUs.min)} each, ` +
    `and after ${durationText(suspectUs)} of silence it is given up`
  );
}
