/**
 * One run of a user's program: lines go in, lines come out, and both are held back when the other side is slow.
 *
 * The program runs in a process group of its own, under a shell that watches a pipe: when this thread, or the whole
 * worker, ends for whatever reason, the pipe closes and the group is killed. What a program leaves running may still print,
 * as in a pipeline of a shell; what does not is ended with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TaskContext } from '../../jobs/types.js';
import { errnoOf } from '../data/disk.js';
import { DiskError } from '../data/errors.js';

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
    createInterface({ input: this.#child.stderr! }).on('line', (line) => this.#hear(line));
  }

  /** Writes the lines, each with its end, as fast as the program takes them. */
  feed(lines: AsyncIterable<string> | Iterable<string>): void {
    if (this.#child.pid === undefined) return;
    this.#feeding = this.#feed(lines);
    this.#feeding.catch(() => {}); // `lines` meets the same error
  }

  /** What the program prints, line by line. Throws what feeding threw, or that it failed; DiskError if it did not begin. */
  async *lines(): AsyncGenerator<string[]> {
    let rest = '';
    await this.#start;
    try {
      for await (const chunk of this.#child.stdout!.setEncoding('utf8')) {
        const lines = (rest + (chunk as string)).split('\n');
        rest = lines.pop()!;
        if (lines.length > 0) yield lines;
      }
      await this.#feeding;
      if (rest !== '') yield [rest];
      const failure = await this.#exit;
      if (failure === undefined) return;
      const { role, command } = this.#options;
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
        // A program that has read enough closes its end: the error says so, and is none.
        if (!input.write(text)) await once(input, 'drain').catch(() => {});
      }
    } catch (error) {
      this.kill();
      throw error;
    } finally {
      input.end();
    }
  }

  /** `reporter:counter:group,name,amount` and `reporter:status:text`; anything else goes to the attempt's log. */
  #hear(line: string): void {
    const { context } = this.#options;
    const counter = /^reporter:counter:([^,]*),([^,]*),(-?\d+)$/.exec(line);
    if (counter) context.count(`${counter[1]}: ${counter[2]}`, Number(counter[3]));
    else if (line.startsWith('reporter:status:')) context.status(line.slice('reporter:status:'.length));
    else {
      this.#lastComplaint = line.slice(0, 300);
      process.stderr.write(`${line}\n`);
    }
  }
}

/** The system refused: no more files may be open, or no more processes run. It is not the program's doing. */
function notStarted({ role, command }: ProgramOptions, error: Error): Error {
  const errno = errnoOf(error);
  return errno === undefined ? error : new DiskError(`the ${role} (${command})`, errno, error);
}
