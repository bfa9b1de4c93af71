import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

import { namedSources } from './sources.js';

const SERVICE = '../../worker/ocr_worker/server/static';

export default defineConfig(({ mode }) => ({
  // Hosts serve the page from wherever they have it.
  base: mode === 'service' ? '/static/' : './',
  plugins: [svelte(), ...(mode === 'service' ? [namedSources()] : [])],
  // For the plugin's guest-js, which lies in a package of its own.
  resolve: { dedupe: ['@tauri-apps/api'] },
  // Nothing inline: the page's policy allows its own files alone.
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    ...(mode === 'service' && {
      outDir: SERVICE,
      emptyOutDir: true,
      // Names that stay: the built page is in the repository.
      rollupOptions: { input: 'service.html', output: { entryFileNames: 'page.js', assetFileNames: 'page[extname]', inlineDynamicImports: true } },
    }),
  },
  test: { include: ['tests/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 },
}));
