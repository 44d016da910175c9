/**
 * Credentials of a channel to a process on the same machine: none, since the folder of the socket is private to the
 * user. They hand out the socket, so that its owner can destroy it: a channel that gRPC closes while the other process
 * is frozen would keep it open until that process wakes.
 */
import type { Socket } from 'node:net';
import grpc, { type experimental } from '@grpc/grpc-js';

type Connector = Parameters<grpc.ChannelCredentials['_createSecureConnector']>;

export class LocalCredentials extends grpc.ChannelCredentials {
  readonly #connected: (socket: Socket) => void;

  /** `connected` is called with the socket of every connection that the channel makes, before it is used. */
  constructor(connected: (socket: Socket) => void) {
    super();
    this.#connected = connected;
  }

  override _isSecure(): boolean {
    return false;
  }

  override _equals(other: grpc.ChannelCredentials): boolean {
    return other === this;
  }

  override _createSecureConnector(...target: Connector): experimental.SecureConnector {
    const insecure = grpc.credentials.createInsecure()._createSecureConnector(...target);
    return {
      connect: (socket) => {
        this.#connected(socket);
        return insecure.connect(socket);
      },
      waitForReady: () => insecure.waitForReady(),
      getCallCredentials: () => insecure.getCallCredentials(),
      destroy: () => insecure.destroy(),
    };
  }
}
