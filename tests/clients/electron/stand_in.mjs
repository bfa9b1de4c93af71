// What docs/hosts.md uses of Electron, for its main process, its preload and its page, in one process of Node.
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import vm from 'node:vm';

let begin;
const ready = new Promise((resolve) => (begin = resolve));
const handlers = new Map();

export const news = new EventEmitter();
export const app = Object.assign(new EventEmitter(), {
  whenReady: () => ready,
  getPath: () => process.env.OCR_TEST_DATA,
  quit: () => news.emit('quit'),
});
export const ipcMain = { handle: (name, handler) => handlers.set(name, handler) };

export class BrowserWindow {
  #preload;

  constructor({ webPreferences }) {
    this.#preload = webPreferences.preload;
  }

  async loadFile(path) {
    const heard = new EventEmitter();
    const listeners = new EventEmitter();
    const output = { textContent: '' };
    const page = vm.createContext({
      document: { querySelector: (wanted) => (wanted === 'output' ? output : null) },
      addEventListener: (name, listener) => listeners.on(name, listener),
    });
    // As between processes: what cannot be cloned does not arrive.
    const sender = { isDestroyed: () => false, send: (name, ...rest) => heard.emit(name, {}, ...structuredClone(rest)) };
    const renderer = {
      contextBridge: { exposeInMainWorld: (name, api) => (page[name] = api) },
      ipcRenderer: {
        invoke: async (name, ...rest) => structuredClone(await handlers.get(name)({ sender }, ...structuredClone(rest))),
        on: (name, listener) => heard.on(name, listener),
      },
      webUtils: { getPathForFile: (file) => file.path },
    };
    const require = (name) => (name === 'electron' ? renderer : undefined);
    vm.runInNewContext(readFileSync(this.#preload, 'utf8'), { require });
    const [, script] = /<script defer src="([^"]+)">/.exec(readFileSync(path, 'utf8'));
    vm.runInContext(readFileSync(join(dirname(path), script), 'utf8'), page);
    news.emit('page', { output, fire: (name, event) => listeners.emit(name, event) });
  }
}

/** Electron is ready only after the main module has been run. */
export async function run(main) {
  await import(main);
  begin();
}
