import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { machineInvariants } from '../core/invariants.js';
import { runLayout } from '../runtime/node/layout.js';
import { worldInvariants } from '../sim/checkers/violation.js';

const project = fileURLToPath(new URL('..', import.meta.url));
const page = read('ARCHITECTURE.md');

function read(path: string): string {
  return readFileSync(join(project, path), 'utf8');
}

/** The rows of the tables below a heading: the texts of their cells. */
function tableUnder(heading: string): string[][] {
  const from = page.indexOf(`\n## ${heading}\n`);
  expect(from, `no heading "${heading}"`).toBeGreaterThan(0);
  const section = page.slice(from + 4, page.indexOf('\n## ', from + 4) >>> 0);
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  const cells = rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return cells.filter((row, index) => !/^-+$/.test(row[0]!) && !/^-+$/.test(cells[index + 1]?.[0] ?? ''));
}

/** The names in a column of code. */
function names(rows: string[][]): string[] {
  return rows.map((row) => /^`([^`]+)`$/.exec(row[0]!)?.[1] ?? `not a name: ${row[0]}`);
}

/** What stands in a TypeScript source: interfaces with a literal `type`, and unions by their members. */
class Source {
  readonly #types = new Map<string, string>();
  readonly #unions = new Map<string, string[]>();

  constructor(...paths: string[]) {
    for (const path of paths) {
      const text = read(path);
      for (const [, name, type] of text.matchAll(
        /export interface (\w+)(?:<\w+>)? \{\s*(?:\/\*\*[^*]*\*\/\s*)?readonly type: '([^']+)'/g,
      )) {
        this.#types.set(name!, type!);
      }
      for (const [, name, body] of text.matchAll(/export type (\w+) =([^;{]+);/g)) {
        const members = body!
          .replace(/\/\/.*$/gm, '')
          .replace(/<.*>/g, '')
          .split('|');
        this.#unions.set(
          name!,
          members.map((member) => member.trim()).filter((member) => member !== ''),
        );
      }
    }
  }

  /** The type names of a union's members, or its literals. */
  union(name: string): string[] {
    const found = (this.#unions.get(name) ?? []).flatMap((member) =>
      member.startsWith("'") ? [member.slice(1, -1)] : [this.#types.get(member) ?? this.union(member)].flat(),
    );
    if (found.length === 0) throw new Error(`${name} is no union`);
    return [...new Set(found)];
  }

  /** Every literal `type` there is, whether a union names it or not. */
  get types(): string[] {
    return [...this.#types.values()];
  }
}

const messages = new Source('core/messages.ts');
const events = new Source('core/events.ts', 'core/messages.ts');
const effects = new Source('core/effects.ts');
const records = new Source('core/records.ts');

/** Who has a thing to do with it: the roles whose union names it. */
function roles(source: Source, kind: 'Event' | 'Effect', name: string): string {
  const all = { master: `Master${kind}`, worker: `Worker${kind}`, client: `Client${kind}` };
  return Object.entries(all)
    .filter(([, union]) => source.union(union).includes(name))
    .map(([role]) => role)
    .join(', ');
}

function direction(name: string): string {
  if (messages.union('WorkerMessage').includes(name)) return 'worker → master';
  if (messages.union('ClientMessage').includes(name)) return 'client → master';
  const to = [
    ...(messages.union('MasterToWorker').includes(name) ? ['worker'] : []),
    ...(messages.union('MasterToClient').includes(name) ? ['client'] : []),
  ];
  return `master → ${to.join(', ')}`;
}

describe('ARCHITECTURE.md', () => {
  test('names every message, its direction, and no other', () => {
    const rows = tableUnder('Messages');
    expect(names(rows).sort()).toEqual(messages.union('Message').sort());
    expect(messages.types.sort()).toEqual(messages.union('Message').sort());
    for (const row of rows) expect(`${row[0]} ${row[1]}`).toBe(`${row[0]} ${direction(names([row])[0]!)}`);
  });

  test('names every event, who sees it, and no other', () => {
    const rows = tableUnder('Events');
    expect(names(rows).sort()).toEqual(events.union('MachineEvent').sort());
    for (const row of rows) {
      expect(`${row[0]} ${row[1]}`).toBe(`${row[0]} ${roles(events, 'Event', names([row])[0]!)}`);
    }
  });

  test('names every effect, who wants it, and no other', () => {
    const rows = tableUnder('Effects');
    expect(names(rows).sort()).toEqual(effects.union('Effect').sort());
    expect(effects.types.sort()).toEqual(effects.union('Effect').sort());
    for (const row of rows) {
      expect(`${row[0]} ${row[1]}`).toBe(`${row[0]} ${roles(effects, 'Effect', names([row])[0]!)}`);
    }
  });

  test('names every record and no other', () => {
    expect(names(tableUnder('Records')).sort()).toEqual(records.union('JournalRecord').sort());
    expect(records.types.sort()).toEqual(records.union('JournalRecord').sort());
  });

  test('names every decision and no other', () => {
    expect(names(tableUnder('Decisions')).sort()).toEqual(effects.union('Decision').sort());
  });

  test('repeats every invariant word for word, and no other', () => {
    const rows = tableUnder('Invariants').map(([rule, sentence]) => [rule, sentence]);
    expect(Object.fromEntries(rows)).toEqual({ ...machineInvariants, ...worldInvariants });
    expect(rows.length).toBe(Object.keys({ ...machineInvariants, ...worldInvariants }).length);
  });

  test('explains every rule that the core cites', () => {
    const known = Object.keys({ ...machineInvariants, ...worldInvariants });
    const sources = readdirSync(join(project, 'core'), { recursive: true, encoding: 'utf8' });
    const cited = sources
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => read(join('core', name)).match(/\b[MWC]\d+\b/g) ?? []);
    expect(cited.length).toBeGreaterThan(20);
    expect(cited.filter((rule) => !known.includes(rule))).toEqual([]);
  });

  test('lists every folder of sources', () => {
    const folders = readdirSync(project, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(join(project, entry.name, 'tsconfig.json')))
      .map((entry) => `${entry.name}/`);
    expect(folders.length).toBeGreaterThan(5);
    const listed = names(tableUnder('Folders').filter((row) => row.length === 3));
    expect(listed).toEqual(expect.arrayContaining([...folders, 'scenarios/', 'docs/', 'scripts/']));
  });

  test('says where a run’s files lie', () => {
    const { runId: _, root, ...places } = runLayout('data', 'run');
    const expected = Object.values(places).map((path) => relative(root, path));
    expect(names(tableUnder("Where a run's files lie")).sort()).toEqual(expected.sort());
  });

  test('names only files and folders that exist', () => {
    const layout = new Set(names(tableUnder("Where a run's files lie")));
    const inCode = [...page.matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!);
    const paths = inCode.filter(
      (text) => !layout.has(text) && /^(?:[\w.-]+\/)+[\w.-]*$|^[\w.-]+\.(?:ts|md|mjs|yaml)$/.test(text),
    );
    const links = [...page.matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target!);
    expect(paths.length).toBeGreaterThan(60);
    expect(links.length).toBeGreaterThan(2);
    expect([...paths, ...links].filter((path) => !existsSync(join(project, path)))).toEqual([]);
  });
});

describe('docs/adr', () => {
  test('numbers its decisions without gaps, and each begins with its number', () => {
    const files = readdirSync(join(project, 'docs/adr')).sort();
    expect(files.map((name) => Number(name.slice(0, 4)))).toEqual(files.map((_, index) => index + 1));
    for (const [index, name] of files.entries()) {
      expect(read(`docs/adr/${name}`)).toMatch(new RegExp(`^# ${index + 1}\\. `));
    }
  });

  test('is linked from comments only where a decision exists', () => {
    const sources = ['core', 'sim', 'runtime'].flatMap((folder) =>
      readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .flatMap((name) => read(join(folder, name)).match(/docs\/adr\/[\w-]+\.md/g) ?? []),
    );
    expect(sources.length).toBeGreaterThan(0);
    expect(sources.filter((path) => !existsSync(join(project, path)))).toEqual([]);
  });
});
