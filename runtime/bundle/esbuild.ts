/** esbuild, loaded when something is to be compiled. */
import { createRequire } from 'node:module';

/** To import a CommonJS module, Node first looks through all of its text for what it exports: 20 ms for esbuild's. */
const require = createRequire(import.meta.url);

export function loadEsbuild(): typeof import('esbuild') {
  return require('esbuild') as typeof import('esbuild');
}
