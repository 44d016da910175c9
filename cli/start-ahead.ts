/**
 * Imported before everything else: a command that is going to need a worker starts its process now, which is ready when
 * the command knows what it is to do. A command that turns out wrong takes it along when it ends.
 */
import { startChildAhead } from '../runtime/process/child-process.js';

const [verb, ...rest] = process.argv.slice(2);
/** With these, nothing is started. */
const idle = ['--help', '-h', '--dry-run', '--sequential', '--faults'];

if ((verb === 'run' && rest.length > 1 && !rest.some((flag) => idle.includes(flag))) || verb === 'resume')
  startChildAhead();
