/** UTF-8 as text, a character for each byte: this folder knows no TextEncoder. */

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The UTF-8 of a text, a character for each byte. */
export function byteText(text: string): string {
  return unescape(encodeURIComponent(text));
}
