/**
 * Frames: one message of the core, or the opening of a session, and the bytes that travel. Everything that comes from
 * outside passes through `decode` here and is checked field by field; what is wrong is refused whole as a ProtocolError.
 *
 * Every kind of message has its codec in one of the tables below. The kinds are those of the unions in
 * core/messages.ts and the names on the wire follow from them (`worker.hello` is `workerHello`), so a kind without a
 * codec, or without its place in the .proto, does not compile.
 */
import type { NodeId } from '../../core/ids.js';
import type { ClientMessage, MasterToClient, MasterToWorker, WorkerMessage } from '../../core/messages.js';
import type { AnswerFrame__Output as WireAnswerFrame } from '../../proto/generated/rehearse/v1/AnswerFrame.js';
import type { ClientFrame__Output as WireClientFrame } from '../../proto/generated/rehearse/v1/ClientFrame.js';
import type { MasterFrame__Output as WireMasterFrame } from '../../proto/generated/rehearse/v1/MasterFrame.js';
import type { WorkerFrame__Output as WireWorkerFrame } from '../../proto/generated/rehearse/v1/WorkerFrame.js';
import { count, finite, name, ProtocolError } from './check.js';
import { drainRequest, jobRefused, jobStatus, jobSubmit } from './codec-client.js';
import type { Codec } from './codec-parts.js';
import * as worker from './codec-worker.js';
import { sessionMethods } from './definitions.js';
import { messageBytesMax } from './limits.js';

/** The event that a message follows from: number `index` of the trace of `node`. */
export interface Cause {
  readonly node: NodeId;
  readonly index: number;
}

/** What travels. A frame without `message` opens the session. */
export interface Frame<M> {
  /** Who sends it. */
  readonly node: NodeId;
  readonly cause?: Cause;
  readonly message?: M;
}

export interface FrameCodec<M> {
  /**
   * The bytes of several frames, one after the other, are what `decode` makes all of them of.
   * @throws ProtocolError when the message has no place in this session, holds a number that is none, or is too large.
   */
  encode(frame: Frame<M>): Buffer;
  /** At least one. @throws ProtocolError naming the field that is wrong. */
  decode(bytes: Buffer): readonly Frame<M>[];
}

/** What all frames have in common on the wire. */
interface WireFrame {
  readonly node: string;
  readonly causeNode?: string;
  readonly causeIndex?: number;
  readonly body?: string;
}

type FieldOf<K extends string> = K extends `${infer A}.${infer B}` ? `${A}${Capitalize<B>}` : never;

type Kinds<M extends { readonly type: string }, F extends WireFrame> = {
  readonly [K in M['type']]: Codec<
    Extract<M, { readonly type: K }>,
    FieldOf<K> extends keyof F ? NonNullable<F[FieldOf<K>]> : never
  >;
};

const workerKinds: Kinds<WorkerMessage, WireWorkerFrame> = {
  'worker.hello': worker.workerHello,
  'worker.beat': worker.workerBeat,
  'attempt.completed': worker.attemptCompleted,
  'attempt.ended': worker.attemptEnded,
  'input.unreadable': worker.inputUnreadable,
};

const masterKinds: Kinds<MasterToWorker, WireMasterFrame> = {
  'master.welcome': worker.masterWelcome,
  'master.notLeading': worker.masterNotLeading,
  'master.beat': worker.masterBeat,
  'attempt.assign': worker.attemptAssign,
  'attempt.revoke': worker.attemptRevoke,
  'attempt.answer': worker.attemptAnswer,
  'outputs.changed': worker.outputsChanged,
  'job.ended': worker.jobEnded,
};

const clientKinds: Kinds<ClientMessage, WireClientFrame> = {
  'job.submit': jobSubmit,
  'drain.request': drainRequest,
};

const answerKinds: Kinds<MasterToClient, WireAnswerFrame> = {
  'master.notLeading': worker.masterNotLeading,
  'job.status': jobStatus,
  'job.refused': jobRefused,
};

const { worker: clusterSession, client: jobsSession } = sessionMethods;

/** From a worker to a master. */
export const workerFrames = frames<WorkerMessage>(
  workerKinds,
  clusterSession.requestSerialize,
  clusterSession.requestDeserialize,
);
/** From a master to a worker. */
export const masterFrames = frames<MasterToWorker>(
  masterKinds,
  clusterSession.responseSerialize,
  clusterSession.responseDeserialize,
);
/** From a client to a master. */
export const clientFrames = frames<ClientMessage>(
  clientKinds,
  jobsSession.requestSerialize,
  jobsSession.requestDeserialize,
);
/** From a master to a client. */
export const answerFrames = frames<MasterToClient>(
  answerKinds,
  jobsSession.responseSerialize,
  jobsSession.responseDeserialize,
);

