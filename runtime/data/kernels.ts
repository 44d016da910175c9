/**
 * The kernel of this thread: compiled once, its memory reused from attempt to attempt.
 *
 * Where there is no WebAssembly (a Node started with --jitless), or no address space for its memory (`ulimit -v`), it is the
 * one in TypeScript, slow and to the same effect.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import type { Kernel } from '../../kernel/kernel.js';
import { PlainKernel } from '../../kernel/plain-kernel.js';
import { RowKernel } from '../../kernel/row-kernel.js';
import { hasWebAssembly, WasmKernel } from '../../kernel/wasm-kernel.js';

/** Relative to this file, as compiled and as source. */
const PLACES = ['../../kernel/', '../../dist/kernel/'];

let kernel: Kernel | undefined;
let ofWords: Kernel | undefined;
let ofRows: RowKernel | undefined;

/** A thread that begins with so much has its kernel optimized before the first byte: that takes 20 ms. */
const OPTIMIZED_FROM_BYTES = 1024 * 1024;

/** `bytes` is how much it is to read for a start. */
export function kernelOfThread(bytes = 0): Kernel {
  if (kernel === undefined && bytes >= OPTIMIZED_FROM_BYTES) setFlagsFromString('--no-liftoff');
  kernel ??= newKernel();
  return kernel;
}

/** A second one, for who counts words before the first takes what is made of them. */
export function kernelOfWords(): Kernel {
  ofWords ??= newKernel();
  return ofWords;
}

/** The one that groups lines of JSON; undefined where there is none. */
export function kernelOfRows(): RowKernel | undefined {
  ofRows ??= ifPossible(() => new RowKernel(moduleCode('rows.wasm')));
  return ofRows;
}

function newKernel(): Kernel {
  return ifPossible(() => new WasmKernel(moduleCode('kernel.wasm'))) ?? new PlainKernel();
}

function ifPossible<T>(make: () => T): T | undefined {
  if (!hasWebAssembly()) return undefined;
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) return undefined; // what WebAssembly calls being out of memory
    throw error;
  }
}

function moduleCode(module: string): Uint8Array {
  const paths = PLACES.map((place) => fileURLToPath(new URL(`${place}${module}`, import.meta.url)));
  return readFileSync(paths.find((path) => existsSync(path)) ?? paths[0]!);
}
