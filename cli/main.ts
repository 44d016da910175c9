#!/usr/bin/env node
/**
 * The `rehearse` command. It only says which verbs and flags there are; each verb's work is loaded when it is asked for,
 * so that help and errors are there at once.
 */
import './start-ahead.js';
import { setImmediate } from 'node:timers/promises';
import { Command, CommanderError } from 'commander';
import { versions } from '../runtime/versions.js';
import { useColor } from './color.js';
import { answer, hostsUserCode, watchTheEnd } from './ending.js';
import type { GlobalFlags } from './global-flags.js';
import type { RunFlags } from './run/flags.js';
import { answerClosedOutputs, reportError } from './terminal.js';
import { choiceOption, usageError } from './usage-error.js';
import { exitCodes } from './user-error.js';

type Verb<F> = (args: string[], flags: F & GlobalFlags) => Promise<number>;
/** Gives a verb its flags and its work. */
type AddVerb = <F>(command: Command, load: () => Promise<Verb<F>>) => void;

function number(text: string): number {
  return /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
}

function collect(text: string, all: string[] = []): string[] {
  return [...all, text];
}

function withGlobals(command: Command): Command {
  return command
    .option('--json', 'print exactly one JSON document on stdout')
    .addOption(
      choiceOption('--progress <how>', 'how to show progress', ['auto', 'tty', 'plain', 'ndjson', 'none']),
    )
    .addOption(
      choiceOption('--color <when>', 'colour on stderr: auto (a terminal that can), always or never', [
        'auto',
        'always',
        'never',
      ]),
    )
    .option('-q, --quiet', 'say nothing but errors')
    .option('-v, --verbose', 'say more')
    .option('--data-dir <dir>', 'where runs are kept (default: .rehearse, or $REHEARSE_DATA_DIR)');
}

function program(done: (code: number) => void): Command {
  const root = new Command('rehearse')
    .description('A fault-tolerant MapReduce whose every failure has been rehearsed.')
    .version(`rehearse ${versions().rehearse}`, '-V, --version')
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: false });
  const verb = <F>(command: Command, load: () => Promise<Verb<F>>): void => {
    withGlobals(command).action(async () => {
      const action = await load();
      const flags = command.opts<F & GlobalFlags>();
      useColor(flags.color ?? 'auto');
      done(await action(command.args, flags));
    });
  };
  addRun(root, verb);
  addRunning(root, verb);
  addRehearsing(root, verb);
  addTelling(root, verb);
  addSurroundings(root, verb);
  return root;
}

function addRunning(root: Command, verb: AddVerb): void {
  verb(
    root
      .command('resume')
      .argument('<run>', 'id or folder of a run that was interrupted, or last')
      .description('go on with a run: nothing that was committed is done again'),
    async () => (await import('./run/resume.js')).resume,
  );
  verb(
    root
      .command('check')
      .argument('<job>', 'a built-in or a file: job.ts')
      .argument('<inputs...>', 'files whose first records the job is tried on')
      .option('--records <n>', 'how many records (default: 500)')
      .option('--param <key=value>', 'a parameter of the job; may be given again', collect)
      .option('--seed <text>', 'keys what ctx.random() gives (default: 0)')
      .description('try what a job promises: the same answer each time, a combiner that is associative, …'),
    async () => (await import('./check/check.js')).check,
  );
}

