/**
 * A wire to a master in another process: a gRPC stream over its Unix socket.
 *
 * Every session has a channel of its own, which is closed with it: gRPC would otherwise keep a dead master's channel
 * and make the next attempt wait. A master that is not there is known at once, one that does not answer after
 * `openingMs`.
 */
import type grpc from '@grpc/grpc-js';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { Channel } from './channel.js';
import { asIs } from './channel-options.js';
import { sessionMethods } from './definitions.js';
import type { Role } from './dialogues.js';
import { type DialedWire, hungUp } from './session.js';
import { checkSocketPath } from './socket-path.js';

/** Throws RangeError when the address is longer than a socket's path may be. */
export function dialByGrpc(role: Role, address: string): DialedWire {
  checkSocketPath(address);
  const channel = new Channel(address);
  const { path } = sessionMethods[role];
  const call: ClientDuplexStream<Buffer, Buffer> = channel.client.makeBidiStreamRequest(path, asIs, asIs);
  return {
    attach(session) {
      call.on('data', (bytes: Buffer) => session.receive(bytes));
      call.once('end', () => {
        session.closed(hungUp);
        channel.close();
      });
      call.on('error', (error: grpc.ServiceError) => {
        session.closed(error.details);
        channel.close();
      });
    },
    write: (bytes, written) => call.write(bytes, written),
    end: () => call.end(),
    cut() {
      call.cancel();
      channel.close();
    },
  };
}
