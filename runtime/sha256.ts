/** The name of content in Files, and the identity of a bundle. */
import { createHash } from 'node:crypto';

/** 64 hex digits. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
