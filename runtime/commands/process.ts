/**
 * One run of a user's program: lines go in, lines come out, and both are held back when the other side is slow.
 *
 * The program runs in a process group of its own, under a shell that watches a pipe: when this thread, or the whole
 * worker, ends for whatever reason, the pipe closes and the group is killed. What a program leaves running may still print,
 * as in a pipeline of a shell; what does not is ended with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { TaskContext } from '../../jobs/types.js';
import { errnoOf } from '../data/disk.js';
import { DiskError } from '../data/errors.js';
import { LINE_BYTES_MAX_DEFAULT } from '../data/lines.js';
import { linesIn, piecesIn } from './printed-lines.js';

const watched = `
exec 4<&0
(eval "$REHEARSE_COMMAND") <&4 4<&- 3<&- &
command=$!
exec 4<&- </dev/null
(cat <&3; kill -9 0) >/dev/null 2>&1 &
wait $command
code=$?
exit $code
`;

/** No counter and no status is longer than a piece of what is complained. */
const complaintMax = 64 * 1024;
/** A program that was left running may keep the place where complaints go. */
const complaintsWithinMs = 1000;

export interface ProgramOptions {
  readonly command: string;
  /** Who it is, for messages: `mapper`, `combiner`, `reducer`. */
  readonly role: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly context: Pick<TaskContext, 'count' | 'status'>;
}

/** A program that was started. Used by one reader, who must come to the end or call `kill`. */
export class Program {
  readonly #options: ProgramOptions;
  readonly #child: ChildProcess;
  readonly #start: Promise<void>;
  readonly #exit: Promise<string | undefined>;
  #lastComplaint = '';
  /** The first thing it wanted counted that cannot be. */
  #uncounted: Error | undefined;
  #complaints: Promise<void> = Promise.resolve();
  #feeding: Promise<void> = Promise.resolve();

  constructor(options: ProgramOptions) {
    this.#options = options;
    this.#child = spawn('sh', ['-c', watched], {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment, REHEARSE_COMMAND: options.command },
    });
    this.#start = new Promise((resolve, reject) => {
      this.#child.once('spawn', resolve);
      this.#child.once('error', (error) => reject(notStarted(options, error)));
    });
    this.#start.catch(() => {}); // `lines` throws it
    this.#exit = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        if (code !== 0) this.kill(); // nobody wants what is left of it
        resolve(code === 0 ? undefined : signal ? `was ended by ${signal}` : `ended with exit code ${code}`);
      });
    });
    if (this.#child.pid === undefined) return; // it has no pipes either
    this.#child.stdin!.on('error', () => {}); // a program may stop reading before the end
    this.#complaints = this.#listen().catch(() => {}); // what is broken there is no answer of the program
  }

  /** Writes the lines, each with its end, as fast as the program takes them. */
  feed(lines: AsyncIterable<string> | Iterable<string>): void {
    if (this.#child.pid === undefined) return;
    this.#feeding = this.#feed(lines);
    this.#feeding.catch(() => {}); // `lines` meets the same error
  }

  /** What the program prints, line by line. Throws what feeding threw, or that it failed; DiskError if it did not begin. */
  async *lines(): AsyncGenerator<string[]> {
    await this.#start;
    const { role, command } = this.#options;
    const tooLong = (): Error =>
      new Error(`the ${role} (${command}) printed a line longer than ${LINE_BYTES_MAX_DEFAULT} characters`);
    try {
      yield* linesIn(this.#child.stdout!.setEncoding('utf8'), { length: LINE_BYTES_MAX_DEFAULT, tooLong });
      await this.#feeding;
      const failure = await this.#exit;
      await Promise.race([this.#complaints, setTimeout(complaintsWithinMs, undefined, { ref: false })]);
      if (this.#uncounted) throw this.#uncounted;
      if (failure === undefined) return;
      const complaint = this.#lastComplaint === '' ? '' : `: ${this.#lastComplaint}`;
      throw new Error(`the ${role} (${command}) ${failure}${complaint}`);
    } finally {
      this.kill();
    }
  }

  kill(): void {
    (this.#child.stdio[3] as { destroy(): void } | null)?.destroy();
  }

  async #feed(lines: AsyncIterable<string> | Iterable<string>): Promise<void> {
    const input = this.#child.stdin!;
    try {
      for await (const text of lines) {
        if (input.destroyed || !input.writable) return;
        if (!input.write(text)) await roomIn(input);
      }
    } catch (error) {
      this.kill();
      throw error;
    } finally {
      input.end();
    }
  }

  async #listen(): Promise<void> {
    for await (const line of piecesIn(this.#child.stderr!.setEncoding('utf8'), complaintMax))
      this.#hear(line);
  }

  /** `reporter:counter:group,name,amount` and `reporter:status:text`; anything else goes to the attempt's log. */
  #hear(line: string): void {
    const counter = /^reporter:counter:([^,]*),([^,]*),(-?\d+)$/.exec(line);
    if (counter) this.#count(`${counter[1]}: ${counter[2]}`, Number(counter[3]));
    else if (line.startsWith('reporter:status:'))
      this.#options.context.status(line.slice('reporter:status:'.length));
    else {
      if (line.trim() !== '') this.#lastComplaint = line.slice(0, 300);
      process.stderr.write(`${line}\n`);
    }
  }

  /** What cannot be counted fails the program. */
  #count(name: string, by: number): void {
    const { role, command, context } = this.#options;
    try {
      context.count(name, by);
    } catch (error) {
      const why = (error as Error).message.replace(/^ctx\.count: /, '');
      this.#uncounted ??= new Error(`the ${role} (${command}) counted what cannot be: ${why}`);
      this.kill();
    }
  }
}

/**
 * Until it takes more, or never will: a program that has read enough closes its end, which is no error, and of one that was
 * killed Node says nothing but that the stream is closed.
 */
function roomIn(input: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      input.off('drain', done).off('close', done);
      resolve();
    };
    input.on('drain', done).on('close', done);
  });
}

/** The system refused: no more files may be open, or no more processes run. It is not the program's doing. */
function notStarted({ role, command }: ProgramOptions, error: Error): Error {
  const errno = errnoOf(error);
  return errno === undefined ? error : new DiskError(`the ${role} (${command})`, errno, error);
}
