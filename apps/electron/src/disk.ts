/** What the page may have done with files. Knows nothing of Electron. */

import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, isAbsolute, join } from 'node:path';

/** What the worker reads. */
const READ = ['.pdf', '.png', '.jpg', '.jpeg', '.tif', '.tiff', '.bmp', '.gif', '.webp', '.pnm', '.pbm', '.pgm', '.ppm'];
/** What a page can draw. */
const DRAWN = ['.png', '.jpg', '.jpeg', '.bmp', '.gif', '.webp'];
const RESULTS = '_ocr_results.json';
const MANIFEST = /^batch_.*_manifest\.json$/;

/** Files as they are, and those in folders, in order of their names. Of folders within, those with outputs are left out. */
export async function expand(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    if ((await stat(absolute(path))).isDirectory()) files.push(...(await filesIn(path)));
    else files.push(path);
  }
  return files;
}

export async function results(path: string): Promise<string> {
  if (!absolute(path).endsWith(RESULTS)) throw new Error(`${path} is no file of results`);
  return readFile(path, 'utf8');
}

export async function picture(path: string): Promise<Uint8Array> {
  return readFile(ending(path, DRAWN));
}

/** The path of a PDF, which may be shown by another program. */
export function pdf(path: string): string {
  return ending(path, ['.pdf']);
}

async function filesIn(folder: string, isWithin = false): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  if (isWithin && entries.some(({ name }) => MANIFEST.test(name))) return [];
  entries.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    // A link to a folder may lead around in a circle.
    if (entry.isDirectory()) files.push(...(await filesIn(path, true)));
    else if (READ.includes(extname(entry.name).toLowerCase())) files.push(path);
  }
  return files;
}

function ending(path: string, endings: readonly string[]): string {
  if (!endings.includes(extname(absolute(path)).toLowerCase())) throw new Error(`${path} is not ${endings.join(' or ')}`);
  return path;
}

function absolute(path: string): string {
  if (typeof path !== 'string' || !isAbsolute(path)) throw new Error('The path is not absolute');
  return path;
}
