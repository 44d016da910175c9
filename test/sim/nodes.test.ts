import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Clock, clockUs, setClock, worldUs } from '../../sim/nodes.js';

const clocks = fc.record({
  baseUs: fc.nat(1_000_000_000),
  sinceUs: fc.nat(1_000_000),
  rate: fc.constantFrom(1, 0.05, 0.5, 0.999, 1.001, 1.1, 20),
});

it('a deadline comes when the clock shows it, and not a microsecond before', () => {
  fc.assert(
    fc.property(clocks, fc.nat(100_000_000), (clock, aheadUs) => {
      const deadlineUs = clock.baseUs + aheadUs + 1;
      const atUs = worldUs(clock, deadlineUs);
      expect(clockUs(clock, atUs)).toBeGreaterThanOrEqual(deadlineUs);
      expect(clockUs(clock, atUs - 1)).toBeLessThan(deadlineUs);
    }),
  );
});

it('a clock never goes back, whatever is done to it', () => {
  const change = fc.record({
    passedUs: fc.nat(10_000_000),
    aheadUs: fc.option(fc.nat(1_000_000_000), { nil: 0 }),
    rate: fc.constantFrom(0.05, 0.9, 1, 1.1, 20),
  });
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const clock: Clock = { baseUs: 0, sinceUs: 0, rate: 1 };
      let nowUs = 0;
      let shownUs = 0;
      for (const { passedUs, aheadUs, rate } of changes) {
        nowUs += passedUs;
        expect(clockUs(clock, nowUs)).toBeGreaterThanOrEqual(shownUs);
        setClock(clock, nowUs, { aheadUs, rate });
        const leaptUs = clockUs(clock, nowUs);
        expect(leaptUs).toBeGreaterThanOrEqual(shownUs + aheadUs);
        shownUs = leaptUs;
      }
    }),
  );
});
