import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const project = fileURLToPath(new URL('..', import.meta.url));
const script = join(project, 'scripts/check-purity.mjs');

function check(folder: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, folder], { encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

describe('the check of purity', () => {
  let copy: string;

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'purity-'));
    for (const folder of ['core', 'jobs', 'sim']) {
      cpSync(join(project, folder), join(copy, folder), { recursive: true });
    }
  });

  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  test('passes on this project, and has looked at its files', () => {
    const { status, output } = check(project);
    expect(output).toMatch(/^purity: \d+ files, 0 violations$/m);
    expect(Number(/(\d+) files/.exec(output)![1])).toBeGreaterThan(30);
    expect(status).toBe(0);
  });

  test.each([
    ['core', "import { readFileSync } from 'node:fs';\nexport { readFileSync };", 'imports node:fs'],
    ['core', "export * from '../jobs/index.js';", 'core/ imports jobs/index.js'],
    [
      'core',
      "export const load = () => import('../runtime/versions.js');",
      'core/ imports runtime/versions.js',
    ],
    ['core', "import 'yaml';", 'core/ imports yaml'],
    ['core', "import type { Stats } from 'node:fs';\nexport type S = Stats;", 'imports node:fs'],
    ['core', "export type S = import('node:fs').Stats;", 'imports node:fs'],
    ['core', 'export const load = (name: string) => import(name);', 'only running it'],
    ['core', 'export const now = () => Date.now();', 'uses Date'],
    ['core', 'export const now = () => new Date();', 'uses Date'],
    ['core', 'export const now = () => globalThis.performance.now();', 'uses globalThis'],
    ['core', 'export const draw = () => Math.random();', 'uses Math.random'],
    ['core', `export const draw = () => \`\${Math . random()}\`;`, 'uses Math.random'],
    ['core', 'export const id = () => crypto.randomUUID();', 'uses crypto'],
    ['core', 'export const wait = () => setTimeout(() => {}, 1);', 'uses setTimeout'],
    ['core', 'export const env = () => process.env;', 'uses process'],
    ['core', 'export const order = (a: string, b: string) => a.localeCompare(b);', 'uses localeCompare'],
    ['core', 'export const text = (a: number) => a.toLocaleString();', 'uses toLocaleString'],
    ['core', 'export const names = { ...Intl };', 'uses Intl'],
    ['core', 'export const a = 6 / 2, b = Date.now() / 2;', 'uses Date'],
    ['jobs', "export { stateDigest } from '../core/index.js';", 'jobs/ imports core/index.js'],
    ['sim', "export * from '../runtime/versions.js';", 'sim/ imports runtime/versions.js'],
    ['sim', "import { join } from 'node:path';\nexport { join };", 'sim/ imports node:path'],
    ['sim', 'export const draw = () => Math.random();', 'uses Math.random'],
  ])('sees in %s/: %s', (folder, source, message) => {
    const file = join(copy, folder, 'planted.ts');
    writeFileSync(file, `// one line before\n\n${source}\n`);
    try {
      const { status, output } = check(copy);
      expect(output).toContain(`${folder}/planted.ts:3: `);
      expect(output).toContain(message);
      expect(status).toBe(1);
    } finally {
      rmSync(file);
    }
  });

  test.each([
    "// Date.now() is not allowed here\n/* nor Math.random() */\nexport const text = 'Date.now()';",
    `export const text = \`import 'node:fs' at \${1 + 1}, Date\`;`,
    'export const pattern = /Date|process/, other = [/["\'`]/, /[/]Date/];',
    "export const quote = '\\'Date.now()';",
    "export { parse } from 'yaml';",
    "export { stateDigest } from '../core/canonical.js';",
    'export const job = { candidate: 1, updateDate: 2 }, other = job.candidate;',
  ])('does not mind: %s', (source) => {
    const file = join(copy, 'sim', 'innocent.ts');
    writeFileSync(file, source);
    try {
      expect(check(copy)).toMatchObject({ status: 0 });
    } finally {
      rmSync(file);
    }
  });

  test('says in which line, also at the end of a real file', () => {
    const file = join(copy, 'core', 'hash.ts');
    appendFileSync(file, '\nexport const seed = Date.now();\n');
    const { output } = check(copy);
    expect(output).toMatch(/core\/hash\.ts:\d+: uses Date/);
  });
});
