import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Job } from '../../../jobs/types.js';
import type { AttemptResult } from '../../../runtime/data/attempt.js';
import { SourceError } from '../../../runtime/data/errors.js';
import type { KnownSource, SourceFeed } from '../../../runtime/data/gather.js';
import { runReduceAttempt } from '../../../runtime/data/reduce-attempt.js';
import type { ReduceAttemptOptions } from '../../../runtime/data/reduce-options.js';
import { SegmentWriter } from '../../../runtime/data/segments/writer.js';
import { temporaryDirectory } from './temporary.js';

/** Shows the order of values. */
const places: Job = {
  name: 'places',
  map: () => {},
  reduce: (_key, values) => [...values].join(','),
};

const partitions = 3;

/** What a map attempt would leave: in each partition some of the letters, each with where it is from. */
function writeOutput(path: string, map: number, letters: string, note = ''): KnownSource {
  const writer = new SegmentWriter(path, { partitions });
  for (let partition = 0; partition < partitions; partition++) {
    for (const letter of [...new Set(letters)].sort())
      writer.write(letter, JSON.stringify(`${map}.${partition}${note}`));
    writer.endPartition();
  }
  return { task: map, path, digest: writer.finish().digest };
}

/** A list of outputs that changes when the reader comes to wait. */
class ScriptedFeed implements SourceFeed {
  readonly #script: (() => void)[];
  readonly sources: (KnownSource | undefined)[];

  constructor(maps: number, script: (feed: (KnownSource | undefined)[]) => (() => void)[]) {
    this.sources = new Array(maps).fill(undefined);
    this.#script = script(this.sources);
  }

  known(): readonly (KnownSource | undefined)[] {
    return [...this.sources];
  }

  async changed(): Promise<void> {
    await null;
    const next = this.#script.shift();
    if (!next) throw new Error('the reader waits for ever');
    next();
  }
}

function optionsOf(
  directory: string,
  sources: ReduceAttemptOptions['sources'],
  more: Partial<ReduceAttemptOptions> = {},
): ReduceAttemptOptions {
  return {
    job: places,
    partition: 1,
    sources,
    budgetBytes: 1 << 20,
    context: { task: 'reduce-1', params: {}, seed: 'seed' },
    privateDirectory: join(directory, 'reduce-1.runs'),
    target: join(directory, 'reduce-1'),
    ...more,
  };
}

async function textOf(options: ReduceAttemptOptions): Promise<{ text: string; result: AttemptResult }> {
  rmSync(options.target, { force: true });
  const result = await runReduceAttempt(options);
  return { text: readFileSync(options.target, 'utf8'), result };
}

describe('a reduce that begins before all maps are done', () => {
  it('makes the same file in whatever order outputs come, go and come again', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'maps'));
    let files = 0;
    const letters = fc.string({ unit: fc.constantFrom(...'abcdef'), maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(letters, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 2, max: 4 }),
        fc.array(fc.tuple(fc.nat(5), fc.constantFrom('come', 'go', 'again', 'other')), { maxLength: 12 }),
        async (contents, fanIn, changes) => {
          const write = (map: number, note = ''): KnownSource =>
            writeOutput(join(directory, 'maps', `${files++}`), map, contents[map]!, note);
          const final = contents.map((_, map) => write(map));
          const feed = new ScriptedFeed(contents.length, (sources) => [
            ...changes.map(([index, change]) => () => {
              const map = index % contents.length;
              if (change === 'go') sources[map] = undefined;
              else if (change === 'other') sources[map] = write(map, 'old');
              else sources[map] = change === 'come' ? final[map] : write(map);
            }),
            () => contents.forEach((_, map) => void (sources[map] = final[map])),
          ]);
          // One map stays away until the end, so that the reader waits through all of it.
          const known = feed.known.bind(feed);
          let ended = false;
          feed.known = () => {
            ended ||= known().every((source, map) => source === final[map]);
            return known().map((source, map) => (map === 0 && !ended ? undefined : source));
          };
          const early = await textOf(optionsOf(directory, feed, { fanIn }));
          const plain = await textOf(optionsOf(directory, final, { fanIn }));
          expect(early).toEqual(plain);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('copies what is there while it waits, and so survives the loss of what it has copied', async () => {
    const directory = temporaryDirectory();
    const first = writeOutput(join(directory, 'map-0'), 0, 'ab');
    const second = writeOutput(join(directory, 'map-1'), 1, 'bc');
    const heard: boolean[] = [];
    const feed = new ScriptedFeed(2, (sources) => [
      () => {
        rmSync(first.path);
        sources[1] = second;
      },
    ]);
    feed.sources[0] = first;
    const { text } = await textOf(
      optionsOf(directory, feed, { onWaiting: (waiting) => heard.push(waiting) }),
    );
    expect(text).toBe('a 0.1\nb 0.1,1.1\nc 1.1\n');
    expect(heard).toEqual([true, false]);
  });

  it('goes forward all the time as seen from outside', async () => {
    const directory = temporaryDirectory();
    const outputs = [0, 1, 2].map((map) => writeOutput(join(directory, `map-${map}`), map, 'abcdef'));
    const feed = new ScriptedFeed(3, (sources) => [
      () => void (sources[0] = outputs[0]),
      () => void ([sources[1], sources[2]] = [outputs[1], outputs[2]]),
    ]);
    feed.sources[2] = outputs[2];
    const seen: number[] = [];
    await textOf(optionsOf(directory, feed, { progress: (done) => seen.push(done) }));
    expect(seen.length).toBeGreaterThan(2);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it('names the map whose output it cannot copy, and leaves nothing', async () => {
    const directory = temporaryDirectory();
    const feed = new ScriptedFeed(2, () => []);
    feed.sources[1] = { task: 1, path: join(directory, 'nowhere'), digest: 'd' };
    const options = optionsOf(directory, feed);
    const failed = runReduceAttempt(options);
    await expect(failed).rejects.toBeInstanceOf(SourceError);
    await expect(failed).rejects.toMatchObject({ task: 1 });
    for (const left of [options.target, options.privateDirectory, `${options.privateDirectory}.copies`])
      expect(() => readFileSync(left)).toThrow('ENOENT');
  });
});
