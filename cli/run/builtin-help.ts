/** What `rehearse run --help` says of the built-in jobs: a line for each, and one for each of its parameters. */
import { builtinJobs, builtinPipelines } from '../../jobs/builtin/registry.js';

/** Only for the simulator: its tasks take modelled time. */
const inner = new Set(['modelled']);

export function builtinHelp(): string {
  const lines = ['', 'Built-in jobs (parameters are given as --param name=value):'];
  for (const [name, { summary, params }] of [...builtinJobs, ...builtinPipelines]) {
    if (inner.has(name)) continue;
    lines.push(`  ${name.padEnd(18)} ${summary}`);
    for (const { name, summary, required } of params) {
      lines.push(`    ${name.padEnd(16)} ${summary}${required ? ' (required)' : ''}`);
    }
  }
  return lines.join('\n');
}
