/** What the compiler leaves to do: the .proto files that are read at run time. */
import { cpSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

const inProject = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

cpSync(inProject('proto'), inProject('dist/proto'), {
  recursive: true,
  filter: (source) =>
    statSync(source).isDirectory() ? basename(source) !== 'generated' : source.endsWith('.proto'),
});
