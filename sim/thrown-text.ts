/** What user code threw, in words: anything can be thrown. */
export function thrownText(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  return `thrown: ${typeof thrown === 'string' ? thrown : (safeJson(thrown) ?? typeof thrown)}`;
}

/** Of a message that may have many: ends of lines are those of any system. */
export function firstLine(text: string): string {
  return text.split(/[\r\n]/, 1)[0]!;
}

function safeJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
