import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { collectSoon } from '../../../runtime/data/garbage.js';

const large = 2 ** 30;

/** Whether something of which nobody knows any more is gone a turn after it was asked for. */
async function isGoneAfter(collecting: () => void): Promise<boolean> {
  const known = (() => new WeakRef({ run: [1, 2, 3] }))();
  await turn();
  collecting();
  await turn();
  return known.deref() === undefined;
}

describe('garbage', () => {
  it('is collected in the next turn', async () => {
    expect(await isGoneAfter(() => collectSoon(large))).toBe(true);
  });

  it('is left to the engine where little was spilled, or more lives than the budget explains', async () => {
    expect(await isGoneAfter(() => collectSoon(1024))).toBe(false);
    const kept = Array.from({ length: 2 ** 22 }, (_, index) => index + 0.5);
    expect(await isGoneAfter(() => collectSoon(8 * 1024 * 1024))).toBe(false);
    expect(kept).toHaveLength(2 ** 22);
  });
});
