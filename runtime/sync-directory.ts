/** Making names last. */
import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Makes the names in a directory last through a crash of the machine. */
export function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
