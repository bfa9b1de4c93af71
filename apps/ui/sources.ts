/** For the built page that is in the repository: which sources it was made of, so that Python can tell whether it is stale. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';

import type { Plugin } from 'vite';

const ROOT = resolve(import.meta.dirname, '../..');
// The client's types leave nothing in the page, but it was checked against them.
const BESIDE = [
  'service.html', 'package-lock.json', 'vite.config.ts', 'sources.ts', 'public/icon.svg', 'src/service/schema.ts', '../../docs/openapi.json',
];

export function namedSources(): Plugin {
  return {
    name: 'named-sources',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const ours = [...this.getModuleIds()].map((id) => id.replace(/[?\0].*$/s, '')).filter((id) => id.startsWith(ROOT) && !id.includes('node_modules'));
      const paths = new Set([...ours, ...BESIDE.map((name) => resolve(import.meta.dirname, name))]);
      const rows = [...paths].map((path) => `${digest(path)}  ${relative(ROOT, path).replaceAll('\\', '/')}\n`).sort((one, other) => (one.slice(66) < other.slice(66) ? -1 : 1));
      const page = bundle['service.html'];
      if (page) page.fileName = 'index.html';
      this.emitFile({ type: 'asset', fileName: 'sources.sha256', source: rows.join('') });
    },
  };
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
