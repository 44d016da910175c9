/**
 * The rules of the world as looks into tables: each comparison is made once, and its answer is the number of the text of
 * what is wrong, 0 when all is well.
 */
import type { DurableState } from '../../../core/durable/state.js';
import { InvariantError } from '../../../core/invariant-error.js';
import type { Shelf } from './labour.js';
import type { Parts } from './parts.js';
import { judgeClaim, judgeEntry, judgeFiles, judgeMemory } from './rules.js';
import { Memo } from './table.js';

export class Judgements {
  readonly #parts: Parts;
  /** A journal and a shelf as one number. */
  readonly #pairs: Memo<number>;
  readonly #worlds: Memo<number>;
  readonly #claims: Memo<number>;
  readonly #entries: Memo<number>;
  readonly #memories: Memo<number>;

  constructor(parts: Parts) {
    const { claims, journals, locals } = parts;
    const pairs: [number, number][] = [];
    this.#parts = parts;
    this.#pairs = new Memo((journal, shelf) => pairs.push([journal, shelf]) - 1);
    this.#worlds = new Memo((journal, shelf) =>
      this.#judge([journal, shelf], (durable, files) => files.broken ?? judgeFiles(durable, files)),
    );
    this.#claims = new Memo((claim, pair) =>
      this.#judge(pairs[pair]!, (durable, files) => judgeClaim(claims.value(claim), durable, files)),
    );
    this.#entries = new Memo((entry, pair) =>
      this.#judge(pairs[pair]!, (durable, files) =>
        judgeEntry(journals.entries.value(entry), durable, files),
      ),
    );
    this.#memories = new Memo((local, journal) =>
      parts.textOf(judgeMemory(locals.table.value(local), journal, journals)),
    );
  }

  /** Of the journal and the files. */
  world(journal: number, shelf: number): number {
    return this.#worlds.get(journal, shelf);
  }

  /** Of what somebody says of the world. */
  claim(claim: number, journal: number, shelf: number): number {
    return this.#claims.get(claim, this.#pairs.get(journal, shelf));
  }

  /** Of an entry, when this is the journal before it. */
  entry(entry: number, journal: number, shelf: number): number {
    return this.#entries.get(entry, this.#pairs.get(journal, shelf));
  }

  /** Of what a master remembers. */
  memory(local: number, journal: number): number {
    return this.#memories.get(local, journal);
  }

  #judge(
    [journal, shelf]: readonly [number, number],
    judge: (durable: DurableState, files: Shelf) => string | undefined,
  ): number {
    const { journals, shelf: shelves } = this.#parts;
    const durable = journals.fold(journal);
    if (durable instanceof InvariantError) return this.#parts.textOf(durable.message);
    return this.#parts.textOf(judge(durable, shelves.values.value(shelf)));
  }
}
