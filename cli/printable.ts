/**
 * Texts with control characters as JSON writes them: what user code throws may else colour a terminal, or clear it. All
 * but ends of lines and tabs; a JSON document means the same as before.
 */
export function printable(text: string): string {
  return text.replace(
    /(?!\r\n)[^\P{Cc}\t\n]/gu,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
