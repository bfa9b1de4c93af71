/** Workers that die, hang, or do not heed: the real one, and some made for that. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { OcrSidecar } from '../src/index.js';
import type { Job, OcrError, SidecarEvents, Transport } from '../src/index.js';
import { node } from '../src/node.js';
import { ACCEPT, alive, begin, folder, HANG_MS, IN, scripted, until } from './support.js';

const LINUX = { skip: process.platform !== 'linux' };
const FEW_PAGES = join(IN, 'pages.pdf');
const SOON = { backoff: [0.01, 0.01, 0.01], shutdown: 0.3, terminate: 0.3 };
const END = `
  if (command.command === 'ocr_batch') say({ type: 'result', id, job_id: 'j', data: { kind: 'batch', status: 'completed' } });`;

async function firstPage(job: Job): Promise<void> {
  for await (const event of job) if (event.type === 'progress') return;
}

test('a worker that is killed is started again, and its job goes on where it was', LINUX, async (t) => {
  const { sidecar, out, stateDir } = await begin(t);
  const restarts: SidecarEvents['restart'][] = [];
  sidecar.on('restart', (restart) => restarts.push(restart));
  const job = sidecar.batch([FEW_PAGES], out, { outputs: ['txt'] });
  await firstPage(job);

  process.kill(sidecar.hello?.pid as number, 'SIGKILL');
  await assert.rejects(sidecar.ping(), { code: 'worker_died', retryable: true });
  const result = await job.result;

  assert.deepEqual([result.status, result.successful?.length], ['completed', 1]);
  assert.deepEqual([restarts.length, restarts[0]?.cause.details.signal], [1, 'SIGKILL']);
  assert.deepEqual([sidecar.state, sidecar.metrics.restarts], ['idle', 1]);
  await sidecar.stop();
  await until(() => alive(stateDir).length === 0, 'no process of the worker');
});

test('a worker that is frozen is pinged, ended and started again; a paused job stays paused', LINUX, async (t) => {
  const { sidecar, out } = await begin(t, { timing: { silence: 0.5, ping: 4, terminate: 5 } });
  const job = sidecar.batch([FEW_PAGES], out, { outputs: ['txt'] });
  await job.pause();

  process.kill(sidecar.hello?.pid as number, 'SIGSTOP');
  await until(() => sidecar.metrics.restarts === 1 && sidecar.hello, 'another worker');
  assert.equal(sidecar.metrics.silences, 1);
  let state = '';
  while (state !== 'paused') state = (await sidecar.ping()).state;
  await job.resume();

  assert.equal((await job.result).status, 'completed');
});

test('nothing of the worker outlives a host that is killed', LINUX, async (t) => {
  const stateDir = join(folder(t), 'state');
  const script = fileURLToPath(new URL('doomed-host.js', import.meta.url));
  const host = spawn(process.execPath, [script, stateDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: host.stdout }), 'line');
  assert.equal(line, 'reading');
  assert.ok(alive(stateDir).length > 1);

  host.kill('SIGKILL');

  await until(() => alive(stateDir).length === 0, 'no process of the worker');
});

test('a worker that dies again and again is given up, and everything is settled', async (t) => {
  const transport = scripted(`${ACCEPT} else if (command.command !== 'hello') process.exit(3);`);
  const { sidecar } = await begin(t, { transport, timing: SOON });
  const job = sidecar.batch(['/a.png'], '/out');
  await job.accepted;
  const asked = sidecar.ping();

  await assert.rejects(asked, { code: 'worker_died', details: { exit_code: 3, signal: null, stderr: '' } });
  await assert.rejects(job.result, { code: 'worker_died' });
  await assert.rejects(sidecar.ping(), { code: 'worker_died' });
  await assert.rejects(sidecar.batch(['/a.png'], '/out').result, { code: 'worker_died' });
  assert.deepEqual([sidecar.state, sidecar.error?.code, sidecar.metrics.restarts], ['error', 'worker_died', 3]);
});

test('after a time of health, deaths count from none', async (t) => {
  const transport = scripted(`if (command.command === 'inspect') process.exit(1);
    if (command.command === 'ping') say({ type: 'result', id, data: { kind: 'ping', state: 'idle' } });`);
  const { sidecar } = await begin(t, { transport, timing: { ...SOON, healthy: 0.02 } });

  for (let deaths = 1; deaths <= 5; deaths += 1) {
    await assert.rejects(sidecar.inspect('/a.png'), { code: 'worker_died' });
    await sidecar.ping();
    await new Promise((resolve) => setTimeout(resolve, 40));
  }

  assert.equal(sidecar.metrics.restarts, 5);
});

test('a worker that cannot start, or dies before its first word, is no case for restarts', async () => {
  const missing = OcrSidecar.start({ transport: node({ command: '/no/such/worker' }) });
  const broken = OcrSidecar.start({
    transport: node({ command: process.execPath, args: ['-e', 'console.error("no module"); process.exit(4)'] }),
  });
  const mute = OcrSidecar.start({
    transport: node({ command: process.execPath, args: ['-e', 'setInterval(() => 0, 1000)'] }),
    timing: { hello: 0.1 },
  });

  await Promise.all([
    assert.rejects(missing, { code: 'not_started', message: /\/no\/such\/worker/ }),
    assert.rejects(broken, { code: 'worker_died', details: { exit_code: 4, signal: null, stderr: 'no module\n' } }),
    assert.rejects(mute, { code: 'worker_died', message: /did not answer within 0.1 s/ }),
  ]);
});

test('a worker that is gone before it was spoken to is known by its own end', LINUX, async () => {
  const args = ['-c', 'exec 0<&-; echo no module >&2; sleep 0.3; exit 7'];
  const started = OcrSidecar.start({ transport: node({ command: 'sh', args }) });

  await assert.rejects(started, { code: 'worker_died', details: { exit_code: 7, signal: null, stderr: 'no module\n' } });
});

test('of a worker that writes to stderr without end, the end is kept', async () => {
  const noise = 'for (let i = 0; i < 4000; i += 1) console.error("x".repeat(99)); console.error("last words");';
  const args = ['-e', `${noise} process.exitCode = 1;`];
  const started = OcrSidecar.start({ transport: node({ command: process.execPath, args, stderrCharacters: 1000 }) });

  await assert.rejects(started, ({ details }: OcrError) => {
    assert.equal((details.stderr as string).length, 1000);
    assert.match(details.stderr as string, /last words\n$/);
    return true;
  });
});

test('a stop is a command, then a signal, then force; nothing is restarted', LINUX, async (t) => {
  const deaf = `process.on('SIGTERM', () => 0); setInterval(() => 0, 1000);
    require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { stdio: 'inherit' });`;
  const { sidecar, stateDir } = await begin(t, { transport: scripted(ACCEPT, deaf), timing: SOON });
  const job = sidecar.batch(['/a.png'], '/out');
  const asked = sidecar.ping();
  await job.accepted;
  await until(() => alive(stateDir).length === 2, 'the child of the worker');

  await Promise.all([sidecar.stop(), assert.rejects(asked), assert.rejects(job.result, { code: 'worker_stopped' })]);

  await until(() => alive(stateDir).length === 0, 'no process of the worker');
  await assert.rejects(sidecar.ping(), { code: 'worker_stopped' });
  assert.deepEqual([sidecar.state, sidecar.metrics.restarts], ['idle', 0]);
});

test('a stop keeps what is left for later, and a drain finishes it', async (t) => {
  const { sidecar, out, stateDir } = await begin(t);
  const job = sidecar.batch([FEW_PAGES], out, { outputs: ['txt'] });
  await firstPage(job);
  await sidecar.stop();
  assert.equal((await job.result).status, 'cancelled');

  const { sidecar: next } = await begin(t, { stateDir });
  const [left] = (await next.listJobs({ client: 'tests', state: 'interrupted' })).jobs;
  const again = next.resume(left?.job_id as string);
  await again.accepted;
  await next.stop('drain');

  assert.equal((await again.result).status, 'completed');
});

test('a job that ended while nobody listened has its result from the store', async (t) => {
  const files = `[
    { file: '/a', status: 'completed', pages: 2, output: '/out/a.pdf', outputs: {} },
    { file: '/b', status: 'failed', page: 1, error: { code: 'corrupt', message: 'torn', retryable: false } },
    { file: '/c', status: 'skipped', reason: 'done before' }]`;
  const store = `
    if (command.command === 'ping') process.exit(1);
    if (command.command === 'resume' && command.passwords['/a'] === 'secret') {
      say({ type: 'info', id, data: { kind: 'resume', message: '', jobs: [] } });
    }
    if (command.command === 'get_job') say({ type: 'result', id, job_id: 'j', data: {
      kind: 'job', job_id: 'j', state: 'completed', created_at: 'then', stats: { total: 3 }, pages_done: 2, files: ${files} } });`;
  const { sidecar } = await begin(t, { transport: scripted(ACCEPT + store), timing: SOON });
  const job = sidecar.batch(['/a', '/b', '/c'], '/out', { passwords: { '/a': 'secret' } });
  await job.accepted;

  await assert.rejects(sidecar.ping(), { code: 'worker_died' });
  const result = await job.result;

  assert.deepEqual([result.status, result.total_files, result.total_pages_processed], ['completed', 3, 2]);
  assert.deepEqual(result.successful, [{ file: '/a', status: 'completed', pages: 2, output: '/out/a.pdf', outputs: {} }]);
  assert.deepEqual(result.failed, [{ file: '/b', error: 'torn', code: 'corrupt', retryable: false, page: 1 }]);
  assert.deepEqual(result.skipped, [{ file: '/c', reason: 'done before' }]);
  assert.deepEqual([...job.files.values()].map(({ status }) => status), ['completed', 'failed', 'skipped']);
});

test('a listener that throws costs no event, and its error is not swallowed', async (t) => {
  const { sidecar } = await begin(t, { transport: scripted(`${ACCEPT} ${END}`) });
  const thrown: (() => void)[] = [];
  t.mock.method(globalThis, 'queueMicrotask', (callback: () => void) => thrown.push(callback));
  const fault = (): never => {
    throw new Error('of the app');
  };
  sidecar.on('event', fault);

  const job = sidecar.batch(['/a.png'], '/out');
  t.after(job.subscribe(() => job.isOver && fault()));

  assert.equal((await job.result).status, 'completed');
  assert.ok(thrown.length >= 2);
  for (const callback of thrown) assert.throws(callback, { message: 'of the app' });
});

test('a job that was told to cancel is offered to nobody after a crash', LINUX, async (t) => {
  const { sidecar, out } = await begin(t);
  const job = sidecar.batch([FEW_PAGES], out);
  await job.accepted;
  const pid = sidecar.hello?.pid as number;
  process.kill(pid, 'SIGSTOP');
  const cancelled = job.cancel();

  process.kill(pid, 'SIGKILL');
  await cancelled;

  assert.equal((await job.result).status, 'cancelled');
  let state = '';
  while (state !== 'cancelled') state = (await sidecar.getJob(job.id as string)).state;
});

test('a job that was told to cancel is not taken up by the next worker', async (t) => {
  const dies = `
    if (command.command === 'cancel') process.exit(1);
    if (command.command === 'resume') throw new Error('it was cancelled');
    if (command.command === 'get_job') say({ type: 'result', id, job_id: 'j', data: {
      kind: 'job', job_id: 'j', state: 'interrupted', created_at: '', stats: { total: 0 }, pages_done: 0, files: [] } });`;
  const { sidecar } = await begin(t, { transport: scripted(ACCEPT + dies), timing: SOON });
  const job = sidecar.batch(['/a'], '/out');

  await job.cancel();

  assert.equal((await job.result).status, 'cancelled');
});

test('what is wanted of a job between two workers is told with it', async (t) => {
  const first = `const isFirst = !require('node:fs').existsSync(process.env.OCR_WORKER_STATE_DIR);`;
  const asked = `
    if (command.command === 'ping' && isFirst) {
      require('node:fs').mkdirSync(process.env.OCR_WORKER_STATE_DIR);
      process.exit(1);
    }
    if (command.command === 'resume') say({ type: 'info', id, job_id: 'j', data: { kind: 'accepted', message: '' } });
    if (command.command === 'pause') say({ type: 'info', id, job_id: 'j', data: { kind: 'pause', message: '', jobs: ['j'] } });
    if (command.command !== 'hello') say({ type: 'info', data: { kind: 'warning', message: command.command } });
    if (command.command === 'ping') say({ type: 'result', id, data: { kind: 'ping' } });`;
  for (const wish of ['pause', 'resume'] as const) {
    const { sidecar } = await begin(t, { transport: scripted(ACCEPT + asked, first), timing: { ...SOON, backoff: [0.5] } });
    const heard: string[] = [];
    sidecar.on('event', (event) => {
      if (event.type === 'info' && event.data.kind === 'warning') heard.push(event.data.message);
    });
    const job = sidecar.batch(['/a'], '/out');
    await job.accepted;
    await assert.rejects(sidecar.ping(), { code: 'worker_died' });
    heard.length = 0;

    await job[wish]();

    assert.equal(job.status, wish === 'pause' ? 'paused' : 'running');
    const told = wish === 'pause' ? ['resume', 'pause'] : ['resume'];
    await until(() => heard.length === told.length, 'all that is asked');
    await sidecar.ping();
    assert.deepEqual(heard, [...told, 'ping']);
  }
});

test('a job that goes on already, as by another command, is not taken for ended', async (t) => {
  const goesOn = `
    if (command.command === 'list_jobs') process.exit(1);
    if (command.command === 'resume') say({ type: 'info', id, job_id: 'j', data: { kind: 'resume', message: '', jobs: [] } });
    if (command.command === 'get_job') say({ type: 'result', id, job_id: 'j', data: {
      kind: 'job', job_id: 'j', state: 'running', created_at: '', stats: { total: 0 }, pages_done: 0, files: [] } });
    if (command.command === 'ping') {
      say({ type: 'result', id, data: { kind: 'ping' } });
      say({ type: 'result', job_id: 'j', data: { kind: 'batch', status: 'completed' } });
    }`;
  const { sidecar } = await begin(t, { transport: scripted(ACCEPT + goesOn), timing: SOON });
  const job = sidecar.batch(['/a'], '/out');
  await job.accepted;
  let asked = 0;
  sidecar.on('event', (event) => (asked += Number(event.type === 'result' && event.data.kind === 'job')));

  await assert.rejects(sidecar.listJobs(), { code: 'worker_died' });
  await until(() => asked === 1, 'what the store says');
  assert.equal(job.status, 'running');
  await sidecar.ping();

  assert.equal((await job.result).status, 'completed');
});

test('a job that is held by what is left of the last worker is asked for again', async (t) => {
  const held = `
    if (command.command === 'ping') process.exit(1);
    if (command.command === 'resume' && (tries += 1) < 3) {
      say({ type: 'error', id, data: { code: 'job_active', message: '', retryable: false, details: {} } });
    } else if (command.command === 'resume') {
      say({ type: 'info', id, job_id: 'j', data: { kind: 'accepted', message: '' } });
      say({ type: 'result', job_id: 'j', data: { kind: 'batch', status: 'completed' } });
    }`;
  const { sidecar } = await begin(t, { transport: scripted(ACCEPT + held, 'let tries = 0;'), timing: SOON });
  const job = sidecar.batch(['/a'], '/out');
  await job.accepted;

  await assert.rejects(sidecar.ping(), { code: 'worker_died' });

  assert.equal((await job.result).status, 'completed');
});

test('resumed twice before it is accepted, a job of the store is one', async (t) => {
  const store = `
    if (command.command === 'get_job') say({ type: 'result', id, job_id: 'j', data: {
      kind: 'job', job_id: 'j', state: 'interrupted', created_at: '', stats: { total: 0 }, pages_done: 0, files: [] } });
    if (command.command === 'resume') say({ type: 'info', id, job_id: 'j', data: { kind: 'accepted', message: '' } });`;
  const { sidecar } = await begin(t, { transport: scripted(store) });
  const abort = new AbortController();

  const job = sidecar.resume('j');
  assert.equal(sidecar.resume('j', { signal: abort.signal }), job);
  await job.accepted;

  assert.equal(sidecar.resume('j'), job);
  abort.abort();
  assert.equal(job.wish, 'cancel');
});

test('with a wrapper that dies, its worker ends', LINUX, async (t) => {
  const wrapped = `
    const inner = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    hello.pid = inner.pid;`;
  const { sidecar } = await begin(t, { transport: scripted(`if (command.command === 'ping') process.exit(1);`, wrapped) });
  const pid = sidecar.hello?.pid as number;

  await assert.rejects(sidecar.ping(), { code: 'worker_died' });

  await until(() => !existsSync(`/proc/${pid}`), 'the worker has ended');
});

test('a stop waits for no worker that could not be started', async (t) => {
  const { sidecar } = await begin(t, { transport: startedOnce(), timing: { ...SOON, shutdown: 600 } });

  await assert.rejects(sidecar.ping(), { code: 'worker_died' });
  await until(() => sidecar.state === 'error', 'given up');

  await Promise.race([sidecar.stop(), delay(HANG_MS, undefined, { ref: false }).then(() => assert.fail('it waits'))]);
  assert.equal(sidecar.error?.message, 'gone');
});

/** Its worker dies when it is pinged, and then there is no program any more. */
function startedOnce(): Transport {
  const inner = scripted(`if (command.command === 'ping') process.exit(1);`);
  let starts = 0;
  return {
    start: (launch, listener) => ((starts += 1) === 1 ? inner.start(launch, listener) : Promise.reject(new Error('gone'))),
    write: (line) => inner.write(line),
    stop: (how) => inner.stop(how),
  };
}
