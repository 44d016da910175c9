import { fileURLToPath } from 'node:url';
import protoLoader, { type MethodDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../../runtime/transport/check.js';
import {
  answerFrames,
  clientFrames,
  type Frame,
  type FrameCodec,
  masterFrames,
  workerFrames,
} from '../../../runtime/transport/codec.js';
import { sessionMethods } from '../../../runtime/transport/definitions.js';
import {
  listLengthMax,
  messageBytesMax,
  nameLengthMax,
  textLengthMax,
} from '../../../runtime/transport/limits.js';
import {
  answerMessages,
  cause,
  clientMessages,
  masterMessages,
  node,
  workerMessages,
} from './arbitraries.js';

function itSurvivesTheWire<M>(
  kinds: { readonly [kind: string]: fc.Arbitrary<M> },
  codec: FrameCodec<M>,
): void {
  for (const [kind, message] of Object.entries(kinds)) {
    it(`${kind} comes out of its bytes as it went in`, () => {
      const frame: fc.Arbitrary<Frame<M>> = fc.record(
        { node, cause, message },
        { requiredKeys: ['node', 'message'] },
      );
      fc.assert(
        fc.property(frame, (sent) => {
          expect(codec.decode(codec.encode(sent))).toStrictEqual([structuredClone(sent)]);
        }),
      );
    });
  }
}

describe('frames of a worker', () => itSurvivesTheWire(workerMessages, workerFrames));
describe('frames of a master to a worker', () => itSurvivesTheWire(masterMessages, masterFrames));
describe('frames of a client', () => itSurvivesTheWire(clientMessages, clientFrames));
describe('frames of a master to a client', () => itSurvivesTheWire(answerMessages, answerFrames));

const attempt = { job: 1, task: 0, epoch: 1, n: 1 };
const output = { digest: 'ab', bytes: 1, records: 1, inputs: '' };
const completed = { incarnation: 1, credit: 1, attempt, output, counters: [] };

/** The same methods as somebody else has them, who reads the .proto files when it starts. */
const theirs = protoLoader.loadSync(['rehearse/v1/cluster.proto', 'rehearse/v1/jobs.proto'], {
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
  includeDirs: [fileURLToPath(new URL('../../../proto', import.meta.url))],
}) as unknown as Record<string, { readonly Session: MethodDefinition<object, object> }>;
const theirCluster = theirs['rehearse.v1.Cluster']!.Session;
const theirJobs = theirs['rehearse.v1.Jobs']!.Session;

/** The frame of a worker that was written by somebody else, with `frame` in place of what ours would hold. */
function foreign(frame: object): Buffer {
  return theirCluster.requestSerialize({ frames: [{ node: 'worker-1', ...frame }] });
}

/** What the frames of `messages` say to both of us, written by ours and by theirs. */
function itReadsAs<M>(
  messages: { readonly [kind: string]: fc.Arbitrary<M> },
  codec: FrameCodec<M>,
  [ours, read, write]: readonly [
    ours: (bytes: Buffer) => object,
    read: (bytes: Buffer) => object,
    write: (value: object) => Buffer,
  ],
): void {
  fc.assert(
    fc.property(fc.oneof(...Object.values(messages)), cause, (message, cause) => {
      const bytes = codec.encode({ node: 'node-1', cause, message });
      const told = withoutMarks(read(bytes));
      expect(ours(bytes)).toEqual(told);
      expect(ours(write(told))).toEqual(told);
    }),
  );
}

/** Protobuf.js also says which optional fields came. */
function withoutMarks(value: object): object {
  if (Array.isArray(value)) return value.map((one) => (typeof one === 'object' ? withoutMarks(one) : one));
  const entries = Object.entries(value).filter(([key]) => !key.startsWith('_'));
  return Object.fromEntries(
    entries.map(([key, one]) => [key, one !== null && typeof one === 'object' ? withoutMarks(one) : one]),
  );
}

function refusal(bytes: Buffer): ProtocolError {
  try {
    workerFrames.decode(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError);
    return error as ProtocolError;
  }
  throw new Error('the frame was accepted');
}

describe('a frame from outside is refused, naming the field, when', () => {
  const wrongs: readonly (readonly [sentence: string, frame: object, field: string])[] = [
    ['it says nothing', {}, 'body'],
    ['it has no sender', { node: '', opening: {} }, 'node'],
    ['its sender could be a path', { node: '../worker', opening: {} }, 'node'],
    ['its sender is too long', { node: 'a'.repeat(nameLengthMax + 1), opening: {} }, 'node'],
    ['half of its cause is missing', { causeNode: 'worker-1', opening: {} }, 'causeIndex'],
    ['the other half of its cause is missing', { causeIndex: 1, opening: {} }, 'causeNode'],
    [
      'a message in it is missing',
      { attemptCompleted: { ...completed, output: null } },
      'attemptCompleted.output',
    ],
    [
      'a number is too large to be exact',
      { attemptCompleted: { ...completed, credit: 2 ** 53 } },
      'attemptCompleted.credit',
    ],
    [
      'a number is too small',
      { attemptCompleted: { ...completed, attempt: { ...attempt, n: 0 } } },
      'attemptCompleted.attempt.n',
    ],
    [
      'a counter is not a number',
      { attemptCompleted: { ...completed, counters: [{ name: 'words', value: Number.NaN }] } },
      'attemptCompleted.counters[0].value',
    ],
    [
      'a counter is infinite',
      { attemptCompleted: { ...completed, counters: [{ name: 'words', value: Number.POSITIVE_INFINITY }] } },
      'attemptCompleted.counters[0].value',
    ],
    [
      'a counter has no name',
      { attemptCompleted: { ...completed, counters: [{ value: 1 }] } },
      'attemptCompleted.counters[0].name',
    ],
    [
      'a digest is none',
      { attemptCompleted: { ...completed, output: { ...output, digest: '../x' } } },
      'attemptCompleted.output.digest',
    ],
    [
      'a word is unknown',
      { inputUnreadable: { attempt, source: attempt, reason: 99 } },
      'inputUnreadable.reason',
    ],
    ['a word is missing', { inputUnreadable: { attempt, source: attempt } }, 'inputUnreadable.reason'],
    [
      'a text is too long',
      { attemptEnded: { attempt, failure: { kind: 1, message: 'x'.repeat(textLengthMax + 1) } } },
      'attemptEnded.failure.message',
    ],
    [
      'a list is too long',
      { workerHello: { running: Array.from({ length: listLengthMax + 1 }, () => attempt) } },
      'workerHello.running',
    ],
    [
      'an entry of a list is wrong',
      { workerHello: { running: [attempt, { ...attempt, job: 0 }] } },
      'workerHello.running[1].job',
    ],
  ];
  for (const [sentence, frame, field] of wrongs) {
    it(sentence, () => expect(refusal(foreign(frame)).field).toBe(field));
  }

  it('a number is negative', () => {
    const good = foreign({ workerBeat: { credit: 2 ** 53 - 1 } });
    const credit = Buffer.from('ffffffffffffff0f', 'hex');
    const minusOne = Buffer.from('ffffffffffffffffff01', 'hex');
    const at = good.indexOf(credit);
    const bytes = Buffer.concat([good.subarray(0, at), minusOne, good.subarray(at + credit.length)]);
    // The lengths of all that it lies in: the frames, and the beat.
    for (const length of [1, good.indexOf(0x5a) + 1]) bytes[length]! += minusOne.length - credit.length;
    expect(refusal(bytes).field).toBe('workerBeat.credit');
  });

  it('it is larger than a message may be', () => {
    expect(refusal(Buffer.alloc(messageBytesMax + 1)).field).toBe('frame');
  });

  it('it is cut short', () => {
    const whole = foreign({ attemptCompleted: completed });
    expect(refusal(whole.subarray(0, whole.length - 1)).field).toBe('frame');
  });
});

describe('bytes from outside', () => {
  it('are refused as a ProtocolError or accepted, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const codec of [workerFrames, masterFrames, clientFrames, answerFrames]) {
          try {
            codec.decode(Buffer.from(bytes));
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
        }
      }),
    );
  });

  it('are refused or accepted whole when one byte of a good frame has changed', () => {
    const good = foreign({ attemptCompleted: { ...completed, counters: [{ name: 'words', value: 1.5 }] } });
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (position, byte) => {
        const bytes = Buffer.from(good);
        bytes[position] = byte;
        let frames: ReturnType<typeof workerFrames.decode>;
        try {
          frames = workerFrames.decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
          return;
        }
        expect(workerFrames.decode(Buffer.concat(frames.map(workerFrames.encode)))).toStrictEqual(frames);
      }),
    );
  });
});

