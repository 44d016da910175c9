/**
 * The options of gRPC that both ends share. Keepalive pings stay off: the system reports the end of a local process at
 * once, and a process that is silent is judged by the core, whose beats are the only clock for that. Retries stay off:
 * only the core knows what may be said twice.
 */
import type { ChannelOptions } from '@grpc/grpc-js';
import { messageBytesMax } from './limits.js';

export const channelOptions: ChannelOptions = {
  'grpc.max_receive_message_length': messageBytesMax,
  'grpc.max_send_message_length': messageBytesMax,
  'grpc.enable_channelz': 0,
  'grpc.enable_retries': 0,
};

/** Frames are encoded and decoded by codec.ts, where their size is known and their faults have names. */
export const asIs = (bytes: Buffer): Buffer => bytes;
