/** A mistake found while a scenario is read: where it is by path; load.ts turns paths into lines and columns. */

export interface Issue {
  /** Keys and list indexes from the top of the file. */
  readonly path: readonly (string | number)[];
  readonly code: string;
  readonly message: string;
  /** The carets stand under the key instead of its value. */
  readonly atKey?: boolean;
  readonly label?: string;
  readonly suggestion?: string;
}

export type Report = (issue: Issue) => void;

export function oneOf(names: readonly string[]): string {
  return `one of: ${names.join(', ')}`;
}
