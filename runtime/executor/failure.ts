/**
 * Turning what an attempt threw into what the master is told: a `Failure` that counts, or a source that cannot be read.
 */
import type { Failure } from '../../core/records.js';
import { userFrame } from '../bundle/user-frame.js';
import {
  DiskError,
  InputChangedError,
  InputDataError,
  SegmentMissingError,
  SourceError,
  UserCodeError,
} from '../data/errors.js';
import { StoreDamagedError } from '../store/damage.js';
import type { ThreadResult, ThreadSources } from './messages.js';

const textLengthMax = 2000;

/** `TypeError: x is not a function`, cut to a bounded length. */
export function failureText(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${describe(error)}`;
  return bounded(text, textLengthMax);
}

function describe(value: unknown): string {
  try {
    return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  } catch {
    return String(value);
  }
}

function bounded(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

/** `bundleDirectory` is where the job's code was loaded from: it tells the user's frames from ours. */
export function resultOfError(error: unknown, sources: ThreadSources, bundleDirectory: string): ThreadResult {
  if (error instanceof SourceError) {
    const reason = error.cause instanceof SegmentMissingError ? 'missing' : 'corrupt';
    return { type: 'starved', source: sources[error.task]!.attempt, reason };
  }
  if (error instanceof StoreDamagedError) return { type: 'store-damaged', message: error.message };
  return { type: 'broke', failure: failureOf(error, bundleDirectory) };
}

function failureOf(error: unknown, bundleDirectory: string): Failure {
  if (error instanceof UserCodeError) {
    const { input, offset, key, record } = error.site;
    return {
      ...userFailure(error.cause, bundleDirectory),
      ...(input === undefined ? {} : { input: bounded(input, textLengthMax) }),
      ...(offset === undefined ? {} : { offset }),
      ...(key === undefined ? {} : { key: bounded(key, 200) }),
      ...(record === undefined ? {} : { record }),
    };
  }
  if (error instanceof InputChangedError) return { kind: 'input-changed', message: error.message };
  if (error instanceof InputDataError) {
    const { message, record } = error;
    return { kind: 'data', message, ...(record === undefined ? {} : { record }) };
  }
  if (error instanceof DiskError) return { kind: 'disk', message: error.message };
  return userFailure(error, bundleDirectory);
}

function userFailure(error: unknown, bundleDirectory: string): Failure {
  const frame = error instanceof Error && error.stack ? userFrame(error.stack, bundleDirectory) : undefined;
  return { kind: 'user', message: failureText(error), ...(frame === undefined ? {} : { frame }) };
}
