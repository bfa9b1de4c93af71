/** What of this is in the repository as it is built: the page in the wheel of the service, and the client of its document. */

import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect, onTestFinished, test } from 'vitest';

const UI = join(import.meta.dirname, '..');
const STATIC = join(UI, '../../worker/ocr_worker/server/static');

/** As `make page` does it: what vitest has in its environment would make a page for tests. */
async function run(...words: string[]): Promise<string> {
  const { PATH = '', HOME = '' } = process.env;
  const options = { cwd: UI, env: { PATH, HOME }, maxBuffer: 2 ** 24 };
  return (await promisify(execFile)('npm', ['run', '--silent', ...words], options)).stdout;
}

test('the page of the service is the one that is built of these sources: make page', async () => {
  const made = mkdtempSync(join(tmpdir(), 'ocr-built-'));
  onTestFinished(() => rmSync(made, { recursive: true }));

  await run('build-service', '--', '--outDir', made);

  expect(readdirSync(made)).toEqual(readdirSync(STATIC));
  for (const name of readdirSync(made)) expect(readFileSync(join(made, name), 'utf8') === readFileSync(join(STATIC, name), 'utf8'), name).toBe(true);
});

test('the client is the one that is made of docs/openapi.json: make page', async () => {
  expect((await run('types')) === readFileSync(join(UI, 'src/service/schema.ts'), 'utf8')).toBe(true);
});
