/** The files of the page, as `app://ocr/` has them: a file address would be no origin, and load no module. */

import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';

export const ORIGIN = 'app://ocr';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export async function pageFile(folder: string, address: string): Promise<Response> {
  const { host, pathname } = new URL(address);
  const path = normalize(join(folder, pathname === '/' ? 'index.html' : decodeURIComponent(pathname)));
  const type = TYPES[extname(path)];
  if (host !== 'ocr' || type === undefined || !path.startsWith(folder + sep)) return new Response(null, { status: 404 });
  try {
    const body = new Uint8Array(await readFile(path));
    return new Response(body, { headers: { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' } });
  } catch {
    return new Response(null, { status: 404 });
  }
}

/** Whether whoever asks is our page. */
export function isOurs(address: string | undefined): boolean {
  return address?.startsWith(`${ORIGIN}/`) ?? false;
}
