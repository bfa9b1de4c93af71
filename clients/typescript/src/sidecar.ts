/** The worker as an app sees it: commands as promises, batches as jobs, one life over all restarts. */

import { OcrError } from './errors.js';
import type { Job } from './job.js';
import { Jobs } from './jobs.js';
import { Life, TIMING } from './life.js';
import type { StopMode, Timing } from './life.js';
import { noMetrics } from './metrics.js';
import type { Metrics } from './metrics.js';
import { notify } from './notify.js';
import { wirePath } from './paths.js';
import type { PathLike } from './paths.js';
import type { Request } from './session.js';
import type { Transport } from './transport.js';
import type { Answers, BatchOptions, ClientInfo, CommandName, Event, Hello, HelloData, ListJobs } from './wire.js';

export interface StartOptions {
  transport: Transport;
  /** Where the worker remembers jobs; its user's state folder if absent. */
  stateDir?: string;
  /** Who asks. Jobs keep the name. */
  client?: ClientInfo;
  /** Other wishes of `hello`, such as `progress_hz`. */
  hello?: Pick<Hello, 'heartbeat_seconds' | 'max_event_bytes' | 'progress_hz' | 'summary_result'>;
  timing?: Partial<Timing>;
}

export type SidecarState = 'idle' | 'running' | 'cancelled' | 'error';

export interface SidecarEvents {
  state: SidecarState;
  /** All that the worker says. */
  event: Event;
  restart: { attempt: number; cause: OcrError };
  /** The worker is gone for good: stopped on request, or given up. */
  over: OcrError;
}

export interface JobOptions {
  /** Cancels the job. */
  signal?: AbortSignal;
  priority?: number;
}

export interface ReopenOptions {
  signal?: AbortSignal;
  /** Again: they are never stored. */
  passwords?: Record<string, string>;
}

type Listener<K extends keyof SidecarEvents> = (said: SidecarEvents[K]) => void;

export class OcrSidecar {
  /** Counted over all restarts. */
  readonly metrics: Readonly<Metrics>;
  /** Those that are not over, by their id. */
  readonly jobs: ReadonlyMap<string, Job>;
  readonly #jobs: Jobs;
  readonly #listeners = new Map<keyof SidecarEvents, Set<Listener<never>>>();
  readonly #life: Life;
  #lastEnd: Extract<SidecarState, 'idle' | 'cancelled' | 'error'> = 'idle';
  #error: OcrError | undefined;
  #state: SidecarState = 'idle';

