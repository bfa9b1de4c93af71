/** Paths as the wire has them: absolute, and a `file:///` URI where their bytes are not UTF-8. */

import { OcrError } from './errors.js';

/** A path, a `file:` URL, or the bytes of a path, as `readdir` gives them with `encoding: 'buffer'`. */
export type PathLike = string | Uint8Array | URL;

/** As the worker takes it. Relative paths start from `cwd`; without one they are refused. */
export function wirePath(path: PathLike, cwd?: string): string {
  if (path instanceof URL) return ofUrl(path);
  if (typeof path === 'string') return absolute(path, cwd);
  if (!(path instanceof Uint8Array)) {
    throw new OcrError(`${String(path)} is no path`, 'invalid_params', false, { path });
  }
  const text = utf8(path);
  if (text !== undefined) return absolute(text, cwd);
  if (path[0] === SLASH) return asUri(path);
  return asUri(joined(new TextEncoder().encode(absolute('.', cwd)), path));
}

/** The bytes of a path that the worker names: of a URI those it stands for, else its UTF-8. */
export function pathBytes(path: string): Uint8Array {
  const uri = /^file:\/\/(?:localhost)?(\/.*)$/s.exec(path);
  const text = uri?.[1] ?? path;
  const bytes = new TextEncoder().encode(text);
  return uri ? percentDecoded(bytes) : bytes;
}

const SLASH = 0x2f;
const PERCENT = 0x25;
const IS_URI = /^file:\/\/(localhost)?\//;
const WINDOWS = /^([A-Za-z]:[\\/]|\\\\)/;

function absolute(path: string, cwd: string | undefined): string {
  // An empty name is the worker's to refuse: it costs that file and not the batch.
  if (path === '' || path.startsWith('/') || IS_URI.test(path)) return path;
  if (WINDOWS.test(path) && !cwd?.startsWith('/')) return path;
  if (cwd === undefined) {
    throw new OcrError(`The path ${JSON.stringify(path)} must be absolute here`, 'invalid_params', false, { path });
  }
  const separator = cwd.startsWith('/') ? '/' : '\\';
  return path === '.' ? cwd : `${cwd.replace(/[\\/]$/, '')}${separator}${path.replace(/^\.[\\/]/, '')}`;
}

function ofUrl(url: URL): string {
  if (url.protocol === 'file:' && url.host === '') return url.href;
  throw new OcrError(`${url.href} is no file of this machine`, 'invalid_params', false, { path: url.href });
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function joined(folder: Uint8Array, name: Uint8Array): Uint8Array {
  const path = new Uint8Array(folder.length + 1 + name.length);
  path.set(folder);
  path[folder.length] = SLASH;
  path.set(name, folder.length + 1);
  return path;
}

function asUri(bytes: Uint8Array): string {
  const plain = /[A-Za-z0-9\-._~/]/;
  const written = Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    return plain.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return `file://${written.join('')}`;
}

function percentDecoded(bytes: Uint8Array): Uint8Array {
  const decoded: number[] = [];
  for (let at = 0; at < bytes.length; at += 1) {
    const hex = bytes[at] === PERCENT ? String.fromCharCode(...bytes.subarray(at + 1, at + 3)) : '';
    const isEscape = /^[0-9A-Fa-f]{2}$/.test(hex);
    decoded.push(isEscape ? parseInt(hex, 16) : (bytes[at] as number));
    if (isEscape) at += 2;
  }
  return Uint8Array.from(decoded);
}
