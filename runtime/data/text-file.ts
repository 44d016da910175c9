/**
 * The output file of one reduce attempt: text, written through one reused buffer, named only when it is whole and on
 * the disk.
 */
import { createHash } from 'node:crypto';
import { PrivateFile } from './disk.js';

const BUFFER_BYTES = 256 * 1024;
const UTF8_BYTES_PER_UNIT_MAX = 3;

export interface TextSummary {
  readonly bytes: number;
  /** sha256 of the text, in lowercase hex. */
  readonly digest: string;
}

/** Writes a text file piece by piece; ends with `finish` or `abandon`. Throws DiskError. */
export class TextFile {
  readonly #file: PrivateFile;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  readonly #digest = createHash('sha256');
  #used = 0;
  #bytes = 0;

  constructor(path: string) {
    this.#file = new PrivateFile(path);
  }

  write(text: string): void {
    const bytesMax = text.length * UTF8_BYTES_PER_UNIT_MAX;
    if (bytesMax > BUFFER_BYTES - this.#used) this.#flush();
    if (bytesMax > BUFFER_BYTES) this.#put(Buffer.from(text));
    else this.#used += this.#buffer.write(text, this.#used);
  }

  writeBytes(bytes: Uint8Array): void {
    this.#flush();
    this.#put(bytes);
  }

  /** Forces the file to the disk and gives it its name. */
  finish(): TextSummary {
    this.#flush();
    this.#file.finish(true);
    return { bytes: this.#bytes, digest: this.#digest.digest('hex') };
  }

  /** Gives up and removes what was written. */
  abandon(): void {
    this.#file.abandon();
  }

  #flush(): void {
    if (this.#used > 0) this.#put(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  #put(bytes: Uint8Array): void {
    this.#digest.update(bytes);
    this.#bytes += bytes.length;
    this.#file.write(bytes);
  }
}
