/** What a user is told to type again, as a shell reads it. */

/** Nothing in it means anything to a shell. */
const plainWord = /^[\w@%+=:,./-]+$/;

/** A word of a command. */
export function commandWord(text: string): string {
  return plainWord.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