function addRehearsing(root: Command, verb: AddVerb): void {
  verb(
    root
      .command('sim')
      .argument('[scenario...]', 'scenario files')
      .option(
        '--from <run>',
        'make the scenario of a recorded run: its id or folder, last, or a folder of traces',
      )
      .option(
        '-o, --output <file>',
        'with --from: write that scenario to this file (-: standard output), to be changed and played',
      )
      .option('--seed <seed>', "instead of the scenario's own")
      .option('--seeds <range>', 'many seeds: 1..1000')
      .option('--trace <dir>', 'write the trace of every node, in the place of those of earlier simulations')
      .option(
        '--step',
        'step by step: Enter for the next one, s for the state, h for help; reads standard input',
      )
      .option('--shrink', 'write the smallest scenario that fails in the same way, with its time line')
      .description('replay scenarios in virtual time, by seed'),
    async () => (await import('./sim.js')).sim,
  );
  verb(
    root
      .command('fuzz')
      .option('--seeds <range>', 'which seeds (default: 1..1000; with --time: on from the last campaign)')
      .option('--time <duration>', 'stop after this: 60s')
      .option('--jobs <n>', 'threads (default: one per core)', Number)
      .option(
        '--corpus <dir>',
        'where findings and progress are kept (default: corpus in the data directory)',
      )
      .option('--profile <fields>', 'what is not drawn: size=small,faults=crash+pause,focus=crash@map')
      .option(
        '--coverage <file>',
        'fail when a step listed there, or a fault in some phase, was not reached; may be given again',
        collect,
      )
      .option('--reporter <name>', 'a report for other programs: junit or github')
      .option('--report-file <file>', 'where the report goes (default: standard output)')
      .description('rehearse random clusters, jobs and faults by seed, and shrink what fails'),
    async () => (await import('./fuzz/fuzz.js')).fuzz,
  );
  verb(
    root
      .command('explore')
      .argument('<scenario...>', 'scenario files; faults and times count only as bounds')
      .option('--max-states <n>', 'give up after so many distinct states')
      .option('--memory <size>', 'give up when states take more (default: 2GiB)')
      .option('--symmetry', 'of all states that differ only in the names of workers, look at one')
      .option('--no-reduction', 'take every step of every state: no ample sets')
      .option('--exact', 'compare whole states, not 64-bit fingerprints')
      .option('--liveness', 'does every fair run come to an answer?')
      .option(
        '--scenario <file>',
        'write a scenario that shows a broken rule in the simulator, if there is one',
      )
      .option('--reached <file>', 'write the (role, state, event) that were reached to this file')
      .description('every order of what may happen in a small cluster'),
    async () => (await import('./explore.js')).explore,
  );
}

function addTelling(root: Command, verb: AddVerb): void {
  verb(
    root
      .command('replay')
      .argument('<trace...>', 'id or folder of a run, or last; trace files')
      .option(
        '--at <step>',
        'of one trace, show this step, or the last one up to a time as explain tells it (12.5s), with the state',
      )
      .description('drive the recorded events of a real run through the core again'),
    async () => (await import('./replay.js')).replay,
  );
  verb(
    root
      .command('explain')
      .argument('<run>', 'id or folder of a run, or last; a trace file, a folder of them, or a scenario')
      .argument('[what]', 'a task (map-0), an attempt (map-0@2) or a step (master-1:120)')
      .description('why every attempt began and ended, or what led to a step, in words'),
    async () => (await import('./explain.js')).explain,
  );
  verb(
    root
      .command('trace')
      .argument('<trace...>', 'id or folder of a run, or last; trace files of one run, or a folder of them')
      .addOption(
        choiceOption(
          '--to <form>',
          'merged (all steps in one NDJSON, causes first), perfetto (for ui.perfetto.dev), shiviz (vector clocks), svg (a picture), html (a page with picture and lists) or otlp (OpenTelemetry, JSON)',
          ['merged', 'perfetto', 'shiviz', 'svg', 'html', 'otlp'],
        ).makeOptionMandatory(),
      )
      .option('-o, --output <file>', 'where it goes (default: standard output, as with -)')
      .option('--from <time>', 'of a picture: not what was before, since the beginning of the run: 12.5s')
      .option('--until <time>', 'of a picture: not what came later')
      .description('the traces of a run in forms that other programs read'),
    async () => (await import('./trace.js')).trace,
  );
  verb(
    root.command('schema').argument('<name>', 'scenario or trace').description('print a JSON Schema'),
    async () => (await import('./schema.js')).schema,
  );
}

function addSurroundings(root: Command, verb: AddVerb): void {
  verb(
    root
      .command('demo')
      .description('a word count with four workers, one of them killed half way: the same answer as without'),
    async () => (await import('./demo.js')).demo,
  );
  verb(
    root.command('doctor').description('look at the surroundings: Node, disk, sockets, limits'),
    async () => (await import('./doctor.js')).doctor,
  );
}

