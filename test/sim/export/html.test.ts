import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { nameOf, tellAttempts } from '../../../sim/explain/attempts.js';
import { mergeTraces, type NodeTrace } from '../../../sim/explain/merge.js';
import { factsOf } from '../../../sim/explain/merged-facts.js';
import { exportHtml } from '../../../sim/export/html.js';
import { pageHashes } from '../../../sim/export/page/hashes.js';
import { pageScript } from '../../../sim/export/page/script.js';
import { pageStyle } from '../../../sim/export/page/style.js';
import { browserPath, inChromium, skippedBecause } from '../../chromium.js';
import { tracesOf } from '../explain/played.js';

function pageOf(traces: readonly NodeTrace[], range = {}): string {
  return [...exportHtml(traces, mergeTraces(traces), range)].join('');
}

const plain = (html: string): string =>
  html
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(
      /&(amp|lt|gt|quot|#39);/g,
      (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name]!,
    )
    .replaceAll(/\s+/g, ' ');

describe('the page of a run', () => {
  const scenarios = [
    'late-worker',
    'worker-killed-and-back',
    'committed-map-files-lost',
    'store-restored-and-the-next-job',
  ];

  test.each(scenarios)('has every attempt, in the words of explain: %s', (name) => {
    const traces = tracesOf(name);
    const rows = pageOf(traces)
      .split('\n')
      .filter((line) => line.startsWith('<tr id="row-attempt-'));
    const stories = tellAttempts(factsOf(mergeTraces(traces)));
    expect(rows.length).toBe(stories.length);
    for (const [index, story] of stories.entries()) {
      const row = plain(rows[index]!);
      expect(row).toContain(` ${nameOf(story)} `.slice(1));
      expect(row).toContain(` ${story.outcome} `);
      for (const { text } of story.moments) expect(row).toContain(text.replaceAll(/\s+/g, ' '));
    }
  });

  test('tells what was decided with what was compared, and of the job its outcome and counters', () => {
    const text = plain(pageOf(tracesOf('late-worker')));
    expect(text).toContain(
      'master-1: late-report-refused map-0@1 job=1 about=worker-1 verdict=superseded committedEpoch=1 committedN=2 by=worker-2',
    );
    expect(text).toMatch(/outcome published tasks 4 maps, 2 reduces accepted .* map\.records\.in 12 /);
    expect(plain(pageOf(tracesOf('throwing-map-for-good')))).toMatch(/outcome failed: .+ tasks /);
  });

  test('may do nothing but what its own style and script do', () => {
    const hash = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;
    expect(pageHashes).toEqual({ style: hash(pageStyle), script: hash(pageScript) });
    const page = pageOf(tracesOf('late-worker'));
    expect(page).toContain(
      `content="default-src 'none'; style-src '${pageHashes.style}'; script-src '${pageHashes.script}'; base-uri 'none'; form-action 'none'"`,
    );
    expect(page.match(/<(script|style|link|img|iframe|object)\b[^>]*>/g)).toEqual(['<style>', '<script>']);
    expect(page.replaceAll('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:/);
    expect(page).not.toMatch(/\s(style|on\w+)=/);
  });

  test('stays text whatever somebody has written into a trace where numbers belong', () => {
    const tampered = tracesOf('worker-killed-and-back').map(({ header, lines }) => ({
      header: JSON.parse(JSON.stringify(header).replaceAll('"incarnation":2', '"incarnation":"<b>2"')),
      lines: JSON.parse(JSON.stringify(lines).replaceAll('"job":1', '"job":"<b>1"')),
    }));
    const page = pageOf(tampered);
    expect(page).toContain('&lt;b&gt;1');
    expect(page).toContain('&lt;b&gt;2');
    expect(page).not.toContain('<b>');
  });

  test('is of a part where that is wanted', () => {
    const text = plain(pageOf(tracesOf('late-worker'), { fromUs: 2_700_000, untilUs: 5_000_000 }));
    expect(text).toContain('2.7 s to 5 s of it');
    expect(text).not.toContain('map-1@1');
    expect(text).not.toContain('late-report-refused');
  });
});

test('the tables of a long run have each attempt once', () => {
  const page = pageOf(tracesOf('hundred-maps-twenty-reduces'));
  expect(page.match(/<table class="attempts">/g)).toHaveLength(2);
  expect(page.match(/<tr id="row-attempt-\d+"/g)).toHaveLength(142);
});

describe(`the page in Chromium${skippedBecause}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'rehearse-page-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Opens the page from a file; whatever Chromium complains about, or the page asks the network for, fails the test. */
  async function withPage(html: string, use: (page: Page) => Promise<void>): Promise<void> {
    const file = join(folder, 'run.html');
    writeFileSync(file, html);
    const address = pathToFileURL(file).href;
    await inChromium(async (page) => {
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('request', (request) => {
        if (request.url().split('#')[0] !== address) complaints.push(`asked for ${request.url()}`);
      });
      await page.goto(address);
      await use(page);
      expect(complaints).toEqual([]);
    });
  }

  const focused = (page: Page): Promise<string | null> =>
    page.evaluate('document.activeElement.getAttribute("href") ?? document.activeElement.id');
  const shown = (page: Page): Promise<string[]> =>
    page
      .locator('tr[data-row]:visible th')
      .evaluateAll((cells) => cells.map(({ textContent }) => textContent!));

  test.skipIf(browserPath === undefined)('is used with the keyboard alone', { timeout: 60_000 }, async () => {
    await withPage(pageOf(tracesOf('late-worker')), async (page) => {
      expect(await shown(page)).toHaveLength(7);
      await page.keyboard.press('/');
      expect(await focused(page)).toBe('filter');
      await page.keyboard.type('map-0 ignored');
      expect(await shown(page)).toEqual(['map-0@1']);
      expect(await page.locator('#shown').textContent()).toBe('1 attempt');
      await page.keyboard.press('Escape');
      expect(await shown(page)).toHaveLength(7);
      await page.locator('#row-attempt-1 a').focus();
      await page.keyboard.press('ArrowDown');
      expect(await focused(page)).toBe('#attempt-2');
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('Enter');
      await expect.poll(() => focused(page)).toBe('#row-attempt-1');
      expect(await page.evaluate('document.querySelector(":target").id')).toBe('attempt-1');
      // From the picture to a row that the filter had left out.
      await page.locator('#outcome').selectOption('committed');
      expect(await shown(page)).not.toContain('map-0@1');
      await page.locator('a[href="#row-attempt-1"]').first().focus();
      await page.keyboard.press('Enter');
      await expect.poll(() => focused(page)).toBe('#attempt-1');
      expect(await shown(page)).toContain('map-0@1');
      await page.reload();
      await expect.poll(() => focused(page)).toBe('#attempt-1');
    });
  });

  test.skipIf(browserPath === undefined)(
    'shows names as text, whatever is in them',
    { timeout: 60_000 },
    async () => {
      const name = `"><img src=x onerror="document.title='caught'"><script>document.title='caught'</script>`;
      const traces = JSON.stringify(tracesOf('throwing-map-for-good')).replaceAll(
        '"modelled"',
        JSON.stringify(name),
      );
      await withPage(pageOf(JSON.parse(traces)), async (page) => {
        expect(await page.title()).toContain(`job 1 ${name}`);
        expect(await page.locator('h1').textContent()).toContain(name);
        expect(await page.locator('img').count()).toBe(0);
      });
    },
  );

  test.skipIf(browserPath === undefined)(
    'brings a bar into sight that stands for several attempts',
    { timeout: 60_000 },
    async () => {
      const range = { fromUs: 0, untilUs: 3_600_000_000 };
      await withPage(pageOf(tracesOf('hundred-maps-twenty-reduces'), range), async (page) => {
        const [id] = await page
          .locator('.bar g')
          .evaluateAll((inside) => inside.map((element) => element.id));
        await page.locator(`#row-${id} a`).focus();
        await page.keyboard.press('Enter');
        await expect.poll(() => page.locator(`svg a:focus #${id}`).count()).toBe(1);
        expect(await page.locator('svg a:focus').isVisible()).toBe(true);
        // A table of which no row is wanted goes with its head.
        expect(await page.locator('thead:visible').count()).toBe(2);
        await page.locator('#filter').fill('reduce-18@2');
        expect(await page.locator('thead:visible').count()).toBe(1);
      });
    },
  );
});
