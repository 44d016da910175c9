/**
 * What reduces have read. Thousands of them read the same thousands of outputs, a few at a time: what is the same is kept
 * once, and what one of them has found readable is not looked at file by file by the next.
 */
import type { AttemptFile, FileModel } from './file-model.js';
import type { LearnedOutputs } from './learned-outputs.js';
import type { Life } from './nodes.js';

type Chunk = readonly (AttemptFile | undefined)[];
type List = LearnedOutputs['list'];

const chunkFiles = 256;

/** What one or more reduces have read, by map. Never changes. */
export class Reading {
  /** How many maps' outputs. */
  readonly count: number;
  readonly #chunks: readonly Chunk[];
  #all: readonly AttemptFile[] | undefined;
  /** What followed for others who had read this and then heard more, by the place up to which they had heard. */
  readonly #steps = new Map<number, ReadingStep>();

  constructor(chunks: readonly Chunk[] = [], count = 0) {
    this.#chunks = chunks;
    this.count = count;
  }

  has(map: number): boolean {
    return this.#chunks[Math.floor(map / chunkFiles)]?.[map % chunkFiles] !== undefined;
  }

  /** With the outputs of some maps more. O(files + maps / chunk). */
  with(files: readonly AttemptFile[]): Reading {
    const chunks = [...this.#chunks];
    for (const file of files) {
      const { task } = file.attempt;
      const place = Math.floor(task / chunkFiles);
      let chunk = chunks[place];
      if (chunk === undefined || chunk === this.#chunks[place]) chunks[place] = chunk = [...(chunk ?? [])];
      (chunk as (AttemptFile | undefined)[])[task % chunkFiles] = file;
    }
    return new Reading(chunks, this.count + files.length);
  }

  /** Of all maps, in their order: always the same list. */
  all(): readonly AttemptFile[] {
    return (this.#all ??= this.#chunks.flat() as AttemptFile[]);
  }

  /** O(maps) for one that is the same, and less for another. */
  isSame(other: Reading): boolean {
    if (this.count !== other.count || this.#chunks.length !== other.#chunks.length) return false;
    return this.#chunks.every((chunk, place) => {
      const counterpart = other.#chunks[place];
      return chunk === counterpart || (counterpart !== undefined && sameFiles(chunk, counterpart));
    });
  }

  /** What somebody who has read this, and heard the list up to `from`, reads of what there is until now. */
  next(known: LearnedOutputs, from: number, files: FileModel): ReadingStep {
    const { list, length } = known;
    const before = this.#steps.get(length);
    if (before?.list === list && before.from === from && before.filesVersion === files.version) return before;
    const step = this.#read(known, from, files);
    this.#steps.set(length, step);
    return step;
  }

  #read(known: LearnedOutputs, from: number, files: FileModel): ReadingStep {
    const read: AttemptFile[] = [];
    const servers = new Set<Life>();
    const { list } = known;
    const filesVersion = files.version;
    for (const map of known.since(from)) {
      const source = known.of(map);
      if (source === undefined || this.has(map)) continue;
      const file = files.find(source.attempt);
      if (file?.state !== 'whole') return { list, from, filesVersion, servers: [], reading: undefined };
      const server = files.server(file);
      if (server) servers.add(server);
      read.push(file);
    }
    return { list, from, filesVersion, servers: [...servers], reading: interned(known, this.with(read)) };
  }
}

export interface ReadingStep {
  readonly list: List;
  readonly from: number;
  /** It holds as long as no file of a map has gone since. */
  readonly filesVersion: number;
  /** Whoever must answer for the files to be read. */
  readonly servers: readonly Life[];
  /** What has been read then; undefined when some file cannot be read by anybody. */
  readonly reading: Reading | undefined;
}

/** By list and length, what those who had heard so much have read: mostly one. */
const known = new WeakMap<List, Map<number, Reading[]>>();

/** The one that was there before, when it is the same: those who have come by different ways go on together. */
function interned({ list, length }: LearnedOutputs, reading: Reading): Reading {
  let ofList = known.get(list);
  if (!ofList) known.set(list, (ofList = new Map()));
  let readings = ofList.get(length);
  if (!readings) ofList.set(length, (readings = []));
  const same = readings.find((other) => other.isSame(reading));
  if (!same) readings.push(reading);
  return same ?? reading;
}

function sameFiles(a: Chunk, b: Chunk): boolean {
  if (a.length !== b.length) return false;
  for (let place = 0; place < a.length; place++) if (a[place] !== b[place]) return false;
  return true;
}
