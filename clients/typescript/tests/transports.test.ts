/** The worker through the transports of a page: the real worker, behind stand-ins for the port and the shell plugin. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { Transport } from '../src/index.js';
import { port, serve } from '../src/port.js';
import type { Port } from '../src/port.js';
import { tauri } from '../src/tauri.js';
import type { ShellCommand } from '../src/tauri.js';
import { alive, begin, folder, IN, realWorker, until, worker } from './support.js';

const PAGE = join(IN, 'page.png');

/** As the plugin: lines on `data`, each with its LF or CR, as soon as there is one. */
const Command: ShellCommand = {
  create(program, _args, options) {
    assert.equal(program, 'ocr-worker');
    const process_ = new EventEmitter();
    const [stdout, stderr] = [new EventEmitter(), new EventEmitter()];
    return Object.assign(process_, {
      stdout,
      stderr,
      async spawn() {
        const { command, args } = worker();
        const child = spawn(command, args, { env: { ...process.env, ...options?.env } });
        const lines = (stream: NodeJS.ReadableStream, to: EventEmitter): void => {
          let pending = '';
          stream.setEncoding('latin1').on('data', (text: string) => {
            const parts = (pending + text).split(/(?<=[\r\n])/);
            pending = /[\r\n]$/.test(parts.at(-1) as string) ? '' : (parts.pop() as string);
            for (const line of parts) to.emit('data', line);
          });
        };
        lines(child.stdout, stdout);
        lines(child.stderr, stderr);
        child.once('close', (code) => process_.emit('close', { code, signal: child.signalCode && 9 }));
        return {
          pid: child.pid as number,
          write: async (data: string) => void child.stdin.write(data),
          kill: async () => void child.kill('SIGKILL'),
        };
      },
    });
  },
};

/** As Electron's MessagePortMain: `on` hands out an event with `data`, and nothing comes before `start`. */
function electronPort(end: MessagePort): Port {
  const emitter = new EventEmitter();
  end.addEventListener('message', ({ data }) => emitter.emit('message', { data }));
  end.addEventListener('close', () => emitter.emit('close', {}));
  return {
    postMessage: (message) => end.postMessage(message),
    start: () => end.start(),
    close: () => end.close(),
    on: (type, listener) => emitter.on(type, listener),
  };
}

function channel(t: TestContext): MessageChannel {
  const both = new MessageChannel();
  t.after(() => both.port1.close());
  return both;
}

async function readsAndRestarts(t: TestContext, transport: Transport): Promise<void> {
  const { sidecar, out, stateDir } = await begin(t, { transport });

  const result = await sidecar.batch([PAGE], out, { outputs: ['txt'] }).result;
  process.kill(sidecar.hello?.pid as number, 'SIGKILL');
  await until(() => sidecar.metrics.restarts === 1 && sidecar.hello, 'another worker');
  const inspected = await sidecar.inspect(PAGE);
  await sidecar.stop();

  assert.deepEqual([result.successful?.length, inspected.pages, sidecar.metrics.badLines], [1, 1, 0]);
  await until(() => alive(stateDir).length === 0, 'no process of the worker');
}

test('tauri(): a page reads a scan through the shell plugin', { skip: process.platform !== 'linux' }, async (t) => {
  await readsAndRestarts(t, tauri({ Command }));
});

test('tauri(): a relative path is refused, as nobody knows where it starts', async (t) => {
  const { sidecar, out } = await begin(t, { transport: tauri({ Command }) });

  await assert.rejects(sidecar.batch(['page.png'], out).result, { code: 'invalid_params', message: /absolute/ });
});

test('tauri(): a program that may not be started rejects with what the plugin says', async () => {
  const forbidden: ShellCommand = {
    create: (...given) => Object.assign(Command.create(...given), { spawn: () => Promise.reject('not allowed') }),
  };

  await assert.rejects(tauri({ Command: forbidden }).start({ env: {} }, { data() {}, ended() {} }), {
    code: 'not_started',
    message: /not allowed/,
  });
});

test('port(): a page reads a scan through a MessagePort', { skip: process.platform !== 'linux' }, async (t) => {
  const { port1, port2 } = channel(t);
  serve(electronPort(port1), realWorker());

  await readsAndRestarts(t, port(port2));
});

test('port(): the worker ends with its page', { skip: process.platform !== 'linux' }, async (t) => {
  const { port1, port2 } = channel(t);
  const stateDir = join(folder(t), 'own');
  serve(electronPort(port1), realWorker(), { stateDir });
  const { sidecar } = await begin(t, { transport: port(port2), stateDir: '/not/the/apps' });
  assert.ok(alive(stateDir).length > 0);
  const asked = sidecar.ask({ command: 'inspect', file: join(IN, 'long.pdf') });

  port2.close();

  await assert.rejects(asked, { code: 'worker_died' });
  await until(() => alive(stateDir).length === 0, 'no process of the worker');
});

test('port(): of a page, only variables of the worker reach the process, and a refusal keeps its code', async (t) => {
  const { port1, port2 } = channel(t);
  let env: Record<string, string> = {};
  const recording: Transport = {
    start: async (launch) => {
      env = launch.env;
      throw Object.assign(new Error('no'), { code: 'x' });
    },
    write: async () => undefined,
    stop: async () => undefined,
  };
  serve(electronPort(port1), recording);

  const started = port(port2).start({ env: { LD_PRELOAD: '/evil.so', OCR_WORKER_STATE_DIR: '/s' } }, { data() {}, ended() {} });

  await assert.rejects(started, { code: 'not_started', message: 'no' });
  assert.deepEqual(env, { OCR_WORKER_STATE_DIR: '/s' });
});

test('port(): with nobody at its end, a start is given up', async (t) => {
  const { port2 } = channel(t);

  await assert.rejects(begin(t, { transport: port(port2), timing: { hello: 0.05, terminate: 0.05 } }), {
    code: 'worker_died',
    message: /did not answer within 0.05 s/,
  });
});

test('port(): a worker that comes when its start was given up is ended', async (t) => {
  const { port1, port2 } = channel(t);
  const asked: string[] = [];
  const slow: Transport = {
    start: async () => {
      await delay(200);
      asked.push('started');
      return {};
    },
    write: async () => undefined,
    stop: async (how) => void asked.push(how),
  };
  serve(electronPort(port1), slow);

  await assert.rejects(begin(t, { transport: port(port2), timing: { hello: 0.05, terminate: 0.05 } }));

  await until(() => asked.includes('started') && asked.lastIndexOf('kill') > asked.indexOf('started'), 'it is ended');
});
