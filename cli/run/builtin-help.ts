/** What `rehearse run --help` says of the built-in jobs: a line for each, and one for each of its parameters. */
import { offeredBuiltins } from '../../jobs/builtin/registry.js';

export function builtinHelp(): string {
  const lines = ['', 'Built-in jobs (parameters are given as --param name=value):'];
  for (const [job, { summary, params }] of offeredBuiltins) {
    lines.push(`  ${job.padEnd(18)} ${summary}`);
    for (const { name, summary, required } of params) {
      lines.push(`    ${name.padEnd(16)} ${summary}${required ? ' (required)' : ''}`);
    }
  }
  return lines.join('\n');
}
