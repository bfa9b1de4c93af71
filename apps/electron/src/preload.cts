/** The bridge of apps/ui/src/hosts/electron.ts, and a port that is handed on, as ports cannot cross a bridge. */

import electron = require('electron');

import type { Bridge } from '../../ui/src/hosts/electron.js' with { 'resolution-mode': 'import' };

const { contextBridge, ipcRenderer, webUtils } = electron;

const bridge: Bridge = {
  connect: () => ipcRenderer.send('ocr-connect'),
  pathOf: (file) => webUtils.getPathForFile(file),
  expand: (paths) => ipcRenderer.invoke('ocr-expand', paths),
  choose: (what) => ipcRenderer.invoke('ocr-choose', what),
  open: (path) => ipcRenderer.invoke('ocr-open', path),
  results: (path) => ipcRenderer.invoke('ocr-results', path),
  picture: (path) => ipcRenderer.invoke('ocr-picture', path),
};

ipcRenderer.on('ocr-port', ({ ports }) => window.postMessage('ocr-port', window.location.origin, [...ports]));
contextBridge.exposeInMainWorld('ocrBridge', bridge);
