/** Which app the page is in. Only that app's code is loaded. */

import type { Host } from '../model/host.js';
import type { Bridge } from './electron.js';

interface Around {
  /** A host that an app of its own gives the page, before the page's script runs. */
  ocrHost?: Host;
  ocrBridge?: Bridge;
}

export async function findHost(page: Window & Around): Promise<Host | undefined> {
  if (page.ocrHost) return page.ocrHost;
  if ('__TAURI_INTERNALS__' in page) return (await import('./tauri.js')).tauriHost();
  if (page.ocrBridge) return (await import('./electron.js')).electronHost(page.ocrBridge, page);
  return undefined;
}
