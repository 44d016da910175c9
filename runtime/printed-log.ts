/**
 * What the user code of one attempt prints, or one process: a file, made when there is something to put in. Written at once,
 * so that it is there however soon we end; a disk that refuses must not end anybody over a log.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** What is printed beyond this is dropped. */
const bytesMax = 16 * 1024 * 1024;

export class PrintedLog {
  readonly #path: string;
  #file: number | undefined;
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  write(bytes: Uint8Array): void {
    if (this.#bytes >= bytesMax) return;
    this.#bytes += bytes.length;
    try {
      this.#file ??= this.#open();
      writeSync(this.#file, bytes);
    } catch {
      this.#bytes = bytesMax;
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #open(): number {
    mkdirSync(dirname(this.#path), { recursive: true });
    return openSync(this.#path, 'a');
  }
}
