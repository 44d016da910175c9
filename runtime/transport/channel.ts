/**
 * A connection of its own to one process on this machine: it can be closed at once, also while the other is frozen.
 */
import type { Socket } from 'node:net';
import grpc from '@grpc/grpc-js';
import { channelOptions } from './channel-options.js';
import { LocalCredentials } from './local-credentials.js';

export class Channel {
  readonly client: grpc.Client;
  #socket: Socket | undefined;
  #closed = false;

  constructor(socketPath: string) {
    const credentials = new LocalCredentials((socket) => {
      this.#socket = socket;
      if (this.#closed) socket.destroy();
    });
    this.client = new grpc.Client(`unix:${socketPath}`, credentials, {
      ...channelOptions,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.service_config_disable_resolution': 1,
      // Otherwise the channel says that it has written what still waits in its own buffer for retries.
      'grpc.per_rpc_retry_buffer_size': 0,
    });
  }

  close(): void {
    this.#closed = true;
    this.client.close();
    this.#socket?.destroy();
  }
}
