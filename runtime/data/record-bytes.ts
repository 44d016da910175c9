/** Whole records as they lie in a segment (segments/format.ts), read from memory. They are as the kernel gave them: nothing is checked. */

/** What `toString` calls in the end; per record, the way there costs as much as the decoding. */
interface Slices {
  utf8Slice(start: number, end: number): string;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export class RecordBytes {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get exhausted(): boolean {
    return this.#at === this.#bytes.length;
  }

  varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++]!;
    let value = byte & 127;
    for (let scale = 128; byte >= 128; scale *= 128) {
      byte = bytes[this.#at++]!;
      value += (byte & 127) * scale;
    }
    return value;
  }

  text(length: number): string {
    const start = this.#at;
    this.#at += length;
    return (this.#bytes as unknown as Slices).utf8Slice(start, this.#at);
  }

  /** The key of the record; `last` itself, if it is the same. */
  key(last: LastKey): string {
    const length = this.varint();
    if (this.#isSame(last, length)) {
      this.#at += length;
      return last.text;
    }
    if (length > last.bytes.length) last.bytes = new Uint8Array(2 * length);
    for (let index = 0; index < length; index++) last.bytes[index] = this.#bytes[this.#at + index]!;
    last.length = length;
    return (last.text = this.text(length));
  }

  value(): unknown {
    const tagged = this.varint();
    switch (tagged % 4) {
      case 0:
        return tagged / 4;
      case 1:
        return this.#json((tagged - 1) / 4);
      default:
        this.#at += 8;
        return this.#bytes.readDoubleLE(this.#at - 8);
    }
  }

  /** Most values are strings without anything to unescape. */
  #json(length: number): unknown {
    const bytes = this.#bytes;
    const start = this.#at;
    if (bytes[start] === QUOTE) {
      let at = start + 1;
      const end = start + length - 1;
      while (at < end && bytes[at] !== BACKSLASH) at++;
      if (at === end) {
        this.#at = start + length;
        return (bytes as unknown as Slices).utf8Slice(start + 1, end);
      }
    }
    return JSON.parse(this.text(length));
  }

  #isSame({ bytes: last, length: lastLength }: LastKey, length: number): boolean {
    if (lastLength !== length) return false;
    const bytes = this.#bytes;
    const start = this.#at;
    for (let index = 0; index < length; index++) if (bytes[start + index] !== last[index]) return false;
    return true;
  }
}

/** The key that was read last, so that those of one group become one string. */
export class LastKey {
  bytes: Uint8Array = new Uint8Array(256);
  length = 0;
  text = '';
}
