/** A worker as a child of a Tauri app, by its shell plugin. */

import { OcrError } from './errors.js';
import { Ring } from './transport.js';
import type { Launch, Started, Transport, TransportListener } from './transport.js';

/** What is used of `@tauri-apps/plugin-shell`'s `Command`. */
export interface ShellCommand {
  create(program: string, args?: string | string[], options?: { env?: Record<string, string>; cwd?: string }): ShellProcess;
}

export interface ShellProcess {
  readonly stdout: { on(event: 'data', listener: (line: string) => void): unknown };
  readonly stderr: { on(event: 'data', listener: (line: string) => void): unknown };
  on(event: 'close', listener: (how: { code: number | null; signal: number | null }) => void): unknown;
  on(event: 'error', listener: (message: string) => void): unknown;
  spawn(): Promise<{ readonly pid: number; write(data: string): Promise<void>; kill(): Promise<void> }>;
}

export interface TauriOptions {
  /** `Command` of `@tauri-apps/plugin-shell`. */
  Command: ShellCommand;
  /** The name that the app's capability `shell:allow-spawn` gives the worker. */
  program?: string;
  args?: string[];
  /** What relative paths start from; without it they are refused. */
  cwd?: string;
  env?: Record<string, string>;
  onStderr?: (text: string) => void;
}

const STDERR_CHARACTERS = 65536;

/**
 * The page owns the worker: when it is left or reloaded, the worker ends. The plugin of this project, whose Rust side
 * owns it, keeps it instead.
 */
export function tauri(options: TauriOptions): Transport {
  return new TauriTransport(options);
}

class TauriTransport implements Transport {
  #child: Awaited<ReturnType<ShellProcess['spawn']>> | undefined;

  constructor(private readonly options: TauriOptions) {}

  async start(launch: Launch, listener: TransportListener): Promise<Started> {
    const { Command, program = 'ocr-worker', args = [], cwd, env } = this.options;
    const command = Command.create(program, args, { env: { ...env, ...launch.env }, ...(cwd !== undefined && { cwd }) });
    this.#listen(command, listener);
    try {
      this.#child = await command.spawn();
    } catch (error) {
      throw new OcrError(`Cannot start ${program}: ${String(error)}`, 'not_started', false, { command: program });
    }
    const child = this.#child;
    globalThis.addEventListener?.('pagehide', () => void child.kill().catch(() => undefined), { once: true });
    return { pid: child.pid, ...(cwd !== undefined && { cwd }) };
  }

  async write(line: string): Promise<void> {
    if (!this.#child) throw new OcrError('There is no worker', 'worker_died', true);
    await this.#child.write(line);
  }

  /** The plugin has one way to end a process. A worker that should end by itself was told so. */
  async stop(how: 'terminate' | 'kill'): Promise<void> {
    if (how === 'kill') await this.#child?.kill();
  }

  #listen(command: ShellProcess, listener: TransportListener): void {
    const stderr = new Ring(STDERR_CHARACTERS);
    // The plugin hands out whole lines; whether they keep their LF depends on its version.
    const whole = (line: string): string => (line.endsWith('\n') ? line : `${line}\n`);
    command.stdout.on('data', (line) => listener.data(whole(line)));
    command.stderr.on('data', (line) => {
      stderr.add(whole(line));
      this.options.onStderr?.(whole(line));
    });
    command.on('error', (message) => stderr.add(`${message}\n`));
    command.on('close', ({ code, signal }) => {
      this.#child = undefined;
      listener.ended({ code, signal: signal === null ? null : `signal ${signal}`, stderr: stderr.toString() });
    });
  }
}
