// How one frame of a journal segment looks: length (u32 LE), CRC-32 of length and payload (u32 LE), payload (JSON).
// A frame counts only when it is whole and its checksum holds; length 0 never occurs, so that a tail of zeros left
// by a crash is no frame.

import { crc32 } from 'node:zlib';

const PREFIX_BYTES = 8;

/** Larger payloads are refused; a longer length on disk is garbage. */
const PAYLOAD_BYTES_MAX = 16 * 1024 * 1024;

export const FRAME_BYTES_MAX = PREFIX_BYTES + PAYLOAD_BYTES_MAX;

/** @throws RangeError when the payload is larger than PAYLOAD_BYTES_MAX. */
export function encodeFrame(value: unknown): Buffer {
  const payload = Buffer.from(JSON.stringify(value));
  if (payload.length > PAYLOAD_BYTES_MAX) {
    throw new RangeError(`a journal batch has ${payload.length} bytes, the limit is ${PAYLOAD_BYTES_MAX}`);
  }
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + payload.length);
  frame.writeUInt32LE(payload.length, 0);
  payload.copy(frame, PREFIX_BYTES);
  frame.writeUInt32LE(checksum(frame), 4);
  return frame;
}

/**
 * What lies at `offset`: a whole frame; `short`: plausible, but `needBytes` are needed from there to tell;
 * `bad`: no frame.
 */
export type FrameAt =
  | { readonly kind: 'frame'; readonly bytes: number }
  | { readonly kind: 'short'; readonly needBytes: number }
  | { readonly kind: 'bad' };

export function frameAt(buffer: Buffer, offset: number): FrameAt {
  if (buffer.length - offset < PREFIX_BYTES) return { kind: 'short', needBytes: PREFIX_BYTES };
  const length = buffer.readUInt32LE(offset);
  if (length === 0 || length > PAYLOAD_BYTES_MAX) return { kind: 'bad' };
  const bytes = PREFIX_BYTES + length;
  if (buffer.length - offset < bytes) return { kind: 'short', needBytes: bytes };
  const frame = buffer.subarray(offset, offset + bytes);
  if (checksum(frame) !== frame.readUInt32LE(4)) return { kind: 'bad' };
  return { kind: 'frame', bytes };
}

/**
 * Whether a whole frame begins anywhere behind the first byte. No part of a frame looks like one: texts in JSON have no byte 0,
 * which every length has.
 */
export function hasFrameBehind(buffer: Buffer): boolean {
  // A payload is an object, and its first byte is found faster than each place is tried.
  for (let payload = buffer.indexOf('{'); payload >= 0; payload = buffer.indexOf('{', payload + 1)) {
    if (payload > PREFIX_BYTES && frameAt(buffer, payload - PREFIX_BYTES).kind === 'frame') return true;
  }
  return false;
}

/** The JSON value of a frame that `frameAt` found whole. */
export function decodeFrame(frame: Buffer): unknown {
  return JSON.parse(frame.toString('utf8', PREFIX_BYTES));
}

function checksum(frame: Buffer): number {
  return crc32(frame.subarray(PREFIX_BYTES), crc32(frame.subarray(0, 4)));
}
