/** A real Chromium without a window, for tests of what runs in browsers. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';

/** Undefined where there is none. */
export const browserPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) =>
  existsSync(path),
);

/** What the title of a test says when it is skipped. */
export const skippedBecause = browserPath === undefined ? ' (skipped: there is no /usr/bin/chromium)' : '';

/** With a new, empty profile, which is removed in the end. */
export async function inChromium<T>(use: (page: Page) => Promise<T>): Promise<T> {
  const profile = mkdtempSync(join(tmpdir(), 'rehearse-chromium-'));
  try {
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: browserPath!,
      headless: true,
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    try {
      return await use(await context.newPage());
    } finally {
      await context.close();
    }
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
}
