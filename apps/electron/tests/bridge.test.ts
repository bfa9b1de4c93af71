/** The bridge under Node: files, the page's addresses, and the preload between a stand-in for Electron and the page's host. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

import { node } from '../../../clients/typescript/src/node.js';
import { serve } from '../../../clients/typescript/src/port.js';
import { electronHost } from '../../ui/src/hosts/electron.js';
import type { Bridge } from '../../ui/src/hosts/electron.js';
import * as disk from '../src/disk.js';
import { isOurs, pageFile } from '../src/page.js';

function folder(t: TestContext, names: readonly string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'ocr-electron-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const name of names) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), name);
  }
  return root;
}

test('a folder gives what can be read in it, but for folders of outputs', async (t) => {
  const root = folder(t, ['b 10.PNG', 'b 9.png', 'notes.txt', 'in/c.pdf', 'ocr/a.pdf', 'ocr/batch_1_manifest.json']);

  const files = await disk.expand([root, join(root, 'notes.txt')]);

  assert.deepEqual(files, ['b 9.png', 'b 10.PNG', 'in/c.pdf', 'notes.txt'].map((name) => join(root, name)));
});

test('the page reads results and pictures, and opens PDFs: nothing else', async (t) => {
  const root = folder(t, ['a_ocr_results.json', 'a.png', 'secret.json', 'run.sh']);
  const at = (name: string): string => join(root, name);

  assert.equal(await disk.results(at('a_ocr_results.json')), 'a_ocr_results.json');
  assert.deepEqual(Buffer.from(await disk.picture(at('a.png'))), Buffer.from('a.png'));
  assert.equal(disk.pdf('/a/b.PDF'), '/a/b.PDF');
  await assert.rejects(disk.results(at('secret.json')), /no file of results/);
  await assert.rejects(disk.picture(at('secret.json')), /is not/);
  await assert.rejects(disk.results('a_ocr_results.json'), /not absolute/);
  assert.throws(() => disk.pdf(at('run.sh')), /is not \.pdf/);
});

test('the page has its own files, and none above them', async (t) => {
  const root = folder(t, ['page/index.html', 'page/assets/a.js', 'secret.js']);
  const status = async (address: string): Promise<number> => (await pageFile(join(root, 'page'), address)).status;

  assert.equal(await (await pageFile(join(root, 'page'), 'app://ocr/')).text(), 'page/index.html');
  assert.equal(await status('app://ocr/assets/a.js'), 200);
  assert.equal(await status('app://ocr/..%2fsecret.js'), 404);
  assert.equal(await status('app://ocr/assets/b.js'), 404);
  assert.equal(await status('app://other/index.html'), 404);
  assert.equal(isOurs('app://ocr/'), true);
  for (const stranger of ['app://ocr.evil/', 'file:///app://ocr/', undefined]) assert.equal(isOurs(stranger), false);
});

/** What the worker says to each command, as a few lines of JavaScript. */
const WORKER = `
  const say = (event) => process.stdout.write(JSON.stringify(event) + '\\n');
  const hello = { kind: 'hello', limits: { max_line_bytes: 8388608 }, languages: ['deu', 'eng'] };
  const batch = { kind: 'batch', status: 'completed', total_files: 1, total_pages_processed: 1, duration_seconds: 1 };
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, command, files } = JSON.parse(line);
    const answer = (data) => say({ type: 'result', id, command, seq: 1, data });
    if (command === 'hello') answer(hello);
    if (command === 'list_jobs') answer({ kind: 'jobs', jobs: [], total: 0 });
    if (command === 'ocr_batch') {
      say({ type: 'info', id, command, job_id: 'j1', seq: 1, data: { kind: 'accepted', message: '', file_count: 1, total_files: 1 } });
      say({ type: 'info', job_id: 'j1', seq: 2, data: { kind: 'file_done', message: '', file: files[0], status: 'completed' } });
      say({ type: 'result', command, job_id: 'j1', seq: 3, data: batch });
    }
    if (command === 'shutdown') process.exit(0);
  });`;

test('the preload hands the port on, and a batch goes from the page to a worker and back', async (t) => {
  const page = new StandInPage();
  const main = (port: MessagePort): void => serve(port, node({ command: process.execPath, args: ['-e', WORKER] }));
  const bridge = preloaded(page, main);

  const host = await electronHost(bridge, page as unknown as Window);
  t.after(() => page.port?.close());
  const job = host.begin(['/scans/a.png'], '/scans/ocr', { languages: ['eng'] });
  await new Promise<void>((resolve) => job.subscribe(() => job.isOver && resolve()));

  assert.deepEqual(host.languages, ['deu', 'eng']);
  assert.equal(job.status, 'completed');
  assert.equal(job.files.get('/scans/a.png')?.status, 'completed');
  assert.deepEqual(await host.interrupted(), []);
  assert.deepEqual(await host.disk.expand(['/scans']), ['ocr-expand', ['/scans']]);
});

class StandInPage extends EventTarget {
  readonly location = { origin: 'app://ocr' };
  port: MessagePort | undefined;

  postMessage(data: string, origin: string, ports: MessagePort[]): void {
    assert.equal(origin, this.location.origin);
    this.port = ports[0];
    this.dispatchEvent(Object.assign(new Event('message'), { data, source: this, ports }));
  }
}

/** The compiled preload, run with stand-ins for Electron and the window. Returns what it gives the page. */
function preloaded(page: StandInPage, main: (port: MessagePort) => void): Bridge {
  let bridge: Bridge | undefined;
  const heard = new Map<string, (event: { ports: MessagePort[] }) => void>();
  const electron = {
    contextBridge: { exposeInMainWorld: (_name: 'ocrBridge', given: Bridge) => (bridge = given) },
    webUtils: { getPathForFile: (file: File) => `/dropped/${file.name}` },
    ipcRenderer: {
      on: (name: string, hear: (event: { ports: MessagePort[] }) => void) => heard.set(name, hear),
      invoke: async (...asked: unknown[]) => asked,
      send: (name: string) => {
        assert.equal(name, 'ocr-connect');
        const { port1, port2 } = new MessageChannel();
        main(port1);
        heard.get('ocr-port')?.({ ports: [port2] });
      },
    },
  };
  const source = readFileSync(fileURLToPath(new URL('../src/preload.cjs', import.meta.url)), 'utf8');
  const require = (name: string): unknown => {
    // All that a sandboxed preload may ask for.
    assert.equal(name, 'electron');
    return electron;
  };
  vm.runInNewContext(source, { require, exports: {}, window: page });
  assert.ok(bridge);
  return bridge;
}
