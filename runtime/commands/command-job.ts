/**
 * A job whose map, combine and reduce are programs of any language, spoken to as Hadoop streaming does: lines on standard
 * input and output, counters and status on standard error.
 *
 * Between map and reduce a line is `key TAB value` (a line without a tab is a key with an empty value), or with `ndjson`
 * `{"key":…,"value":…}`. What the reducer prints is the output, line for line.
 */
import { defineJob } from '../../jobs/define.js';
import type { Emit, Job, KeyValue } from '../../jobs/types.js';

export type LineCodec = 'tsv' | 'ndjson';

/** Command lines for `sh -c`. */
export interface Commands {
  readonly mapper: string;
  readonly combiner?: string;
  readonly reducer?: string;
  readonly io: LineCodec;
}

interface CommandJob extends Job {
  readonly commands: Commands;
}

/** In NDJSON, a blank line; between tabs, an empty one is the empty key with an empty value. */
export function isNoPair(io: LineCodec, line: string): boolean {
  return io === 'ndjson' && line.trim() === '';
}

/** What a line of a mapper or combiner says. Throws Error for a line that says nothing. */
export function parsePair(io: LineCodec, line: string): readonly [key: string, value: unknown] {
  if (io === 'tsv') {
    const tab = line.indexOf('\t');
    return tab < 0 ? [line, ''] : [line.slice(0, tab), line.slice(tab + 1)];
  }
  const { key, value } = (JSON.parse(line) ?? {}) as { key?: unknown; value?: unknown };
  if (typeof key !== 'string' || value === undefined) {
    throw new Error(`a line of NDJSON is {"key":"…","value":…}, not ${line.slice(0, 100)}`);
  }
  return [key, value];
}

/** Inverse of `parsePair`, without the line's end. */
export function formatPair(io: LineCodec, key: string, value: unknown): string {
  return io === 'tsv' ? `${key}\t${String(value)}` : JSON.stringify({ key, value });
}

/** Lines given to a program at once, unless they are long. */
const linesAtOnce = 1000;
/** So many units of UTF-16, and what the last line has more. */
const textAtOnce = 64 * 1024;

/** Records as a program reads them. `given` is told how many more each text holds. */
export function* textsOf(
  io: LineCodec,
  records: Iterable<KeyValue>,
  given: (records: number) => void = () => {},
): Generator<string> {
  let text = '';
  let lines = 0;
  for (const [key, value] of records) {
    text += `${formatPair(io, key, value)}\n`;
    if (++lines < linesAtOnce && text.length < textAtOnce) continue;
    given(lines);
    yield text;
    text = '';
    lines = 0;
  }
  given(lines);
  if (lines > 0) yield text;
}

export function commandJob(commands: Commands): Job {
  const { io, mapper, reducer } = commands;
  const job = defineJob({
    name: [mapper, reducer]
      .filter((command) => command !== undefined)
      .join(' | ')
      .slice(0, 100),
    outputFormat: 'lines',
    map(line, emit: Emit<string, unknown>) {
      if (isNoPair(io, line)) return;
      const [key, value] = parsePair(io, line);
      emit(key, value);
    },
    *reduce(key, values) {
      for (const value of values) yield formatPair(io, key, value);
    },
  });
  return { ...job, commands } as CommandJob;
}

/** The programs of a job that has any. */
export function commandsOf(job: Job): Commands | undefined {
  return (job as Partial<CommandJob>).commands;
}
