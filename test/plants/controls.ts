/** Negative controls: a checker that is switched off lets its bug live, and a scenario that does nothing says so. */
import type { Detection } from './detectors.js';
import { type Control, loadPlant } from './plants.js';
import { PlantedSimulator } from './simulation.js';
import { playOf } from './stage.js';

/** `caught`: it went as it must. */
export async function runControl(control: Control): Promise<Detection> {
  const { name, plant, patches = [], expect } = control;
  const bug = plant === undefined ? [] : loadPlant(plant).patches;
  const simulator = await PlantedSimulator.build({ name, patches: [...bug, ...patches] });
  const { caught, by, ms } = await simulator.play(playOf(control));
  await simulator.close();
  const ending = caught ? by! : 'survives';
  return { caught: ending === expect, by: ending, ms };
}
