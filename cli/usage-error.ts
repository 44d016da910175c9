/** What commander refuses of a command line, in the shape that all errors have. */
import { type Command, type CommanderError, InvalidArgumentError, Option } from 'commander';
import { suggest } from '../jobs/suggest.js';
import { UserError } from './user-error.js';

/** A flag that takes one of a few words; a word that is close to one of them is answered with that one. */
export function choiceOption(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices).argParser((word) => {
    if (choices.includes(word)) return word;
    const meant = suggest(word, choices);
    const hint = meant === undefined ? '' : `\n(Did you mean ${meant}?)`;
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.${hint}`);
  });
}

/** Commander's sentence: `error: unknown option '--wrokers'` and, on its own line, a suggestion. */
export function usageError(error: CommanderError, refusing: Command): UserError {
  const [first = '', hint] = error.message.replace(/^error: /, '').split('\n');
  const next = hint ? hint.replace(/^\(|\)$/g, '').replace('Did', 'did') : `see ${helpCommand(refusing)}`;
  return new UserError({ code: 'U001', what: first, next });
}

function helpCommand(command: Command): string {
  const root = command.parent;
  return `${root === null ? '' : `${root.name()} `}${command.name()} --help`;
}
