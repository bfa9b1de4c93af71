/** One window with the page of apps/ui, and a worker for it. */

import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { app, BrowserWindow, dialog, ipcMain, MessageChannelMain, protocol, session, shell } from 'electron';
import type { IpcMainEvent, IpcMainInvokeEvent } from 'electron';

import { node } from '../../../clients/typescript/src/node.js';
import { serve } from '../../../clients/typescript/src/port.js';
import * as disk from './disk.js';
import { isOurs, ORIGIN, pageFile } from './page.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
// Packaged, both lie in extraResources; in the checkout, main.js is in apps/electron/dist/apps/electron/src.
const PAGE = app.isPackaged ? join(process.resourcesPath, 'ui') : join(HERE, '..', '..', '..', '..', '..', 'ui', 'dist');
const WORKER = app.isPackaged
  ? join(process.resourcesPath, 'ocr-worker', process.platform === 'win32' ? 'ocr-worker.exe' : 'ocr-worker')
  : (process.env.OCR_WORKER ?? 'ocr-worker');

if (app.requestSingleInstanceLock()) void begin();
else app.quit();

async function begin(): Promise<void> {
  app.enableSandbox();
  protocol.registerSchemesAsPrivileged([{ scheme: 'app', privileges: { standard: true, secure: true } }]);
  app.on('window-all-closed', () => app.quit());
  await app.whenReady();
  protocol.handle('app', (request) => pageFile(PAGE, request.url));
  session.defaultSession.setPermissionRequestHandler((_page, _wish, answer) => answer(false));
  answer();
  const window = open();
  app.on('second-instance', () => window.focus());
}

function open(): BrowserWindow {
  const window = new BrowserWindow({
    width: 1000,
    height: 760,
    title: 'OCR Sidecar',
    webPreferences: { preload: join(HERE, 'preload.cjs'), contextIsolation: true, sandbox: true, nodeIntegration: false },
  });
  window.webContents.setWindowOpenHandler(() => ({ action: 'deny' }));
  window.webContents.on('will-navigate', (event) => event.preventDefault());
  void window.loadURL(`${ORIGIN}/`);
  return window;
}

function answer(): void {
  ipcMain.on('ocr-connect', connect);
  handle('ocr-expand', (paths: string[]) => disk.expand(paths));
  handle('ocr-results', (path: string) => disk.results(path));
  handle('ocr-picture', (path: string) => disk.picture(path));
  handle('ocr-choose', choose);
  handle('ocr-open', async (path: string) => {
    const trouble = await shell.openPath(disk.pdf(path));
    if (trouble !== '') throw new Error(trouble);
  });
}

/** A page that is reloaded asks anew; the worker of the page before ends with its port. */
function connect(event: IpcMainEvent): void {
  if (!isOurs(event.senderFrame?.url)) return;
  const { port1, port2 } = new MessageChannelMain();
  serve(port1, node({ command: WORKER, cwd: homedir() }), { stateDir: join(app.getPath('userData'), 'ocr') });
  event.sender.postMessage('ocr-port', null, [port2]);
}

async function choose(what: 'files' | 'folder'): Promise<string[]> {
  const properties = what === 'folder' ? ['openDirectory' as const] : ['openFile' as const, 'multiSelections' as const];
  const { filePaths } = await dialog.showOpenDialog({ properties });
  return filePaths;
}

function handle<A>(name: string, act: (asked: A) => unknown): void {
  ipcMain.handle(name, (event: IpcMainInvokeEvent, asked: A) => {
    if (!isOurs(event.senderFrame?.url)) throw new Error('This page may not ask');
    return act(asked);
  });
}