/** `worker.hello` is `workerHello` on the wire. */
function fieldOf(kind: string): string {
  return kind.replace(/\.(.)/, (_, letter: string) => letter.toUpperCase());
}

function frames<M extends { readonly type: string }>(
  kinds: { readonly [K in M['type']]: unknown },
  serialize: (wire: object) => Buffer,
  deserialize: (bytes: Buffer) => object,
): FrameCodec<M> {
  const entries = Object.entries(kinds as Record<string, Codec<M, unknown>>);
  const byKind = new Map(entries.map(([kind, codec]) => [kind, { field: fieldOf(kind), codec }]));
  const byField = new Map(entries.map(([kind, codec]) => [fieldOf(kind), codec]));

  function body(message: M | undefined): object {
    if (message === undefined) return { opening: {} };
    const kind = byKind.get(message.type);
    if (kind === undefined) throw new ProtocolError('type', `${message.type} has no place in this session`);
    return { [kind.field]: kind.codec.encode(message) };
  }

  function decodeOne(wire: WireFrame & Record<string, unknown>): Frame<M> {
    const origin = { node: name(wire.node, 'node'), ...causeOf(wire) };
    if (wire.body === 'opening') return origin;
    const codec = wire.body === undefined ? undefined : byField.get(wire.body);
    if (wire.body === undefined || codec === undefined) throw new ProtocolError('body', 'is missing');
    return { ...origin, message: codec.decode(wire[wire.body], wire.body) };
  }

  return {
    encode: ({ node, cause, message }) => {
      const origin = cause && { causeNode: cause.node, causeIndex: cause.index };
      const wire = { node, ...origin, ...body(message) };
      if (!numbersHold(wire)) assertNumbers(wire, 'frame');
      const bytes = serialize({ frames: [wire] });
      if (bytes.length > messageBytesMax) {
        throw new ProtocolError(
          message?.type ?? 'opening',
          `has ${bytes.length} bytes, and the most is ${messageBytesMax}`,
        );
      }
      return bytes;
    },
    decode: (bytes) => {
      const { frames } = parsed(bytes, deserialize);
      if (frames.length === 0) throw new ProtocolError('frames', 'is empty');
      return frames.map(decodeOne);
    },
  };
}

/** Whether `assertNumbers` has nothing to say; at a fraction of its cost. */
function numbersHold(wire: object): boolean {
  for (const key in wire) {
    const value: unknown = wire[key as keyof typeof wire];
    if (typeof value === 'object') {
      if (value !== null && !numbersHold(value)) return false;
    } else if (typeof value === 'number') {
      if (key === 'value' ? !Number.isFinite(value) : !Number.isSafeInteger(value) || value < 0) return false;
    }
  }
  return true;
}

/** The serializer would write -1 and NaN as 0 and 1.5 as 1, without a word. Only a counter's `value` may be any number. */
function assertNumbers(wire: object, field: string): void {
  for (const [key, value] of Object.entries(wire)) {
    if (typeof value === 'object') assertNumbers(value, `${field}.${key}`);
    else if (typeof value === 'number') {
      if (key === 'value') finite(value, `${field}.${key}`);
      else count(value, `${field}.${key}`);
    }
  }
}

interface WireFrames {
  readonly frames: readonly (WireFrame & Record<string, unknown>)[];
}

function parsed(bytes: Buffer, deserialize: (bytes: Buffer) => object): WireFrames {
  if (bytes.length > messageBytesMax) {
    throw new ProtocolError('frame', `has ${bytes.length} bytes, and the most is ${messageBytesMax}`);
  }
  try {
    return deserialize(bytes) as WireFrames;
  } catch (cause) {
    throw new ProtocolError('frame', 'is not a message of this protocol', { cause });
  }
}

function causeOf(wire: WireFrame): { readonly cause?: Cause } {
  if (wire.causeNode === undefined && wire.causeIndex === undefined) return {};
  if (wire.causeNode === undefined) throw new ProtocolError('causeNode', 'is missing');
  if (wire.causeIndex === undefined) throw new ProtocolError('causeIndex', 'is missing');
  return {
    cause: { node: name(wire.causeNode, 'causeNode'), index: count(wire.causeIndex, 'causeIndex') },
  };
}
