const MEANT: Readonly<Record<string, string>> = { '\\': '\\', t: '\t', n: '\n', r: '\r' };

/** Inverse of `escapeText`. */
export function unescapeText(text: string): string {
  return text.replace(/\\([\\tnr])/g, (_, letter: string) => MEANT[letter]!);
}
