import { describe, expect, it } from 'vitest';
import { possibleStrikes } from '../../sim/coverage/phases.js';
import { Campaign, type CampaignOptions, type Chunk } from '../../sim/fuzz/campaign.js';
import { runChunk } from '../../sim/fuzz/chunk.js';
import type { Plants } from '../../sim/plants.js';

const tiny = { size: 'tiny', faultsMax: 2 } as const;

/** Runs the campaign with so many chunks under way at once, the last one begun reported first. */
function hold(options: CampaignOptions, threads: number, plants?: () => Plants): Campaign {
  const campaign = new Campaign(options);
  for (;;) {
    const chunks: Chunk[] = [];
    for (let chunk = campaign.take(); chunk; chunk = chunks.length < threads ? campaign.take() : undefined) {
      chunks.push(chunk);
    }
    if (chunks.length === 0) return campaign;
    for (const chunk of chunks.reverse()) campaign.add(runChunk(chunk, plants ? { plants } : {}));
  }
}

describe('a campaign', () => {
  it('runs every seed once, and comes to the same however many threads there are', () => {
    const options = { from: 1, to: 230, given: tiny };
    const one = hold(options, 1);
    const three = hold(options, 3);
    expect(one.finished && three.finished).toBe(true);
    expect(one.runs).toBe(230);
    expect(three.coverage).toEqual(one.coverage);
    expect([three.steps, three.verdicts]).toEqual([one.steps, one.verdicts]);
  });

  it('that is told to stop ends its chunk after the seed that runs, and is not finished', () => {
    const campaign = new Campaign({ from: 1, to: 4, given: tiny });
    const asked = [false, true];
    campaign.add(runChunk(campaign.take()!, { stops: () => asked.shift()! }));
    expect(campaign.runs).toBe(2);
    expect(campaign.take()).toBeUndefined();
    expect(campaign.finished).toBe(false);
  });

  it('goes on where it was cut: with the first seed that was not reported, so that none is left out', () => {
    const campaign = new Campaign({ from: 11, given: tiny });
    const report = (chunk: Chunk, runs: number) => ({
      ...runChunk({ ...chunk, seeds: chunk.seeds.slice(0, 1) }),
      runs,
      cut: runs < chunk.seeds.length,
    });
    const [first, second, third] = [campaign.take()!, campaign.take()!, campaign.take()!];
    expect(campaign.next).toBe(11);
    campaign.add(report(second, 50));
    expect(campaign.next).toBe(11);
    campaign.add(report(first, 50));
    expect(campaign.next).toBe(111);
    campaign.add(report(third, 7));
    expect(campaign.next).toBe(118);
  });

  it('that is cut and gone on with again and again runs every seed', () => {
    const ran = new Set<number>();
    let from = 1;
    for (let times = 0; times < 8; times++) {
      const campaign = new Campaign({ from, given: tiny });
      const chunks = [campaign.take()!, campaign.take()!, campaign.take()!];
      chunks.pop(); // killed: nobody hears of it
      for (const [place, chunk] of chunks.reverse().entries()) {
        let runs = 0;
        const stops = (): boolean => ++runs >= 2 + place + times;
        const report = runChunk(chunk, { stops });
        for (const { seed } of chunk.seeds.slice(0, report.runs)) ran.add(seed);
        campaign.add(report);
      }
      from = campaign.next;
    }
    expect([...ran].sort((a, b) => a - b).slice(0, from - 1)).toEqual(
      Array.from({ length: from - 1 }, (_, index) => index + 1),
    );
    expect(from).toBeGreaterThan(8);
  });

  it('finds a planted bug, shrinks some of its failures and counts the others', () => {
    const { failures } = hold({ from: 1, to: 40, given: tiny }, 1, () => ({ acknowledgeBeforeSync: true }));
    expect(failures.length).toBeGreaterThan(10);
    expect(new Set(failures.map(({ id }) => id))).toEqual(new Set(['C2']));
    const shrunk = failures.filter(({ scenario }) => scenario);
    expect(shrunk).toHaveLength(3);
    for (const { scenario, minimal } of shrunk) {
      expect(scenario!.faults).toEqual([]);
      expect(minimal).toBe(true);
    }
  });

  it('runs a part of its seeds twice', () => {
    const { seeds } = new Campaign({ from: 1, to: 50, given: {} }).take()!;
    expect(seeds.filter(({ twice }) => twice).map(({ seed }) => seed)).toEqual([1, 33]);
  });

  it('leaves the first round to chance, and steers the next one to what was not covered', () => {
    const campaign = new Campaign({ from: 1, given: {} });
    const round: Chunk[] = [];
    for (let chunk = campaign.take(); chunk; chunk = campaign.take()) round.push(chunk);
    expect(round.flatMap(({ seeds }) => seeds).every(({ given }) => Object.keys(given).length === 0)).toBe(
      true,
    );
    for (const { number, seeds } of round) {
      const coverage = { tuples: { rare: 1 }, strikes: { 'crash in map': 1 }, firsts: { rare: '17' } };
      const base = { verdicts: {}, inconclusive: [], failures: [], coverage };
      campaign.add({ chunk: number, runs: seeds.length, cut: false, steps: 0, ...base });
    }
    const wanted: string[] = [];
    let likes = 0;
    for (let chunk = campaign.take(); chunk; chunk = campaign.take()) {
      for (const { given } of chunk.seeds) {
        if (given.focus) wanted.push(`${given.focus.kind} in ${given.focus.phase}`);
        else if (given.like?.join() === '17') likes++;
        else expect(given).toEqual({});
      }
    }
    expect(new Set(wanted)).toEqual(new Set(possibleStrikes().filter((strike) => strike !== 'crash in map')));
    expect(likes).toBeGreaterThan(0);
  });

  it('misses fewer strikes than as many seeds left to chance', () => {
    const given = { size: 'tiny', faultsMax: 2, heal: false } as const;
    const missing = (strikes: object): string[] =>
      possibleStrikes().filter((strike) => !Object.hasOwn(strikes, strike));
    const seeds = Array.from({ length: 800 }, (_, index) => ({ seed: index + 1, given, twice: false }));
    const chance = missing(runChunk({ number: 1, seeds, shrunk: {} }).coverage.strikes);
    const steered = missing(hold({ from: 1, to: 800, given }, 2).coverage.strikes);
    expect(steered.length, steered.join(', ')).toBeLessThan(chance.length);
  });
});
