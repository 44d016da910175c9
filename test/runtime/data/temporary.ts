import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Memory where the system has it: hundreds of small runs that force their files to the disk take a minute otherwise. */
const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** A directory of this test's own that is gone when the test ends. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(parent, 'rehearse-data-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
