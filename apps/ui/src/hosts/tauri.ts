/** The page in Tauri: jobs by the plugin, which owns the worker, so that a reload finds them again; files by the app. */

import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';

import { attach } from '../../../../clients/rust/tauri-plugin-ocr-sidecar/guest-js/index.js';
import type { Disk, Host } from '../model/host.js';

export async function tauriHost(): Promise<Host> {
  const ocr = await attach();
  return {
    disk: await diskOf(),
    onJob(listener) {
      for (const job of ocr.jobs.values()) listener(job);
      return ocr.onJob((job) => listener(job));
    },
    begin: (files, outputDir, options) => ocr.batch(files, outputDir, options),
    interrupted: async () => (await ocr.listJobs({ state: 'interrupted' })).jobs,
    reopen: (jobId) => ocr.reopen(jobId),
  };
}

async function diskOf(): Promise<Disk> {
  const listeners = new Set<(paths: readonly string[]) => void>();
  await listen<{ paths: string[] }>('tauri://drag-drop', ({ payload }) => {
    for (const listener of listeners) listener(payload.paths);
  });
  return {
    onDrop(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    expand: (paths) => invoke('expand', { paths }),
    open: (path) => invoke('open', { path }),
    results: (path) => invoke('results', { path }),
    picture: async (path) => new Blob([await invoke<ArrayBuffer>('picture', { path })]),
  };
}
