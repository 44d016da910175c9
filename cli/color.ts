/**
 * Colours on stderr, for people: the word with which a line judges is red or green. They repeat what the word says, and
 * data on stdout has none.
 */
export type ColorWhen = 'auto' | 'always' | 'never';

let isWanted: boolean | undefined;

/** What `--color` said; `auto` until then. */
export function useColor(when: ColorWhen): void {
  isWanted = when === 'auto' ? undefined : when === 'always';
}

/** The line, with its first word in colour if it is a judgement and colours are wanted. */
export function painted(line: string): string {
  if (!(isWanted ?? isSuitable())) return line;
  return line.replace(
    /^(?:(error\[\w+\]|FAIL)|ok)(?=[ :])/,
    (word, bad) => `\x1b[${bad ? 31 : 32}m${word}\x1b[39m`,
  );
}

/** https://no-color.org, and terminals that say that they cannot. */
function isSuitable(): boolean {
  const { NO_COLOR, TERM } = process.env;
  return process.stderr.isTTY === true && (NO_COLOR ?? '') === '' && TERM !== 'dumb';
}
