/**
 * Planted bugs: places where a test can make the world or a machine do wrong, so that checkers are seen to fail. All
 * absent outside tests.
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
  readonly abortDeletesFinished?: boolean;
  /** A publisher that does not mind what is in its way. */
  readonly publishForces?: boolean;
  /** Parts are written where the output is to be. */
  readonly publishInPlace?: boolean;
}
