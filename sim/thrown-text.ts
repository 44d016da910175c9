/** What user code threw, in words: anything can be thrown. */
export function thrownText(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  return `thrown: ${typeof thrown === 'string' ? thrown : (safeJson(thrown) ?? typeof thrown)}`;
}

function safeJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
