/**
 * One end of a session: what server and dialer have in common. It knows frames and their order, and nothing of how
 * bytes travel.
 *
 * - The first frame each way is an opening; the session is open when the peer's has come, within `openingMs`.
 * - What is sent in one turn of the event loop travels as one; while there is much of it, what is sent in `gatherMs`.
 * - All frames of a peer carry the name with which it opened.
 * - A frame that breaks the protocol ends the session, and is not delivered.
 * - A peer that does not read is cut off when more than `queueBytesMax` wait for it.
 * - The end is reported once, from the event loop and never from inside a call of ours; nothing is delivered after it.
 */
import type { NodeId } from '../../core/ids.js';
import { Burst, gatherMs } from '../burst.js';
import { ProtocolError } from './check.js';
import type { Cause, Frame, FrameCodec } from './codec.js';
import { closingMs, frameOverheadBytes, gatheredBytesMax, openingMs, queueBytesMax } from './limits.js';

/** What carries the bytes of a session. */
export interface Wire {
  /** `written` is called once the bytes have left this process. */
  write(bytes: Buffer, written: () => void): void;
  /** Ends our side once everything written has left. */
  end(): void;
  /** Gives up the connection at once, with all that waits. */
  cut(): void;
}

/** What a wire tells its session. */
export interface WireEnd {
  receive(bytes: Buffer): void;
  /** Nothing will be received any more. `reason` is for people. */
  closed(reason: string): void;
}

/** A wire to a master, which is to be told first whose it is. */
export interface DialedWire extends Wire {
  attach(session: WireEnd): void;
}

/** Said by a wire whose other end was closed in good order. */
export const hungUp = 'the peer ended the session';

export interface SessionHandlers<Received> {
  opened(peer: NodeId): void;
  received(message: Received, cause: Cause | undefined): void;
  /** `reason` is for people. */
  over(reason: string): void;
}

export class SessionEnd<Sent, Received> {
  /** Settles when the end has been reported and the connection is gone. */
  readonly gone: Promise<void>;
  readonly #node: NodeId;
  readonly #outgoing: FrameCodec<Sent>;
  readonly #incoming: FrameCodec<Received>;
  readonly #wire: Wire;
  readonly #handlers: SessionHandlers<Received>;
  #state: 'opening' | 'open' | 'over' | 'closed' = 'opening';
  /** With whom this session is: known beforehand to who dials, told by the opening to who is dialed. */
  #peer: NodeId | undefined;
  #queuedBytes = 0;
  /** Frames that wait for their moment to end. */
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  readonly #writes = new Burst();
  #timer: NodeJS.Timeout;
  #settle: () => void = () => {};

  constructor(options: {
    readonly node: NodeId;
    readonly peer?: NodeId;
    readonly outgoing: FrameCodec<Sent>;
    readonly incoming: FrameCodec<Received>;
    readonly wire: Wire;
    readonly handlers: SessionHandlers<Received>;
  }) {
    this.#node = options.node;
    this.#peer = options.peer;
    this.#outgoing = options.outgoing;
    this.#incoming = options.incoming;
    this.#wire = options.wire;
    this.#handlers = options.handlers;
    this.gone = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#timer = setTimeout(() => this.cut(`no opening within ${openingMs} ms`), openingMs);
  }

  /** Sends our opening: at once by who dials, after the peer's by who is dialed. */
  open(): void {
    this.#write({ node: this.#node });
  }

  /** A message for a session that is not open goes nowhere, as if the session had broken on its way. */
  send(message: Sent, cause: Cause | undefined): void {
    if (this.#state !== 'open') return;
    this.#write({ node: this.#node, message, ...(cause && { cause }) });
  }

  /** The wire brought frames. */
  receive(bytes: Buffer): void {
    if (this.#state !== 'opening' && this.#state !== 'open') return;
    for (const frame of this.#decoded(bytes)) {
      if (this.#state !== 'opening' && this.#state !== 'open') return;
      const fault = this.#faultOf(frame);
      if (fault) return this.#refuse(fault);
      this.#take(frame);
    }
  }

  #take(frame: Frame<Received>): void {
    if (frame.message === undefined) {
      this.#state = 'open';
      this.#peer = frame.node;
      clearTimeout(this.#timer);
      this.#handlers.opened(frame.node);
    } else {
      this.#handlers.received(frame.message, frame.cause);
    }
  }

  /** Ends the session when what was sent has left, at the latest after `closingMs`. */
  finish(reason: string): void {
    if (this.#state !== 'opening' && this.#state !== 'open') return;
    this.#flush();
    this.#over(reason);
    this.#timer = setTimeout(() => this.#wire.cut(), closingMs);
    this.#wire.end();
  }

  /** Ends the session now, with all that waits. */
  cut(reason: string): void {
    this.#over(reason);
    this.#wire.cut();
  }

  /** The connection is gone. */
  closed(reason: string): void {
    if (this.#state === 'closed') return;
    this.#over(reason);
    this.#state = 'closed';
    setImmediate(this.#settle);
  }

  #over(reason: string): void {
    clearTimeout(this.#timer);
    if (this.#state !== 'opening' && this.#state !== 'open') return;
    this.#state = 'over';
    setImmediate(() => this.#handlers.over(reason));
  }

  #write(frame: Frame<Sent>): void {
    const bytes = this.#outgoing.encode(frame);
    const weight = bytes.length + frameOverheadBytes;
    if (this.#queuedBytes + weight > queueBytesMax) {
      this.cut(`the peer does not read: ${this.#queuedBytes} bytes wait for it`);
      return;
    }
    this.#queuedBytes += weight;
    if (this.#gatheredBytes + bytes.length > gatheredBytesMax) this.#flush();
    if (this.#gathered.length === 0) this.#flushSoon();
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.length;
  }

  #flushSoon(): void {
    if (this.#writes.hurries()) setTimeout(() => this.#flush(), gatherMs);
    else setImmediate(() => this.#flush());
  }

  #flush(): void {
    const frames = this.#gathered;
    if (frames.length === 0 || this.#state === 'over' || this.#state === 'closed') return;
    const weight = this.#gatheredBytes + frames.length * frameOverheadBytes;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#wire.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames), () => {
      this.#queuedBytes -= weight;
    });
  }

  /** The frames, or none when something is wrong with one of them: then the session is cut. */
  #decoded(bytes: Buffer): readonly Frame<Received>[] {
    try {
      return this.#incoming.decode(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(error);
      return [];
    }
  }

  /** Why the peer may not send this frame now. */
  #faultOf(frame: Frame<Received>): ProtocolError | undefined {
    if (this.#peer !== undefined && frame.node !== this.#peer)
      return new ProtocolError('node', `is ${frame.node}, and this session is with ${this.#peer}`);
    if ((frame.message === undefined) !== (this.#state === 'opening'))
      return new ProtocolError('body', 'has an opening that is not the first frame, or none at first');
    return undefined;
  }

  #refuse(error: ProtocolError): void {
    this.cut(`the peer broke the protocol: ${error.message}`);
  }
}
