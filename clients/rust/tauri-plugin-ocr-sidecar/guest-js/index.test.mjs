// The page's side with a stand-in for Rust: what it calls, and what it makes of what it is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { mockIPC } from '@tauri-apps/api/mocks';

import { attach, OcrError } from 'tauri-plugin-ocr-sidecar-api';

globalThis.window = globalThis;

const batch = { kind: 'batch', status: 'completed', total_files: 1, total_pages_processed: 2, duration_seconds: 1 };
const result = { type: 'result', command: 'ocr_batch', job_id: 'j1', seq: 3, data: batch };
const done = { kind: 'file_done', message: '', file: '/a.pdf', status: 'completed', pages: 2 };
const fileDone = { type: 'info', job_id: 'j1', seq: 2, data: done };
const shown = { request_id: 'r1', job_id: 'j1', status: 'running', files: [{ file: '/a.pdf', status: 'waiting' }] };

/** Rust as `answers` has it. Returns what was called, and tells the page's channel what `say` is given. */
function rust(answers) {
  const called = [];
  const said = { say: undefined };
  mockIPC((command, fields) => {
    const name = command.replace('plugin:ocr-sidecar|', '');
    called.push([name, fields]);
    if (name === 'attach') said.say = (message) => fields.channel.onmessage(message);
    return answers[name]?.(fields);
  });
  return { called, say: (message) => said.say(message) };
}

test('a page that attaches finds its jobs and hears all of them from the start', async () => {
  const { say } = rust({ attach: () => ({ state: 'running', jobs: [{ ...shown, progress: { percent: 40 } }] }) });

  const ocr = await attach();
  const job = ocr.jobs.get('r1');
  const { percent } = job.progress;
  say({ kind: 'job', ...shown });
  for (const event of [fileDone, result]) say({ kind: 'event', request_id: 'r1', event });

  assert.equal(ocr.jobs.size, 1);
  assert.equal(percent, 40);
  assert.equal(job.files.get('/a.pdf').status, 'completed');
  assert.equal((await job.result).total_pages_processed, 2);
  const events = [];
  for await (const event of job) events.push(event);
  assert.deepEqual(events, [fileDone, result]);
});

test('a job that is paused in Rust is shown so, and goes on by a command', async () => {
  const { called } = rust({ attach: () => ({ state: 'running', jobs: [{ ...shown, status: 'paused' }] }) });

  const job = (await attach()).jobs.get('r1');
  await new Promise(setImmediate);
  const status = job.status;
  await job.resume();

  assert.equal(status, 'paused');
  assert.equal(job.status, 'running');
  assert.deepEqual(called.slice(1), [['resume', { jobId: 'j1' }]]);
});

test('a batch is asked for once, and is accepted by whichever comes first, message or answer', async () => {
  const { called, say } = rust({
    attach: () => ({ state: 'idle', jobs: [] }),
    start: () => {
      say({ kind: 'job', ...shown });
      return shown;
    },
  });
  const ocr = await attach();
  const heard = [];
  ocr.onJob((job, requestId) => heard.push(requestId));

  const job = ocr.batch(['/a.pdf'], '/out', { languages: ['deu'] }, { requestId: 'r1' });

  assert.equal(await job.accepted, 'j1');
  assert.deepEqual(heard, ['r1']);
  assert.deepEqual(called[1][1].batch, {
    requestId: 'r1', files: ['/a.pdf'], outputDir: '/out', options: { languages: ['deu'] },
  });
});

test('a refusal of Rust or of Tauri ends the job with its reason, and the wish can be told again', async () => {
  const refusals = [{ code: 'no_space', message: 'The disk is full', retryable: true }, 'start not allowed'];
  rust({
    attach: () => ({ state: 'idle', jobs: [] }),
    start: () => {
      throw refusals.shift();
    },
  });
  const ocr = await attach();

  const first = ocr.batch(['/a.pdf'], '/out', {}, { requestId: 'r1' });
  await assert.rejects(first.result, (error) => error instanceof OcrError && error.retryable && error.code === 'no_space');
  const second = ocr.batch(['/a.pdf'], '/out', {}, { requestId: 'r1' });
  await assert.rejects(second.result, { message: 'start not allowed' });
});

test('a job whose worker is gone for good fails without an event', async () => {
  const { say } = rust({ attach: () => ({ state: 'running', jobs: [shown] }) });
  const job = (await attach()).jobs.get('r1');

  const error = { code: 'worker_gave_up', message: 'again and again', retryable: false };
  say({ kind: 'failed', request_id: 'r1', job_id: 'j1', error });

  await assert.rejects(job.result, { code: 'worker_gave_up' });
  assert.equal(job.status, 'error');
});
