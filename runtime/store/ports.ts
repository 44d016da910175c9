// The ports behind which every store stands: a journal that carries all safety, a lease that only advises, and
// files found by the hash of their content. An adapter knows nothing of what a record means, and whoever uses a
// port knows nothing of the store behind it. `test/runtime/store/journal-contract.ts` holds what an adapter owes.

/** One confirmed batch of records. `Record` is plain data that JSON carries without loss. */
export interface JournalEntry<Record = unknown> {
  /** Place in the journal, counted from 1 without gaps. */
  readonly slot: number;
  /** Chosen by whoever appended, so that a retry recognises its own entry. */
  readonly nonce: string;
  /** Nonce of the entry in the slot before; '' in slot 1. */
  readonly after: string;
  readonly records: readonly Record[];
}

/** What is to be appended. With `after`, only behind the entry with that nonce; else behind whatever is there. */
export interface JournalBatch<Record = unknown> {
  readonly nonce: string;
  readonly after?: string;
  readonly records: readonly Record[];
}

/**
 * What became of an append.
 * - `ok`: the entry is durable in its slot for ever.
 * - `taken`: this call appended nothing. With `entry`: what the slot holds; an entry with the caller's own nonce
 *   means that an earlier, unanswered append had happened. Without: the slot is trimmed, or it is not the next one
 *   (it would leave a gap), or it would not follow the entry named by `after`, or somebody else took the journal
 *   over and has not filled it yet; reading on tells which.
 * - `unknown`: it may have happened or may still happen; retrying the same slot with the same nonce gives the truth.
 */
export type AppendResult<Record = unknown> =
  | { readonly outcome: 'ok'; readonly entry: JournalEntry<Record> }
  | { readonly outcome: 'taken'; readonly entry?: JournalEntry<Record> }
  | { readonly outcome: 'unknown'; readonly reason: string };

/** A totally ordered log of small batches. */
export interface Journal<Record = unknown> {
  /** Why this handle can no longer be trusted to write (its process should end), or undefined. */
  readonly failed: string | undefined;

  /**
   * Creates slot `slot` if it is absent and slot − 1 exists and is the one that `batch.after` names. Answers within
   * about `deadlineMs` milliseconds of the call; `Infinity` waits for the store.
   */
  append(slot: number, batch: JournalBatch<Record>, deadlineMs: number): Promise<AppendResult<Record>>;

  /**
   * Up to `limit` entries from slot `from` on, in order and without gaps. Linearizable: whatever was confirmed
   * before the call is seen. A page from below `first` has no entries: they are trimmed.
   */
  read(from: number, limit: number): Promise<JournalPage<Record>>;

  /**
   * Drops the slots below `first`, if the entry there has this nonce: its caller says that a whole snapshot begins
   * with it. Does nothing when that is not so, or when this handle does not own the journal: the owner will. May free
   * space later than it makes slots unreadable. Never rejects; a write that failed shows in `failed`.
   */
  trim(first: number, nonce: string): Promise<void>;

  close(): Promise<void>;
}

export interface JournalPage<Record = unknown> {
  readonly entries: readonly JournalEntry<Record>[];
  /** The journal held nothing beyond the last entry returned. */
  readonly end: boolean;
  /** The first slot that is not trimmed. */
  readonly first: number;
}

/** Says who may try to lead, never who is right. */
export interface Lease {
  /**
   * Campaigns until granted; once granted, renews. `request` is the caller's number for this call and comes back
   * with the grant, so a refused or unanswered request shows by silence.
   */
  request(request: number, ttlMs: number): void;
  /**
   * Each grant and each renewal that the store confirmed. `request` is the latest one made before the confirmed
   * write left, and the lease counts from there.
   */
  onGranted(callback: (request: number) => void): void;
  /** Another holder was seen after a grant. */
  onLost(callback: () => void): void;
  /** The store refuses to be written, and will go on refusing: whoever only waits for a grant would wait for ever. */
  onFailed(callback: (reason: string) => void): void;
  /** Stops campaigning and gives the lease back if it is held. */
  resign(): Promise<void>;
  /** Stops without giving back. Leaves no timer and no socket. */
  close(): Promise<void>;
}

/** Immutable content under the SHA-256 of its bytes (64 lowercase hex digits). */
export interface Files {
  /** Durable when it returns. True if it was absent. A key that is not the hash of `bytes` is a RangeError. */
  putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean>;
  /** The verified bytes, or undefined if absent. Content that no longer matches its key is a CorruptFileError. */
  get(key: string): Promise<Buffer | undefined>;
}
