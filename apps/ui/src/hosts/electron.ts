/** The page in Electron: files through the preload's bridge, the worker through a port to the main process. */

import { OcrSidecar } from '../../../../clients/typescript/src/index.js';
import { port } from '../../../../clients/typescript/src/port.js';
import type { Disk, Host } from '../model/host.js';
import { sidecarHost } from './sidecar.js';

/** What the preload gives the page; apps/electron implements it. */
export interface Bridge {
  /** Have the main process send a port, as a message `ocr-port`. */
  connect(): void;
  pathOf(file: File): string;
  expand(paths: readonly string[]): Promise<string[]>;
  choose(what: 'files' | 'folder'): Promise<string[]>;
  open(path: string): Promise<void>;
  results(path: string): Promise<string>;
  picture(path: string): Promise<Uint8Array<ArrayBuffer>>;
}

const CLIENT = 'ocr-sidecar-electron';

export async function electronHost(bridge: Bridge, page: Window): Promise<Host> {
  const came = workerPort(page);
  bridge.connect();
  const sidecar = await OcrSidecar.start({ transport: port(await came), client: { name: CLIENT } });
  return sidecarHost(sidecar, diskOf(bridge, page), CLIENT);
}

function workerPort(page: Window): Promise<MessagePort> {
  return new Promise((resolve) => {
    const hear = ({ data, source, ports: [end] }: MessageEvent): void => {
      if (data !== 'ocr-port' || source !== page || !end) return;
      page.removeEventListener('message', hear);
      resolve(end);
    };
    page.addEventListener('message', hear);
  });
}

function diskOf(bridge: Bridge, page: Window): Disk {
  return {
    onDrop(listener) {
      const drop = (event: DragEvent): void => {
        event.preventDefault();
        const paths = [...(event.dataTransfer?.files ?? [])].map((file) => bridge.pathOf(file));
        listener(paths.filter((path) => path !== ''));
      };
      // Without this the window would show the dropped file in place of the page.
      const allow = (event: DragEvent): void => event.preventDefault();
      page.addEventListener('dragover', allow);
      page.addEventListener('drop', drop);
      return () => {
        page.removeEventListener('dragover', allow);
        page.removeEventListener('drop', drop);
      };
    },
    expand: (paths) => bridge.expand(paths),
    choose: (what) => bridge.choose(what),
    open: (path) => bridge.open(path),
    results: (path) => bridge.results(path),
    picture: async (path) => new Blob([await bridge.picture(path)]),
  };
}
