/** Traces of a scenario of the project, played now, as it is or edited. */
import { readFileSync } from 'node:fs';
import { loadScenarios } from '../../../sim/scenario/load.js';
import { simulate } from '../../../sim/simulate.js';
import { type LifeTrace, TraceRecorder } from '../../../sim/traced.js';

export function tracesOf(name: string, edit = (text: string): string => text): LifeTrace[] {
  const text = readFileSync(new URL(`../../../scenarios/${name}.yaml`, import.meta.url), 'utf8');
  const loaded = loadScenarios(edit(text), name);
  if (!loaded.ok) throw new Error(name);
  const scenario = loaded.scenarios[0]!;
  const recorder = new TraceRecorder(scenario.seed, {});
  simulate(scenario, { onStep: (step) => recorder.stepped(step) });
  return recorder.traces;
}