  private constructor(options: StartOptions) {
    const metrics = noMetrics();
    const { transport, stateDir, client, hello, timing } = options;
    this.metrics = metrics;
    this.#life = new Life(
      {
        transport,
        launch: { env: stateDir === undefined ? {} : { OCR_WORKER_STATE_DIR: stateDir } },
        hello: { on_stdin_end: 'shutdown', ...hello, ...(client && { client }) },
        timing: { ...TIMING, ...timing },
      },
      metrics,
      {
        event: (event) => this.#take(event),
        restarting: (attempt, cause) => {
          this.#jobs.abandonAll();
          this.#tell('restart', { attempt, cause });
        },
        restarted: () => this.#jobs.takeUpAll(),
        over: (error) => this.#over(error),
      },
    );
    this.#jobs = new Jobs(this.#life, metrics, (over) => this.#jobsChanged(over));
    this.jobs = this.#jobs.open;
  }

  /** Start a worker; resolves with its first answer. Rejects if it cannot start, with the end of its stderr in `details`. */
  static async start(options: StartOptions): Promise<OcrSidecar> {
    const sidecar = new OcrSidecar(options);
    await sidecar.#life.start();
    return sidecar;
  }

  /** `cancelled` and `error` tell how the last job ended, until the next begins; `error` also that the worker is gone. */
  get state(): SidecarState {
    return this.#state;
  }

  /** Why the state is `error`. */
  get error(): OcrError | undefined {
    return this.#error;
  }

  /** What the worker is and can do; undefined while there is none. */
  get hello(): HelloData | undefined {
    return this.#life.session?.hello;
  }

  /** Listen. Returns what ends that. */
  on<K extends keyof SidecarEvents>(name: K, listener: Listener<K>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** Recognise files and write their outputs into a folder. What is refused is told by the job. */
  batch(files: Iterable<PathLike>, outDir: PathLike, options: BatchOptions = {}, more: JobOptions = {}): Job {
    const { signal, priority } = more;
    return this.#jobs.begin(signal, ({ cwd }) => ({
      command: 'ocr_batch',
      files: Array.from(files, (file) => wirePath(file, cwd)),
      output_dir: wirePath(outDir, cwd),
      options: wireOptions(options, cwd),
      ...(priority !== undefined && { priority }),
    }));
  }

  /** Go on with a paused job, or with one of the store that was interrupted, cancelled or stopped. */
  resume(jobId: string, options: ReopenOptions = {}): Job {
    const open = this.jobs.get(jobId);
    if (!open) return this.#reopen('resume', jobId, options);
    open.resume().catch(() => undefined);
    return open;
  }

  /** Try the failed files of an ended job again. */
  retryFailed(jobId: string, options: ReopenOptions = {}): Job {
    return this.#reopen('retry_failed', jobId, options);
  }

  ping(): Promise<Answers['ping']> {
    return this.ask({ command: 'ping' });
  }

  /** Say what a file is, without OCR. */
  async inspect(file: PathLike, password?: string): Promise<Answers['inspect']> {
    const { started } = await this.#life.ready();
    const asked = { command: 'inspect' as const, file: wirePath(file, started.cwd) };
    return this.ask({ ...asked, ...(password !== undefined && { password }) });
  }

  listJobs(filter: Omit<ListJobs, 'command' | 'id'> = {}): Promise<Answers['list_jobs']> {
    return this.ask({ command: 'list_jobs', ...filter });
  }

  getJob(jobId: string, page: { offset?: number; limit?: number } = {}): Promise<Answers['get_job']> {
    return this.ask({ command: 'get_job', job_id: jobId, ...page });
  }

  deleteJob(jobId: string): Promise<Answers['delete_job']> {
    return this.ask({ command: 'delete_job', job_id: jobId });
  }

  /** Cancel all jobs. */
  cancelAll(): Promise<void> {
    return this.#all((job) => job.cancel());
  }

  pauseAll(): Promise<void> {
    return this.#all((job) => job.pause());
  }

  resumeAll(): Promise<void> {
    return this.#all((job) => job.resume());
  }

  /** Send any command of the protocol; resolves with the data of its answer. For a batch, `batch` gives more. */
  async ask<N extends CommandName>(request: Request & { command: N }): Promise<Answers[N]> {
    const answer = await this.#life.ask(request);
    return answer.data as Answers[N];
  }

  /**
   * End the worker; never rejects. `now` cancels what is left, and the store keeps it as interrupted; `drain` lets it be
   * finished. A worker that does not heed the command is ended by signal, then by force with all that it started.
   */
  stop(mode: StopMode = 'now'): Promise<void> {
    return this.#life.stop(mode);
  }

  #reopen(command: 'resume' | 'retry_failed', jobId: string, { passwords, signal }: ReopenOptions): Job {
    return this.#jobs.reopen(jobId, signal, ({ cwd }) => ({
      command,
      job_id: jobId,
      ...(passwords && { passwords: wirePasswords(passwords, cwd) }),
    }));
  }

  async #all(steer: (job: Job) => Promise<void>): Promise<void> {
    await Promise.all(this.#jobs.all().map(steer));
  }

  #take(event: Event): void {
    this.#tell('event', event);
    this.#jobs.take(event);
  }

  #jobsChanged(over?: Job): void {
    if (over) {
      const isCancelled = over.status === 'cancelled' || over.error?.code === 'cancelled';
      const failed = !isCancelled && (over.status === 'error' || over.status === 'stopped');
      this.#lastEnd = failed ? 'error' : isCancelled ? 'cancelled' : 'idle';
      this.#error = failed ? (over.error ?? new OcrError('The batch was stopped', 'internal')) : undefined;
    }
    this.#settleState();
  }

  #over(error: OcrError): void {
    this.#jobs.failAll(error);
    this.#lastEnd = error.code === 'worker_stopped' ? 'idle' : 'error';
    this.#error = this.#lastEnd === 'error' ? error : undefined;
    this.#settleState();
    this.#tell('over', error);
  }

  #settleState(): void {
    const state = this.#jobs.isAny ? 'running' : this.#lastEnd;
    if (state === this.#state) return;
    this.#state = state;
    this.#tell('state', state);
  }

  #tell<K extends keyof SidecarEvents>(name: K, said: SidecarEvents[K]): void {
    notify((this.#listeners.get(name) ?? []) as Iterable<Listener<K>>, said);
  }
}

function wireOptions(options: BatchOptions, cwd: string | undefined): BatchOptions {
  const { passwords, tessdata_dir, tessdata_dirs, no_links_below } = options;
  return {
    ...options,
    ...(passwords && { passwords: wirePasswords(passwords, cwd) }),
    ...(tessdata_dir !== undefined && { tessdata_dir: wirePath(tessdata_dir, cwd) }),
    ...(tessdata_dirs && { tessdata_dirs: tessdata_dirs.map((path) => wirePath(path, cwd)) }),
    ...(no_links_below && { no_links_below: no_links_below.map((path) => wirePath(path, cwd)) }),
  };
}

function wirePasswords(passwords: Record<string, string>, cwd: string | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(passwords).map(([path, password]) => [wirePath(path, cwd), password]));
}
