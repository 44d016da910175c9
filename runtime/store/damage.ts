/** What a store held is gone or is no longer what it was: trying again does not bring it back, and no job is to blame. */
export class StoreDamagedError extends Error {
  override readonly name: string = 'StoreDamagedError';
}

const names: ReadonlySet<string> = new Set(['StoreDamagedError', 'CorruptFileError', 'JournalCorruptError']);

/** Also of an error that another process has told of: only its name has come along. */
export function isStoreDamage(error: unknown): error is Error {
  return error instanceof Error && names.has(error.name);
}
