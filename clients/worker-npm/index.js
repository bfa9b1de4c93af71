/** Where the worker's program for this platform lies. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const PROGRAM = process.platform === 'win32' ? 'ocr-worker.exe' : 'ocr-worker';

export function workerPath() {
  const given = process.env.OCR_WORKER_PATH;
  if (given) return given;
  const name = `@ocr-sidecar/worker-${process.platform}-${process.arch}`;
  // A program in Electron's archive cannot be run: electron-builder puts it beside that.
  const path = join(packageFolder(name), 'ocr-worker', PROGRAM).replace(/app\.asar(?=[\\/])/, 'app.asar.unpacked');
  if (!existsSync(path)) throw new Error(`${name} is installed without its program: ${path} is missing`);
  return path;
}

function packageFolder(name) {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch {
    throw new Error(
      `${name} is not installed. Either there is none for this platform, or optional dependencies were left out: ` +
        'install without --omit=optional, or set OCR_WORKER_PATH to a worker.',
    );
  }
}
