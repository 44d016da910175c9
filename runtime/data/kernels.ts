/**
 * The kernel of this thread: compiled once, its memory reused from attempt to attempt.
 *
 * Where there is no WebAssembly (a Node started with --jitless) there is none, and everything takes the general lane.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import type { Kernel } from '../../kernel/kernel.js';
import { hasWebAssembly, WasmKernel } from '../../kernel/wasm-kernel.js';

/** Relative to this file, as compiled and as source. */
const PLACES = ['../../kernel/kernel.wasm', '../../dist/kernel/kernel.wasm'];

let kernel: Kernel | undefined;

/** The kernel, or undefined where WebAssembly is missing. Takes some 20 ms when it is called first. */
export function kernelOfThread(): Kernel | undefined {
  if (kernel === undefined && hasWebAssembly()) {
    // The quick compiler's code would run for the first, and often the only, seconds.
    setFlagsFromString('--no-liftoff');
    kernel = new WasmKernel(readFileSync(modulePath()));
  }
  return kernel;
}

function modulePath(): string {
  const paths = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return paths.find((path) => existsSync(path)) ?? paths[0]!;
}
