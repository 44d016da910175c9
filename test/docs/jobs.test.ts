/** Every job that docs/jobs.md shows compiles as it is printed, under the strictest types. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(join(root, 'docs/jobs.md'), 'utf8');

it('has examples that compile (needs the build)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rehearse-docs-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/mapreduce-rehearsal'));
  symlinkSync(join(root, 'node_modules/zod'), join(folder, 'node_modules/zod'));
  const examples = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, text]) => text!);
  expect(examples.length).toBeGreaterThan(5);
  // The first is the `job.ts` that later ones import.
  const files = examples.map((_, index) => (index === 0 ? 'job.ts' : `example-${index}.ts`));
  for (const [index, file] of files.entries()) writeFileSync(join(folder, file), examples[index]!);
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--types', '', '--target', 'es2023'];
  const modules = ['--module', 'nodenext', '--allowImportingTsExtensions'];
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const said = compile([compiler, ...options, ...modules, ...files], folder);
  expect(said).toBe('');
}, 60_000);

/** What the compiler says: nothing, if all is well. */
function compile(args: readonly string[], cwd: string): string {
  try {
    return execFileSync(process.execPath, args, { cwd, encoding: 'utf8' });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}
