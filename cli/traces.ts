/** Trace files on the disk: which ones are meant, and their lines. */
import { closeSync, createReadStream, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TraceHeader, TraceLine } from '../core/trace.js';
import { traceVersion } from '../core/trace.js';
import { type NodeTrace, startOf } from '../sim/explain/merge.js';
import type { GlobalFlags } from './global-flags.js';
import { differenceOf, refuseStrangers } from './refused-traces.js';
import { dataDirectoryOf, findRun } from './run/run-id.js';
import { headerBytesMax, isBegun } from './unbegun-traces.js';
import { UserError } from './user-error.js';

/** A trace file, a folder of them, or all traces of a run. */
export function traceFiles(name: string, flags: GlobalFlags): string[] {
  if (existsSync(name) && statSync(name).isFile()) return [name];
  const directory =
    existsSync(name) && !existsSync(join(name, 'trace')) && !existsSync(join(name, 'run.json'))
      ? name
      : findRun(name, dataDirectoryOf(flags.dataDir)).layout.trace;
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const ofNodes = names.filter((file) => file.endsWith('.ndjson')).sort();
  const files = ofNodes.map((file) => join(directory, file));
  if (!files.some(isBegun)) throw noTraces(directory, name);
  return files;
}

function noTraces(directory: string, name: string): UserError {
  const isOfRun = directory !== name;
  return new UserError({
    code: 'T001',
    what: 'there are no traces here',
    where: directory,
    why: isOfRun
      ? 'the run was --sequential, was killed before its first step, or was cleared away'
      : undefined,
    next: 'give a trace file or the id of a run',
  });
}

export interface TextLine {
  readonly text: string;
  /** The file ends here without a line feed: its writer was killed, or a disk took no more. */
  readonly torn: boolean;
}

/** The lines of a file, piece by piece: a trace may be larger than memory. */
export async function* linesOf(path: string): AsyncGenerator<TextLine> {
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 17 })) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const text of lines) yield { text, torn: false };
  }
  if (rest !== '') yield { text: rest, torn: true };
}

/** Whole traces, which must be of one run. */
export async function readTraces(files: readonly string[]): Promise<NodeTrace[]> {
  const traces = await Promise.all(files.map(readTrace));
  refuseStrangers(traces.map(({ header }, index) => ({ header, file: files[index]! })));
  return traces;
}

/** The header alone; undefined when the file begins with none. */
export function readHeader(path: string): TraceHeader | undefined {
  const opened = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(headerBytesMax);
    const text = bytes.toString('utf8', 0, readSync(opened, bytes, 0, headerBytesMax, 0));
    const value: unknown = JSON.parse(text.slice(0, Math.max(0, text.indexOf('\n'))));
    return isHeader(value) ? value : undefined;
  } catch {
    return undefined;
  } finally {
    closeSync(opened);
  }
}

/**
 * The zero of times in a run's traces, by the clock of one of them: what `explain` of the run counts from. Of real processes it
 * is the earliest step of all that lie beside it.
 */
export async function startOfRun(file: string): Promise<number> {
  const own = await beginningOf(file);
  if (!own) return 0; // whoever reads on says what is wrong with it
  const folder = dirname(file);
  const names = readdirSync(folder).filter((name) => name.endsWith('.ndjson'));
  const others = await Promise.all(names.map((name) => beginningOf(join(folder, name))));
  const ofRun = others.filter((other) => other && differenceOf(own.header, other.header) === undefined);
  return startOf([own, ...(ofRun as NodeTrace[])]) - (own.header.originUs ?? 0);
}

/** A trace to its first step; undefined for what is none. */
async function beginningOf(file: string): Promise<NodeTrace | undefined> {
  const lines: unknown[] = [];
  try {
    for await (const { text } of linesOf(file)) {
      lines.push(JSON.parse(text));
      if (lines.length === 2) break;
    }
  } catch {
    // torn, or not to be read: what there is before
  }
  const [header, first] = lines;
  return isHeader(header) ? { header, lines: isStep(first) ? [first] : [] } : undefined;
}

/** A whole trace. A torn last line is left out. */
async function readTrace(path: string): Promise<NodeTrace> {
  let header: TraceHeader | undefined;
  const lines: TraceLine[] = [];
  let number = 0;
  for await (const { text, torn } of linesOf(path)) {
    number++;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      if (torn && header) break;
      throw traceError(path, number, 'not JSON');
    }
    if (header && isStep(value)) lines.push(value);
    else if (header) throw traceError(path, number, 'this is no step of a trace');
    else if (isHeader(value)) header = value;
    else throw traceError(path, number, `not a ${traceVersion} trace`);
  }
  if (!header) throw traceError(path, 1, 'the trace is empty');
  return { header, lines };
}

function isHeader(value: unknown): value is TraceHeader {
  const { trace, setup } = (value ?? {}) as Partial<TraceHeader>;
  return trace === traceVersion && typeof setup?.life?.node === 'string' && isObject(setup.config);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** As far as all readers of traces rely on it. */
function isStep(value: unknown): value is TraceLine {
  const { at, event, effects } = (value ?? {}) as Partial<TraceLine>;
  return Number.isFinite(at) && typeof event?.type === 'string' && Array.isArray(effects);
}

export function traceError(path: string, line: number, what: string, next?: string): UserError {
  return new UserError({ code: 'T002', what, where: `${path}:${line}`, next });
}
