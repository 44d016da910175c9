/** Loads a bundle as an executor does, in plain Node: maps one line, and prints the keys it emits or the stack it throws. */
import { pathToFileURL } from 'node:url';

const [, , bundle, line] = process.argv;
process.setSourceMapsEnabled(true);
const { default: job } = await import(pathToFileURL(bundle).href);
try {
  job.map(line, (key) => process.stdout.write(`${key}\n`));
} catch (error) {
  process.stdout.write(error.stack);
}
