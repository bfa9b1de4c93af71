/** Jobs with the real worker. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, realpathSync, writeFileSync, copyFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';

import { pathBytes } from '../src/index.js';
import type { Event, FileState, Job } from '../src/index.js';
import { ACCEPT, begin, folder, IN, scripted } from './support.js';

const PAGE = join(IN, 'page.png');
const LONG = join(IN, 'long.pdf');

async function read(job: Job): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of job) events.push(event);
  return events;
}

test('a batch tells what it does, file by file, and how it ended', async (t) => {
  const { sidecar, out } = await begin(t);
  const states: string[] = [];
  const rows: FileState['status'][] = [];
  sidecar.on('state', (state) => states.push(state));

  const job = sidecar.batch([PAGE, join(IN, 'missing.png')], out, { outputs: ['pdf', 'txt'] });
  const off = job.subscribe(({ files }) => rows.push(files.get(PAGE)?.status ?? 'waiting'));
  const events = await read(job);
  const result = await job.result;
  off();

  assert.equal(result.status, 'completed');
  assert.deepEqual([result.successful?.length, result.failed?.[0]?.code], [1, 'not_found']);
  assert.equal(events[0]?.type === 'info' && events[0].data.kind, 'accepted');
  assert.equal(events.at(-1)?.type, 'result');
  const news = (all: Event[]): Event[] => all.filter(({ type }) => type !== 'progress');
  assert.deepEqual(news(await read(job)), news(events), 'whoever comes late misses no news');
  assert.deepEqual([...job.files.values()].map(({ status }) => status), ['completed', 'failed']);
  assert.ok(existsSync(job.files.get(PAGE)?.done?.output as string));
  assert.deepEqual([...new Set(rows)], ['waiting', 'working', 'completed']);
  assert.equal(job.progress?.percent, 100);
  assert.deepEqual(states, ['running', 'idle']);
  const { filesDone, jobsDone, lostEvents, badLines, unknownEvents } = sidecar.metrics;
  assert.deepEqual([filesDone, jobsDone, lostEvents, badLines, unknownEvents], [2, 1, 0, 0, 0]);
});

test('a job is paused, resumed and cancelled, before it is accepted too', async (t) => {
  const { sidecar, out } = await begin(t);
  const job = sidecar.batch([LONG], out);

  await job.pause();
  const paused = [job.status, (await sidecar.ping()).state];
  await job.resume();
  const running = [job.status, (await sidecar.ping()).state];
  await job.cancel();
  const result = await job.result;

  assert.deepEqual(paused, ['paused', 'paused']);
  assert.deepEqual(running, ['running', 'running']);
  assert.deepEqual([result.status, job.status, sidecar.state], ['cancelled', 'cancelled', 'cancelled']);
  await job.pause();
});

test('a job that somebody else pauses is paused until it has pages in work again', async (t) => {
  const said = `
    if (command.command !== 'ping') return;
    const [event, ...rest] = events;
    events = rest;
    say({ seq: 99 - rest.length, job_id: 'j', ...event });
    say({ type: 'result', id, data: { kind: 'ping' } });`;
  const progress = (working: object[]): object => ({ type: 'progress', data: { current: 1, total: 2, message: '', percent: 1, working } });
  const news = (kind: string, jobs: string[] = []): object => ({ type: 'info', data: { kind, message: '', jobs } });
  const steps: [object, string][] = [
    [progress([{ file: '/a' }]), 'running'],
    [news('paused'), 'paused'],
    [progress([]), 'paused'],
    [progress([{ file: '/a' }]), 'running'],
    [news('pause', ['j']), 'paused'],
    [progress([{ file: '/a' }]), 'paused'],
    [news('resume', ['j']), 'running'],
    [news('pause'), 'running'],
    [news('paused'), 'paused'],
    [news('accepted'), 'running'],
  ];
  const events = `let events = ${JSON.stringify(steps.map(([event]) => event))};`;
  const { sidecar } = await begin(t, { transport: scripted(`${ACCEPT} ${said}`, events) });
  const job = sidecar.batch(['/a'], '/out');
  await job.accepted;

  const seen = [];
  for (const _ of steps) {
    await sidecar.ping();
    seen.push(job.status);
  }

  assert.deepEqual(
    seen,
    steps.map(([, status]) => status),
  );
});

test('an iterator may be asked again before it has answered, and left while it waits', async (t) => {
  const end = `
    if (command.command === 'ping') {
      say({ type: 'result', job_id: 'j', data: { kind: 'batch', status: 'completed' } });
      say({ type: 'result', id, data: { kind: 'ping' } });
    }`;
  const { sidecar } = await begin(t, { transport: scripted(ACCEPT + end) });
  const job = sidecar.batch(['/a'], '/out');
  await job.accepted;
  const [left, waiting] = [job[Symbol.asyncIterator](), job[Symbol.asyncIterator]()];
  for (const iterator of [left, waiting]) assert.equal((await iterator.next()).value?.type, 'info');

  const abandoned = left.next();
  await left.return?.();
  const both = Promise.all([waiting.next(), waiting.next()]);
  await sidecar.ping();

  assert.deepEqual(await abandoned, { value: undefined, done: true });
  assert.deepEqual((await both).map(({ value, done }) => value?.type ?? done), ['result', true]);
});

test('a relative path starts where the program is by then, or in the folder given to its worker', async (t) => {
  const [before, elsewhere] = [process.cwd(), realpathSync(folder(t))];
  t.after(() => process.chdir(before));
  for (const given of [undefined, relative(before, elsewhere)]) {
    const options = given === undefined ? {} : { cwd: given };
    const { sidecar } = await begin(t, { transport: scripted(ACCEPT, '', options) });

    process.chdir(given === undefined ? elsewhere : before);
    const job = sidecar.batch(['a.png'], 'out');
    await job.accepted;
    process.chdir(before);

    assert.deepEqual([...job.files.keys()], [join(elsewhere, 'a.png')]);
  }
});

test('an aborted signal cancels its job, and one aborted before starts none', async (t) => {
  const { sidecar, out } = await begin(t);
  const abort = new AbortController();

  const job = sidecar.batch([LONG], out, {}, { signal: abort.signal });
  abort.abort();
  const late = sidecar.batch([LONG], out, {}, { signal: abort.signal });

  assert.equal((await job.result).status, 'cancelled');
  await assert.rejects(late.result, { name: 'OcrError', code: 'cancelled' });
  assert.equal((await sidecar.listJobs()).total, 1);
  assert.deepEqual([sidecar.state, sidecar.error], ['cancelled', undefined]);
});

test('what is refused rejects with the code, and the worker goes on', async (t) => {
  const { sidecar, out } = await begin(t);

  const empty = sidecar.batch([], out);
  const half = sidecar.batch(['/a\ud800'], out);
  const none = sidecar.batch([null as unknown as string], out);
  const long = sidecar.batch(Array(90_000).fill(`/${'x'.repeat(100)}`), out);

  await assert.rejects(empty.result, { code: 'invalid_params', message: 'No files provided for OCR batch processing' });
  await assert.rejects(half.accepted, { code: 'invalid_params' });
  await assert.rejects(none.result, { code: 'invalid_params', message: 'null is no path', retryable: false });
  await assert.rejects(read(long), { code: 'line_too_long' });
  await assert.rejects(sidecar.getJob('no-such-job'), { code: 'job_not_found', retryable: false });
  await assert.rejects(sidecar.inspect(join(IN, 'missing.png')), { code: 'not_found' });
  assert.equal((await sidecar.inspect(PAGE)).pages, 1);
  assert.deepEqual([empty.status, sidecar.state], ['error', 'error']);
});

test('a name that is not UTF-8 and a relative one are read', { skip: process.platform !== 'linux' }, async (t) => {
  const { sidecar, out } = await begin(t);
  const home = folder(t);
  const bytes = Buffer.concat([Buffer.from(`${home}/`), Buffer.of(0x61, 0xff), Buffer.from('.png')]);
  writeFileSync(bytes, '');
  copyFileSync(PAGE, bytes);

  const names = readdirSync(home, { encoding: 'buffer' });
  const job = sidecar.batch([Buffer.concat([Buffer.from(`${home}/`), names[0] as Buffer])], out, { outputs: ['txt'] });
  const [done] = (await job.result).successful ?? [];
  const relative = sidecar.batch(['no/such/file.png'], out);
  await relative.result;

  assert.ok(existsSync(Buffer.from(pathBytes(done?.output as string))));
  assert.equal(job.files.size, 1);
  assert.deepEqual([...relative.files.keys()], [join(process.cwd(), 'no/such/file.png')]);
});

test('a cancelled job is taken up again, and failed files are tried again', async (t) => {
  const { sidecar, out } = await begin(t);
  const first = sidecar.batch([PAGE, join(IN, 'missing.png')], out, { outputs: ['txt'] });
  await first.result;
  const id = await first.accepted;

  const again = sidecar.retryFailed(id);
  const retried = await again.result;
  const nothing = await sidecar.resume(id).result;

  assert.equal(retried.failed?.[0]?.code, 'not_found');
  assert.equal(again.files.get(PAGE)?.status, 'completed', 'rows of files that are not tried again are there');
  assert.deepEqual([nothing.status, nothing.successful?.length, nothing.failed?.length], ['completed', 1, 1]);
  await sidecar.deleteJob(id);
  assert.equal((await sidecar.listJobs()).total, 0);
});
