/** What the tests share: the worker and the inputs that pytest gives, a sidecar that ends with its test, bounded waits. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { OcrSidecar } from '../src/index.js';
import type { StartOptions } from '../src/index.js';
import { node } from '../src/node.js';
import type { NodeOptions } from '../src/node.js';

export const ROOT = new URL('../../../../', import.meta.url);
/** `page.png`, one quick page; `pages.pdf`, twenty quick pages; `long.pdf`, forty slow ones. */
export const IN = process.env.OCR_TEST_IN as string;
export const HANG_MS = 120_000;

/** The real worker's program and arguments. */
export function worker(): { command: string; args: string[] } {
  const [command, ...args] = JSON.parse(process.env.OCR_TEST_WORKER as string) as [string, ...string[]];
  return { command, args };
}

export function realWorker(options: NodeOptions = {}): ReturnType<typeof node> {
  return node({ ...worker(), env: { OCR_WORKER_PAGE_PROCESSES: '2' }, ...options });
}

/** A worker made of a few lines of JavaScript that are run for each line it reads, as `command`. */
export function scripted(onCommand: string, before = '', options: NodeOptions = {}): ReturnType<typeof node> {
  const source = `
    const say = (event) => process.stdout.write(JSON.stringify(event) + '\\n');
    const hello = { kind: 'hello', limits: { max_line_bytes: 8388608 } };
    ${before}
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const command = JSON.parse(line), { id } = command;
      if (command.command === 'hello') say({ type: 'result', id, command: 'hello', data: hello });
      ${onCommand}
      if (command.command === 'shutdown' && process.listenerCount('SIGTERM') === 0) process.exit(0);
    });`;
  return node({ command: process.execPath, args: ['-e', source], ...options });
}

/** Has it accept a batch, as job `j`. */
export const ACCEPT = `
  if (command.command === 'ocr_batch') {
    say({ type: 'info', id, job_id: 'j', data: { kind: 'accepted', message: '', file_count: 1, total_files: 1 } });
  }`;

export function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'ocr-client-'));
  t.after(async () => {
    // A worker that is to end may still write its manifest. (`maxRetries` looks at no name that is new by then.)
    for (let left = 50; ; left--) {
      try {
        return rmSync(path, { recursive: true, force: true });
      } catch (error) {
        if (left === 0) throw error;
        await delay(100);
      }
    }
  });
  return path;
}

export interface Begun {
  sidecar: OcrSidecar;
  stateDir: string;
  out: string;
}

/** A sidecar with folders of its own; it is stopped after the test. */
export async function begin(t: TestContext, options: Partial<StartOptions> = {}): Promise<Begun> {
  const home = folder(t);
  const stateDir = options.stateDir ?? join(home, 'state');
  const sidecar = await OcrSidecar.start({ transport: realWorker(), client: { name: 'tests' }, ...options, stateDir });
  t.after(() => sidecar.stop());
  return { sidecar, stateDir, out: join(home, 'out') };
}

export async function until(condition: () => unknown, what: string): Promise<void> {
  for (const since = performance.now(); !condition(); await delay(10)) {
    assert.ok(performance.now() - since < HANG_MS, `${what}: not within ${HANG_MS} ms`);
  }
}

/** Live processes of the worker with this state folder, wherever they were re-parented to. */
export function alive(stateDir: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => belongs(pid, stateDir)).map(Number);
}

function belongs(pid: string, stateDir: string): boolean {
  try {
    const isDead = /^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return !isDead && environment.includes(`OCR_WORKER_STATE_DIR=${stateDir}`);
  } catch {
    return false;
  }
}
