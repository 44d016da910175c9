/** Traces of a scenario of the project, played now, as it is or edited. */
import { readFileSync } from 'node:fs';
import { type AttemptStory, nameOf } from '../../../sim/explain/attempts.js';
import { loadScenarios } from '../../../sim/scenario/load.js';
import { simulate } from '../../../sim/simulate.js';
import { type LifeTrace, TraceRecorder } from '../../../sim/traced.js';

/** Of the project: between them they have of everything that a picture of a run has to show. */
export const tellingScenarios = [
  'late-worker',
  'worker-killed-and-back',
  'straggler-overtaken',
  'throwing-map',
  'leader-killed-in-map',
  'committed-map-files-lost',
  'waiting-reduces-give-way',
  'messages-twice-late-and-lost',
  'clocks-that-disagree',
  'store-restored-and-the-next-job',
];

/** What pictures call each attempt: its job is said where there are several. */
export function titlesOf(stories: readonly AttemptStory[]): string[] {
  const isOne = new Set(stories.map(({ job }) => job)).size === 1;
  return stories.map((story) => (isOne ? nameOf(story) : `job-${story.job} ${nameOf(story)}`));
}

export function tracesOf(name: string, edit = (text: string): string => text): LifeTrace[] {
  const text = readFileSync(new URL(`../../../scenarios/${name}.yaml`, import.meta.url), 'utf8');
  const loaded = loadScenarios(edit(text), name);
  if (!loaded.ok) throw new Error(name);
  const scenario = loaded.scenarios[0]!;
  const recorder = new TraceRecorder(scenario.seed, {});
  simulate(scenario, { onStep: (step) => recorder.stepped(step) });
  return recorder.traces;
}
