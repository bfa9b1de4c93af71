/** The host in Tauri, with a stand-in for Rust: which commands it calls, and what it makes of the answers. */

import { mockIPC } from '@tauri-apps/api/mocks';
import { expect, test } from 'vitest';

import { tauriHost } from '../src/hosts/tauri.js';
import type { OcrJob } from '../src/model/host.js';

Object.assign(globalThis, { window: globalThis });

const shown = { request_id: 'r1', job_id: 'j1', status: 'running', files: [{ file: '/a.pdf', status: 'waiting' }] };

test('jobs of Rust are found, drops come with their paths, and files are asked of the app', async () => {
  const called: string[] = [];
  mockIPC(
    (command, fields) => {
      called.push(command);
      const answers: Record<string, unknown> = {
        'plugin:ocr-sidecar|attach': { state: 'running', jobs: [shown] },
        'plugin:ocr-sidecar|list_jobs': { kind: 'jobs', jobs: [{ job_id: 'old' }], total: 1 },
        'plugin:ocr-sidecar|start': { ...shown, request_id: 'r2', job_id: 'j2' },
        expand: ['/in/a.pdf'],
        picture: new TextEncoder().encode('png').buffer,
      };
      if (command === 'plugin:ocr-sidecar|start') expect(fields).toMatchObject({ batch: { files: ['/b.pdf'], outputDir: '/ocr' } });
      return answers[command];
    },
    { shouldMockEvents: true },
  );
  const host = await tauriHost();
  const jobs: OcrJob[] = [];
  const dropped: (readonly string[])[] = [];

  host.onJob((job) => jobs.push(job));
  host.disk.onDrop((paths) => dropped.push(paths));
  const begun = host.begin(['/b.pdf'], '/ocr', { languages: ['eng'] });
  const { emit } = await import('@tauri-apps/api/event');
  await emit('tauri://drag-drop', { paths: ['/in'], position: { x: 1, y: 1 } });

  await expect.poll(() => begun.id).toBe('j2');
  expect(jobs.map(({ id }) => id)).toEqual(['j1', 'j2']);
  expect(dropped).toEqual([['/in']]);
  expect(await host.disk.expand(['/in'])).toEqual(['/in/a.pdf']);
  expect(await (await host.disk.picture?.('/a.png'))?.text()).toBe('png');
  expect(await host.interrupted()).toEqual([{ job_id: 'old' }]);
  expect(called).toContain('picture');
});
