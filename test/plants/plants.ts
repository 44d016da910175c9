/**
 * Planted bugs: one file each in `bugs/`, a sentence and what to change in which source file. The product knows nothing
 * of them; builds and test runs are made from changed sources, so what is examined is the code that is shipped.
 *
 * A patch must find its text exactly once and change it: one that no longer applies fails the suite, never silently.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

/** The project, whether this runs from `test/` or compiled from `dist/test/`. */
export const projectPath = findProject(dirname(fileURLToPath(import.meta.url)));

function findProject(from: string): string {
  return existsSync(join(from, 'vitest.config.ts')) ? from : findProject(dirname(from));
}

const patchSchema = z.strictObject({
  /** Path in the project, with `/`. */
  file: z.string().regex(/^(core|jobs|kernel|runtime|sim|cli)\/.+\.ts$/),
  find: z.string().min(1),
  replace: z.string(),
});

/** What is played: the name of a file of `scenarios/`, or a scenario in place. */
const staged = {
  scenario: z.union([z.string(), z.looseObject({ name: z.string() })]),
  /** Which variant of the scenario: the values of its placeholders. All of them when absent. */
  variant: z.string().optional(),
  /** The scenario's own when absent. */
  seed: z.string().optional(),
};

/** The quickest way known to catch the bug: what the test suite does with it, each time. */
const caughtSchema = z.union([
  /** `by`: the invariant that must name it, or `expectation`, `tested-nothing`. */
  z.strictObject({ ...staged, by: z.string() }),
  z.strictObject({
    /** A test file that fails. */
    unit: z.string(),
  }),
  z.strictObject({
    /** A round of the runs on real processes that fails. */
    processes: z.string(),
  }),
]);

const plantSchema = z.strictObject({
  sentence: z.string(),
  patches: z.array(patchSchema).min(1),
  caught: caughtSchema,
});

/** What a control changes besides a bug, and what must come of it: then the detector is seen to fail as it must. */
const controlSchema = z.strictObject({
  sentence: z.string(),
  /** The bug that is planted, if any. */
  plant: z.string().optional(),
  patches: z.array(patchSchema).optional(),
  ...staged,
  /** `survives`: the run passes; else what the run must end in. */
  expect: z.enum(['survives', 'tested-nothing', 'expectation']),
});

export type Patch = z.infer<typeof patchSchema>;
export type Caught = z.infer<typeof caughtSchema>;
export type Plant = z.infer<typeof plantSchema> & {
  /** Name of its file without the ending. */
  readonly name: string;
};

export type Control = z.infer<typeof controlSchema> & { readonly name: string };

/** All planted bugs, by name. */
export function loadPlants(): Plant[] {
  return namesIn('bugs').map(loadPlant);
}

export function loadPlant(name: string): Plant {
  return { name, ...load('bugs', name, plantSchema) };
}

/** Runs that must not end as they would with every detector at work. */
export function loadControls(): Control[] {
  return namesIn('controls').map((name) => ({ name, ...load('controls', name, controlSchema) }));
}

type Folder = 'bugs' | 'controls';

function pathOf(folder: Folder): string {
  return join(projectPath, 'test', 'plants', folder);
}

function namesIn(folder: Folder): string[] {
  const files = readdirSync(pathOf(folder)).filter((file) => file.endsWith('.yaml'));
  return files.sort().map((file) => file.slice(0, -'.yaml'.length));
}

function load<T>(folder: Folder, name: string, schema: z.ZodType<T>): T {
  const path = join(pathOf(folder), `${name}.yaml`);
  if (!existsSync(path)) throw new Error(`nothing is called ${name} in test/plants/${folder}`);
  const checked = schema.safeParse(parse(readFileSync(path, 'utf8')));
  if (!checked.success)
    throw new Error(`test/plants/${folder}/${name}.yaml: ${z.prettifyError(checked.error)}`);
  return checked.data;
}

/** What a build needs of a bug. */
export type Planted = Pick<Plant, 'name' | 'patches'>;

/** The text of a source file with the plant's patches of it; undefined when it has none. */
export function plantedSource(plant: Planted, file: string): string | undefined {
  const patches = plant.patches.filter((patch) => patch.file === file);
  if (patches.length === 0) return undefined;
  let text = readFileSync(join(projectPath, file), 'utf8');
  for (const { find, replace } of patches) {
    const at = text.indexOf(find);
    const where = `${plant.name} in ${file}: ${JSON.stringify(find)}`;
    if (at < 0) throw new Error(`nothing to change for ${where}`);
    if (text.indexOf(find, at + 1) >= 0) throw new Error(`more than one place to change for ${where}`);
    if (find === replace) throw new Error(`nothing is changed by ${where}`);
    text = text.slice(0, at) + replace + text.slice(at + find.length);
  }
  return text;
}
