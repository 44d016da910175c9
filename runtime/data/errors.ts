/**
 * Every way in which the data plane can fail, one class each, so that whoever starts an attempt can tell the user's
 * mistake from a lost file, a sick disk or user code that threw.
 *
 * All carry where it happened: `place`, the file or pattern that the failure is about, or the `site` in the user's data.
 * Classes do not survive the trip out of a worker thread: there, what is thrown becomes a `Failure` (executor/failure.ts).
 */

/** What is wrong with an input that the user named; nothing has been started yet. */
export type InputErrorCode =
  | 'missing'
  | 'unreadable'
  | 'nothing-matched'
  | 'is-special'
  | 'output-inside-input'
  | 'input-inside-output';

/** A user's mistake about inputs: what (`message`), where (`place`) and what to do (`next`). */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly code: InputErrorCode;
  readonly place: string;
  readonly next: string;

  constructor(code: InputErrorCode, place: string, message: string, next: string) {
    super(message);
    this.code = code;
    this.place = place;
    this.next = next;
  }
}

/** An input whose bytes make no sense: a gzip file cut short, a line without end. `offset` is in bytes of the file. */
export class InputDataError extends Error {
  override readonly name = 'InputDataError';
  readonly place: string;
  readonly offset: number;
  /** Where one record is to blame, and the rest can be read: its name within its task (jobs/record-id.ts). */
  record: string | undefined;

  constructor(place: string, offset: number, reason: string, options?: ErrorOptions) {
    super(`${place}, byte ${offset}: ${reason}`, options);
    this.place = place;
    this.offset = offset;
  }
}

/** An input is no longer the file that was planned: another size, modification time or inode, or gone. */
export class InputChangedError extends Error {
  override readonly name = 'InputChangedError';
  readonly place: string;

  constructor(place: string, reason: string) {
    super(`input changed since the job was planned: ${place}: ${reason}`);
    this.place = place;
  }
}

/** An intermediate file fails its checksums; the attempt that wrote it has to be run again. */
export class SegmentCorruptError extends Error {
  override readonly name = 'SegmentCorruptError';
  readonly place: string;

  constructor(place: string, reason: string) {
    super(`intermediate file ${place} is damaged: ${reason}`);
    this.place = place;
  }
}

/** An intermediate file is gone; the attempt that wrote it has to be run again. */
export class SegmentMissingError extends Error {
  override readonly name = 'SegmentMissingError';
  readonly place: string;

  constructor(place: string) {
    super(`intermediate file ${place} is missing`);
    this.place = place;
  }
}

/** A reduce cannot read one of its inputs: `task` is the map whose file it is, `cause` one of the two errors above. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  readonly place: string;
  readonly task: number;

  constructor(task: number, cause: SegmentCorruptError | SegmentMissingError | DiskError) {
    super(`cannot read the output of map-${task}: ${cause.message}`, { cause });
    this.place = cause.place;
    this.task = task;
  }
}

const manyOpen = 'too many files are open at once (a higher limit helps: ulimit -n)';

const troubles: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the disk',
  EROFS: 'the file system is read-only',
  EMFILE: manyOpen,
  ENFILE: manyOpen,
  ELOOP: 'its symbolic links go in a circle',
  ENAMETOOLONG: 'its name or path is too long',
};

/** What a disk refused, by the name that the system gives it. */
export function diskTrouble(errno: string): string {
  return troubles[errno] ?? `disk error ${errno}`;
}

/** The disk refused: full, read-only, failing. `errno` is the name the system gives it, such as `ENOSPC`. */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly place: string;
  readonly errno: string;

  constructor(place: string, errno: string, cause: unknown) {
    super(`${diskTrouble(errno)}: ${place}`, { cause });
    this.place = place;
    this.errno = errno;
  }
}

/** Whether it is because no more files may be open: nobody's fault, and over when some are closed. */
export function isForManyOpen(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  return [code, cause?.code].some((name) => name === 'EMFILE' || name === 'ENFILE');
}

/** What user code was busy with: a line of an input, or a key. */
export interface UserCodeSite {
  readonly input?: string;
  /** Bytes from the start of the (decompressed) input to the start of the line. */
  readonly offset?: number;
  readonly key?: string;
  /** The name of the record within its task (jobs/record-id.ts). */
  readonly record?: string;
}

/** User code threw. `cause` is what it threw, with its own stack; `site` is what it was given. */
export class UserCodeError extends Error {
  override readonly name = 'UserCodeError';
  readonly site: UserCodeSite;

  constructor(site: UserCodeSite, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.site = site;
  }
}

/** The record that is to blame for a failure, if it is known. */
export function blamedRecord(error: unknown): string | undefined {
  if (error instanceof UserCodeError) return error.site.record;
  return error instanceof InputDataError ? error.record : undefined;
}

/** One of the failures that say for themselves what happened: they are never wrapped a second time. */
export function isDataError(error: unknown): boolean {
  return (
    error instanceof InputError ||
    error instanceof InputDataError ||
    error instanceof InputChangedError ||
    error instanceof SegmentCorruptError ||
    error instanceof SegmentMissingError ||
    error instanceof SourceError ||
    error instanceof DiskError ||
    error instanceof UserCodeError
  );
}
