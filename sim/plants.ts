/**
 * Places where a test can make the world or a machine do wrong, so that checkers are seen to fail. All absent outside
 * tests. Bugs of the sources themselves are planted without any such place: see test/plants.
 */
import type { Effect } from '../core/effects.js';
import type { MachineEvent } from '../core/events.js';
import type { Life } from './nodes.js';

export interface Plants {
  /** What the machine is told instead of what happened; undefined: nothing. */
  event?(life: Life, event: MachineEvent): MachineEvent | undefined;
  /** What the world performs instead of what the machine asked for. */
  effects?(life: Life, event: MachineEvent, effects: readonly Effect[]): readonly Effect[];
  readonly acknowledgeBeforeSync?: boolean;
}
