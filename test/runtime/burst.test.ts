import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Burst, gatherMs } from '../../runtime/burst.js';

describe('A burst', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('never lets wait who comes now and then', () => {
    const burst = new Burst();
    for (let time = 0; time < 100; time++) {
      expect(burst.hurries()).toBe(false);
      vi.advanceTimersByTime(gatherMs);
    }
  });

  it('lets wait who comes often, until there was some quiet', () => {
    const burst = new Burst();
    for (let time = 0; time < 8; time++) expect(burst.hurries()).toBe(false);
    expect(burst.hurries()).toBe(true);
    vi.advanceTimersByTime(gatherMs / 2);
    expect(burst.hurries()).toBe(true);
    vi.advanceTimersByTime(10 * gatherMs);
    expect(burst.hurries()).toBe(false);
  });
});