function addRun(root: Command, verb: AddVerb): void {
  const run = root
    .command('run')
    .argument('[job]', 'a built-in (see below) or a file: job.ts')
    .argument('[inputs...]', 'files, folders, globs, or - for standard input')
    .description('run a job on this machine')
    .option(
      '-o, --output <dir>',
      'where the output goes; - for standard output (default: in the run’s folder)',
    )
    .option('--overwrite', 'replace the folder that is there as a whole, whatever it holds')
    .option(
      '-w, --workers <n>',
      'worker processes (default: one per core; none for a small file and a built-in job)',
      number,
    )
    .option('--slots <n>', 'tasks at once per worker (default: 1)', number)
    .option('-m, --map-tasks <n>', 'about so many map tasks', number)
    .option('--split-size <size>', 'about so much input per map task (default: 16MiB)')
    .option('-r, --reduce-tasks <n>', 'reduce tasks, one output part each (default: one per slot)', number)
    .option('--budget <size>', 'memory an executor may fill before it spills (default: 64MiB)')
    .option('--heap <size>', 'most memory for the user code of one executor (default: 1GiB)')
    .option('--param <key=value>', 'a parameter of the job; may be given again', collect)
    .option('--mapper <command>', 'instead of a job: a program that makes key TAB value lines of input lines')
    .option('--combiner <command>', 'a program that makes fewer of sorted key TAB value lines')
    .option('--reducer <command>', 'a program that makes the output of sorted key TAB value lines')
    .addOption(choiceOption('--io <form>', 'how these lines are written', ['tsv', 'ndjson']))
    .option('--seed <text>', 'keys what ctx.random() gives (default: 0)')
    .option('--standby <n>', 'standby masters that take over when the leader dies', number)
    .option('--lease <duration>', 'a silent worker loses its tasks after this (default: 10s)')
    .option('--max-attempts <n>', 'failures of one task that fail the job (default: 4)', number)
    .option(
      '--task-timeout <duration>',
      'a task without progress for this long is ended; its next attempt gets twice as long (default: 600s)',
    )
    .option('--speculate', 'run a second copy of the slowest tasks near the end (default)')
    .option('--no-speculate', 'never run a task twice at once')
    .option('--skip-bad-records', 'leave out a record at which two attempts failed')
    .option(
      '--slowstart <fraction>',
      'begin reduces when this fraction of the maps is done (default: 1)',
      Number,
    )
    .option(
      '--private-data',
      'workers share no folder: each keeps its map outputs to itself, and reduces fetch them from it',
    )
    .option('--pack-shuffle', 'with --private-data: map outputs travel as LZ4 blocks')
    .addOption(
      choiceOption('--late-reports <policy>', 'who may commit after losing the lease', [
        'first-commit',
        'owner-only',
      ]),
    )
    .option('--hidden', 'take names that begin with . or _ in folders and globs too')
    .option('--sequential', 'in this process, one task after the other: the same output, byte for byte')
    .option('--faults <file>', 'perform the faults of a scenario on the real processes')
    .option('--dry-run', 'say what would be done, and do nothing');
  verb<RunFlags>(run, async () => (await import('./run/run.js')).run);
}

async function main(): Promise<number> {
  answerClosedOutputs();
  watchTheEnd((error) => reportError(error, process.argv.includes('--json')));
  let code: number = exitCodes.yes;
  const root = program((result) => {
    code = result;
  });
  let refusing = root;
  for (const command of [root, ...root.commands]) {
    command.configureOutput({ outputError: () => {} }).exitOverride((error) => {
      refusing = command;
      throw error;
    });
  }
  try {
    if (asksForHelp(process.argv)) {
      const { builtinHelp } = await import('./run/builtin-help.js');
      root.commands.find((command) => command.name() === 'run')?.addHelpText('after', builtinHelp());
    }
    await root.parseAsync(process.argv);
    if (hostsUserCode()) await setImmediate(); // a promise that was rejected is found out at the end of a turn
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.yes;
      if (error.code === 'commander.help') return exitCodes.usage;
      return reportError(usageError(error, refusing), process.argv.includes('--json'));
    }
    return reportError(error, process.argv.includes('--json'));
  }
}

function asksForHelp(words: readonly string[]): boolean {
  return words.some((word) => word === '--help' || word === '-h' || word === 'help');
}

/**
 * A run has closed all it had when it has its answer: unless somebody still reads that, the process ends at once and leaves
 * its memory to the system. Taking an engine apart takes 10 ms. What a job has left running is not waited for either.
 */
function end(code: number): void {
  answer();
  process.exitCode = code;
  const isOver = process.argv[2] === 'run' || process.argv[2] === 'resume' || hostsUserCode();
  if (isOver && process.stdout.writableLength + process.stderr.writableLength === 0) process.exit();
}

main().then(end, (error) => end(reportError(error, false)));
