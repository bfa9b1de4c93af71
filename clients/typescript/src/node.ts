/** A worker as a child process of Node or Electron's main process. */

import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

import { OcrError } from './errors.js';
import { Ring } from './transport.js';
import type { Ended, Launch, Started, Transport, TransportListener } from './transport.js';

export interface NodeOptions {
  /** The worker's program: `workerPath()` of `@ocr-sidecar/worker`, or what PATH has. */
  command?: string;
  args?: readonly string[];
  cwd?: string;
  /** Added to the environment of this process. */
  env?: Record<string, string>;
  /** How much of the end of stderr is kept for errors. */
  stderrCharacters?: number;
  /** The worker's log as it comes. */
  onStderr?: (text: string) => void;
}

const IS_WINDOWS = process.platform === 'win32';
/** For what was written before the end: a descendant may hold a pipe open. */
const DRAIN_MS = 1000;

export function node(options: NodeOptions = {}): Transport {
  return new NodeTransport(options);
}

class NodeTransport implements Transport {
  #child: ChildProcessWithoutNullStreams | undefined;

  constructor(private readonly options: NodeOptions) {}

  async start(launch: Launch, listener: TransportListener): Promise<Started> {
    const { command = 'ocr-worker', args = [], env, stderrCharacters = 65536 } = this.options;
    const chosen = this.options.cwd;
    const cwd = resolve(chosen ?? '.');
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env, ...launch.env },
      stdio: 'pipe',
      windowsHide: true,
      // A group of its own, so that a wrapper and what it started end together.
      detached: !IS_WINDOWS,
    });
    await spawned(child, command, cwd);
    this.#child = child;
    const stderr = new Ring(stderrCharacters);
    this.#listen(child, stderr, listener);
    const { pid } = child;
    return {
      ...(pid !== undefined && { pid }),
      parentPid: process.pid,
      // Where this program is when a path is given: elsewhere by then, perhaps.
      get cwd() {
        return chosen === undefined ? process.cwd() : cwd;
      },
    };
  }

  write(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const stdin = this.#child?.stdin;
      if (!stdin?.writable) reject(new OcrError('The worker reads no more', 'worker_died', true));
      else stdin.write(line, 'utf8', (error) => (error ? reject(error) : resolve()));
    });
  }

  async stop(how: 'terminate' | 'kill'): Promise<void> {
    const child = this.#child;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    // To a worker on Windows, which knows no SIGTERM, the end of stdin says the same.
    child.stdin.end();
    if (!IS_WINDOWS) signalGroup(child.pid, how === 'kill' ? 'SIGKILL' : 'SIGTERM');
    else if (how === 'kill') {
      await killTree(child.pid);
      // Where there is no taskkill: its page processes end with a worker.
      child.kill();
    }
  }

  #listen(child: ChildProcessWithoutNullStreams, stderr: Ring, listener: TransportListener): void {
    child.stdout.on('data', (chunk: Buffer) => listener.data(chunk));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr.add(text);
      this.options.onStderr?.(text);
    });
    // A worker that ends while it is written to: `ended` says so.
    child.stdin.on('error', () => undefined);
    child.once('exit', () => void this.#finish(child, stderr, listener));
  }

  async #finish(child: ChildProcessWithoutNullStreams, stderr: Ring, listener: TransportListener): Promise<void> {
    // Of a wrapper that died first, the worker lives on, and would hold its jobs.
    if (child.pid !== undefined && !IS_WINDOWS) signalGroup(child.pid, 'SIGKILL');
    const late = new Promise((resolve) => setTimeout(resolve, DRAIN_MS).unref());
    await Promise.race([once(child, 'close'), late]);
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    const ended: Ended = { code: child.exitCode, signal: child.signalCode, stderr: stderr.toString() };
    listener.ended(ended);
  }
}

function spawned(child: ChildProcessWithoutNullStreams, command: string, cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error: NodeJS.ErrnoException) => {
      const details = { command, cwd, errno: error.code };
      reject(new OcrError(`Cannot start ${command}: ${error.message}`, 'not_started', false, details));
    });
  });
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The whole group is gone already.
  }
}

async function killTree(pid: number): Promise<void> {
  const killer = spawn('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true });
  await once(killer, 'close').catch(() => undefined);
}
