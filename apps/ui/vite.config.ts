import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Hosts serve the page from wherever they have it.
  base: './',
  plugins: [svelte()],
  // For the plugin's guest-js, which lies in a package of its own.
  resolve: { dedupe: ['@tauri-apps/api'] },
  // Nothing inline: the page's policy allows its own files alone.
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  test: { include: ['tests/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 },
});