it('frames of one moment come out of their bytes in order', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(...Object.values(workerMessages)), { minLength: 1 }), (messages) => {
      const frames = messages.map((message) => ({ node: 'worker-1', message }));
      expect(workerFrames.decode(Buffer.concat(frames.map(workerFrames.encode)))).toStrictEqual(
        structuredClone(frames),
      );
    }),
  );
});

describe('the encoder that is made of the .proto files', () => {
  const { worker, client } = sessionMethods;
  it('says to others what it says to us, and hears what they say', () => {
    itReadsAs(workerMessages, workerFrames, [
      worker.requestDeserialize,
      theirCluster.requestDeserialize,
      theirCluster.requestSerialize,
    ]);
    itReadsAs(masterMessages, masterFrames, [
      worker.responseDeserialize,
      theirCluster.responseDeserialize,
      theirCluster.responseSerialize,
    ]);
    itReadsAs(clientMessages, clientFrames, [
      client.requestDeserialize,
      theirJobs.requestDeserialize,
      theirJobs.requestSerialize,
    ]);
    itReadsAs(answerMessages, answerFrames, [
      client.responseDeserialize,
      theirJobs.responseDeserialize,
      theirJobs.responseSerialize,
    ]);
  });

  it('passes over fields that it does not know', () => {
    const known = foreign({ opening: {} });
    const unknown = Buffer.from('f83e05c23e0161', 'hex'); // number 1007 is 5, number 1000 is "a"
    expect(workerFrames.decode(Buffer.concat([known, unknown]))).toStrictEqual([{ node: 'worker-1' }]);
  });
});

describe('a message of ours is refused when', () => {
  it('it is larger than a message may be', () => {
    const counters = Array.from({ length: 5000 }, (_, index) => [`${index}-${'x'.repeat(1000)}`, 1] as const);
    const message = { type: 'attempt.completed', ...completed, counters } as const;
    expect(() => workerFrames.encode({ node: 'worker-1', message })).toThrow(ProtocolError);
  });

  it.each([-1, Number.NaN, 1.5, 2 ** 53])('it holds %d where a number of things is due', (credit) => {
    const message = { type: 'worker.beat', incarnation: 1, credit, progress: [] } as const;
    expect(() => workerFrames.encode({ node: 'worker-1', message })).toThrow('frame.workerBeat.credit');
  });

  it('it has no place in the session', () => {
    const message = { type: 'job.ended', epoch: 1, incarnation: 1, job: 1 } as const;
    expect(() => answerFrames.encode({ node: 'master-1', message: message as never })).toThrow(ProtocolError);
  });
});
