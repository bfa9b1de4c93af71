/** The built page in a real browser, with a fake host and under its own policy. Skipped by name without Chromium. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { FakeHost, summary, writtenResults } from './fake.js';

const UI = join(import.meta.dirname, '..');
const AT = 'http://ui.test/';
const TYPES: Record<string, string> = { html: 'text/html', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' };
const CHROMIUM = found('chromium');
const LOOKS = ['light', 'dark'] as const;

declare global {
  interface Window {
    ocrHost: FakeHost;
    axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
  }
}

function found(command: string): string | undefined {
  try {
    return execFileSync('which', [command], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

if (CHROMIUM === undefined) console.warn('Missing: chromium (Debian package chromium). The tests of the built page are skipped.');

describe.skipIf(CHROMIUM === undefined)('the built page in Debian’s chromium', () => {
  let browser: Browser;
  let fake: string;
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

  beforeAll(async () => {
    // As users build it: what vitest has in its environment would make a page for tests.
    const { PATH = '', HOME = '' } = process.env;
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: UI, env: { PATH, HOME }, stdio: 'pipe' });
    const lib = { entry: join(UI, 'tests/fake.ts'), formats: ['iife' as const], name: 'fake', fileName: 'fake' };
    const [made] = (await build({ configFile: false, logLevel: 'error', build: { lib, write: false } })) as unknown as [
      { output: [{ code: string }] },
    ];
    fake = made.output[0].code;
    browser = await chromium.launch({ executablePath: CHROMIUM as string, args: ['--no-sandbox'] });
  });
  afterAll(() => browser?.close());

  /** A fresh page; `before` runs in it before its own script, with `ocrHost` in place. Fails on whatever the page complains of. */
  async function open(before: (given: string) => void = () => undefined, given = ''): Promise<{ page: Page; wrong: string[] }> {
    const page = await browser.newPage({ viewport: { width: 1000, height: 800 } });
    const wrong: string[] = [];
    page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
    page.on('pageerror', (error) => wrong.push(error.message));
    await page.route('**', async (route) => {
      const { origin, pathname } = new URL(route.request().url());
      if (`${origin}/` !== AT) wrong.push(`asked for ${route.request().url()}`);
      const name = pathname === '/' ? 'index.html' : pathname.slice(1);
      const contentType = TYPES[name.split('.').pop() as string] as string;
      await route.fulfill({ contentType, body: readFileSync(join(UI, 'dist', name)) });
    });
    await page.addInitScript(`${fake}; window.ocrHost = new fake.FakeHost(); (${before})(${JSON.stringify(given)});`);
    await page.goto(AT);
    await page.waitForSelector('body[data-ready]');
    return { page, wrong };
  }

  async function accessible(page: Page): Promise<void> {
    await page.evaluate(axe);
    for (const colorScheme of LOOKS) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const { violations } = await page.evaluate(() => window.axe.run());
      expect(violations.map(({ id, nodes }) => `${colorScheme}: ${id}: ${nodes[0]?.html}`)).toEqual([]);
    }
  }

  test('a drop becomes rows that move, is steered, and its words are looked at by keyboard alone', async () => {
    const { page, wrong } = await open((results) => (window.ocrHost.results = results), writtenResults());

    await page.evaluate(() => window.ocrHost.drop(['/scans/a.png', '/more/']));
    await page.evaluate(() => window.ocrHost.progress('/scans/a.png', 3, 12, 25));
    await page.getByText('page 3/12').waitFor();
    await accessible(page);
    await page.getByRole('button', { name: 'Pause' }).press('Enter');
    await page.getByRole('button', { name: 'Resume' }).press('Enter');
    await page.locator('article[data-status=running]').waitFor();
    await page.evaluate(() => {
      window.ocrHost.done('/scans/a.png');
      window.ocrHost.end('completed');
    });
    await page.getByText('done 96 %').waitFor();
    await page.locator('progress[value="100"]').waitFor();

    await page.getByRole('button', { name: 'Words of a.png' }).press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.locator('rect.poor').waitFor();
    await page.keyboard.press('n');
    await dialog.getByText('“smudgcd”: 41 % sure').waitFor();
    expect(await dialog.locator('rect.here').getAttribute('data-at')).toBe('1');
    await accessible(page);
    await page.keyboard.press('PageDown');
    await dialog.getByText('Page 2 of 2').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('Words of a.png');

    await page.getByRole('button', { name: 'Open the PDF of a.png' }).press('Enter');
    expect(await page.evaluate(() => window.ocrHost.opened)).toEqual(['/scans/a.png.out.pdf']);
    expect(await page.evaluate(() => window.ocrHost.steered)).toEqual(['pause', 'resume']);
    expect(wrong).toEqual([]);
    if (process.env.OCR_SCREENSHOTS) await screenshots(page, process.env.OCR_SCREENSHOTS);
    await page.close();
  });

  test('ten thousand rows are a few dozen elements, and the last one is reached by the keyboard', async () => {
    const { page, wrong } = await open();

    await page.evaluate(() => window.ocrHost.drop(Array.from({ length: 10_000 }, (_, at) => `/scans/${at + 1}.png`)));
    await page.getByText('1.png', { exact: true }).waitFor();
    const rows = page.getByRole('region', { name: 'Files of' });
    await rows.press('End');
    await page.getByText('10000.png', { exact: true }).waitFor();

    expect(await page.locator('li').count()).toBeLessThan(40);
    expect(await page.locator('li').last().getAttribute('aria-setsize')).toBe('10000');
    expect(wrong).toEqual([]);
    await page.close();
  });

  test('options and interrupted jobs are there, and a phone shows all of it without scrolling sideways', async () => {
    const { page, wrong } = await open((left) => (window.ocrHost.left = JSON.parse(left)), JSON.stringify([summary('old')]));
    await page.setViewportSize({ width: 360, height: 700 });

    await page.getByText('Options').click();
    await page.getByLabel('deu').check();
    await page.getByText('Paste paths').click();
    await page.getByLabel('Files and folders').fill('"/scans/a.pdf"\n\n/scans/b.pdf\n');
    await accessible(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await page.getByRole('button', { name: 'Read them' }).click();
    await page.getByRole('button', { name: 'Resume the batch in /old/ocr' }).click();

    await page.getByRole('heading', { name: 'a.pdf and 1 more file' }).waitFor();
    expect(await page.evaluate(() => window.ocrHost.begun[0])).toMatchObject({
      files: ['/scans/a.pdf', '/scans/b.pdf'],
      options: { languages: ['eng', 'deu'] },
    });
    expect(await page.evaluate(() => window.ocrHost.jobs[1]?.id)).toBe('old');
    expect(wrong).toEqual([]);
    await page.close();
  });

  test('without an app around it, the page says so', async () => {
    const { page } = await open(() => delete (window as Partial<Window>).ocrHost);

    expect(await page.getByRole('alert').textContent()).toContain('No app is around this page');
    await page.close();
  });

  async function screenshots(page: Page, folder: string): Promise<void> {
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.evaluate(() => {
      window.ocrHost.drop(['/scans/Contract 2019.pdf', '/scans/Receipts.pdf', '/scans/Letter.png', '/scans/Plan.tif']);
    });
    await page.getByText('Letter.png').waitFor();
    await page.evaluate(() => {
      window.ocrHost.done('/scans/Contract 2019.pdf');
      window.ocrHost.progress('/scans/Receipts.pdf', 3, 12, 38);
    });
    await page.getByText('page 3/12').waitFor();
    for (const colorScheme of LOOKS) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(folder, `ui-${colorScheme}.png`) });
    }
    await page.getByRole('button', { name: 'Words of Contract' }).click();
    await page.locator('dialog rect.poor').waitFor();
    await page.screenshot({ path: join(folder, 'ui-words.png') });
  }
});
