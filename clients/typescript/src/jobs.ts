/** The jobs of a sidecar: begun, told of their events, taken up again by the next worker. */

import { OcrError } from './errors.js';
import { Job } from './job.js';
import type { Life } from './life.js';
import type { Metrics } from './metrics.js';
import type { Answer, Request } from './session.js';
import { lastResult, rows } from './stored.js';
import type { Started } from './transport.js';
import type { Event, JobData } from './wire.js';

/** Once it is known where relative paths start. */
export type MakeRequest = (started: Started) => Request;

type Passwords = Record<string, string>;

/** How long a job may be held before it is given up, and how often that is looked at. */
const HELD_MS = 15_000;
const HELD_LOOK_MS = 250;

export class Jobs {
  /** By their id; those that are over are forgotten. */
  readonly open = new Map<string, Job>();
  readonly #waiting = new Set<Job>();
  /** By the id of the job that each is to go on with, until it is known whether it does. */
  readonly #reopened = new Map<string, Job>();
  /** Their worker has died, and the next has not heard of them: what their users want of them is told with that. */
  readonly #adrift = new Set<Job>();
  /** The worker never stores them, so the next one is told again. */
  readonly #passwords = new WeakMap<Job, Passwords>();

  constructor(
    private readonly life: Life,
    private readonly metrics: Metrics,
    /** Called when one has begun, and with one that is over. */
    private readonly changed: (over?: Job) => void,
  ) {}

  get isAny(): boolean {
    return this.open.size + this.#waiting.size > 0;
  }

  all(): Job[] {
    return [...this.#waiting, ...this.open.values()];
  }

  begin(signal: AbortSignal | undefined, request: MakeRequest, prepare?: (job: Job) => Promise<void>): Job {
    const job: Job = new Job({ steer: (command, jobId) => this.#steer(job, command, jobId) });
    this.#waiting.add(job);
    if (signal?.aborted) {
      this.#fail(job, new OcrError('The signal was aborted before the batch began', 'cancelled'));
      return job;
    }
    cancelOn(signal, job);
    this.changed();
    this.#submit(job, request, prepare).catch((error) => this.#fail(job, OcrError.from(error, 'worker_died')));
    return job;
  }

  /** Begin a new run of a job of the store. Asked again before that is accepted, it is the same one. */
  reopen(jobId: string, signal: AbortSignal | undefined, request: MakeRequest): Job {
    const asked = this.#reopened.get(jobId);
    if (asked) {
      cancelOn(signal, asked);
      return asked;
    }
    // Its rows come first, for whoever shows them: the events to come tell only of what is left.
    const job = this.begin(signal, request, async (job) => {
      for await (const file of rows((page) => this.#stored(jobId, page))) job.know(file);
    });
    if (!job.isOver) this.#reopened.set(jobId, job);
    const known = (): boolean => this.#reopened.delete(jobId);
    job.accepted.then(known, known);
    return job;
  }

  take(event: Event): void {
    if (event.type === 'unknown' || event.job_id === undefined) return;
    const job = this.open.get(event.job_id);
    // What answers a question about a job is no event of its run.
    if (!job || (event.type === 'result' && event.data.kind !== 'batch')) return;
    if (event.type === 'info' && event.data.kind === 'file_done') {
      this.metrics.filesDone += 1;
      this.metrics.pagesDone += event.data.pages ?? 0;
    }
    job.take(event);
    this.#forgetIfOver(job);
  }

  /** The worker has died, and another one follows. */
  abandonAll(): void {
    for (const job of this.open.values()) this.#adrift.add(job);
  }

  /** Have a new worker go on with what the last one left. */
  takeUpAll(): void {
    for (const [id, job] of this.open) {
      this.#takeUp(job, id).catch((error) => {
        // If that worker has died as well, the next one takes the job up.
        if (!isDeath(error)) this.#fail(job, OcrError.from(error, 'worker_died'));
      });
    }
  }

  failAll(error: OcrError): void {
    for (const job of this.all()) this.#fail(job, error);
  }

  async #submit(job: Job, request: MakeRequest, prepare?: (job: Job) => Promise<void>): Promise<void> {
    await prepare?.(job);
    const session = await this.life.ready();
    const asked = made(request, session.started);
    if (asked.command === 'ocr_batch') {
      for (const file of asked.files) job.know({ file, status: 'waiting' });
    }
    const passwords = passwordsOf(asked);
    if (passwords) this.#passwords.set(job, passwords);
    const answer = await session.ask(asked, (said) => this.#accept(job, said));
    if (acceptedId(answer) === undefined && 'job_id' in asked && asked.job_id) await this.#settle(job, asked.job_id);
  }

  /** While the answer is dispatched, as events of the job may follow it at once. */
  #accept(job: Job, answer: Answer): void {
    const id = acceptedId(answer);
    if (id !== undefined) this.#open(job, id);
  }

  #open(job: Job, id: string): void {
    this.#waiting.delete(job);
    this.open.set(id, job);
    job.accept(id);
  }

  async #takeUp(job: Job, id: string): Promise<void> {
    if (job.wish === 'cancel') {
      await this.#settle(job, id, 'cancelled');
      // The store has it as interrupted: nobody is to be offered it again.
      await this.life.ask({ command: 'cancel', job_id: id }).catch(() => undefined);
      return;
    }
    const answer = await this.#resume(job, id);
    this.#adrift.delete(job);
    if (answer.data.kind !== 'accepted') await this.#settle(job, id);
    else if (job.wish !== 'run') await this.life.ask({ command: job.wish, job_id: id });
  }

  /** What is left of the last worker may hold a job for a moment. */
  async #resume(job: Job, id: string): Promise<Answer> {
    const passwords = this.#passwords.get(job);
    for (const since = performance.now(); ; await delay(HELD_LOOK_MS)) {
      try {
        return await this.life.ask({ command: 'resume', job_id: id, ...(passwords && { passwords }) });
      } catch (error) {
        const isHeld = error instanceof OcrError && (error.code === 'job_active' || error.code === 'busy');
        if (!isHeld || performance.now() - since >= HELD_MS) throw error;
      }
    }
  }

  /** For a job of which no event tells the end, or that goes on already: the store says which. */
  async #settle(job: Job, id: string, status?: 'cancelled'): Promise<void> {
    const ask = (page: { offset: number }): Promise<JobData> => this.#stored(id, page);
    const result = await lastResult(ask, (file) => job.know(file), status);
    if (job.id === undefined) this.#open(job, id);
    if (result) job.finish(result);
    this.#forgetIfOver(job);
  }

  async #stored(id: string, page: { offset: number }): Promise<JobData> {
    return (await this.life.ask({ command: 'get_job', job_id: id, ...page })).data as JobData;
  }

  async #steer(job: Job, command: 'pause' | 'resume' | 'cancel', jobId: string): Promise<void> {
    if (this.#adrift.has(job)) return;
    try {
      await this.life.ask({ command, job_id: jobId });
    } catch (error) {
      // What a job's user wants is heeded when the next worker takes the job up.
      if (job.isOver || !isDeath(error)) throw error;
    }
  }

  #fail(job: Job, error: OcrError): void {
    job.fail(error);
    this.#forgetIfOver(job);
  }

  #forgetIfOver(job: Job): void {
    if (!job.isOver) return;
    this.#adrift.delete(job);
    const isNews = this.#waiting.delete(job) || (job.id !== undefined && this.open.delete(job.id));
    if (!isNews) return;
    this.metrics.jobsDone += 1;
    this.changed(job);
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** What an app gives us and no request can be made of is its own fault, and not that of a worker. */
function made(request: MakeRequest, started: Started): Request {
  try {
    return request(started);
  } catch (error) {
    throw OcrError.from(error, 'invalid_params');
  }
}

/** Of the job that runs from now on; none if there was nothing left to do. */
function acceptedId({ data, job_id }: Answer): string | undefined {
  if (data.kind === 'accepted') return job_id;
  return data.kind === 'resume' ? data.jobs[0] : undefined;
}

function cancelOn(signal: AbortSignal | undefined, job: Job): void {
  const abort = (): void => void job.cancel().catch(() => undefined);
  signal?.addEventListener('abort', abort, { once: true });
  const over = (): void => signal?.removeEventListener('abort', abort);
  job.result.then(over, over);
}

function passwordsOf(request: Request): Passwords | undefined {
  if (request.command === 'ocr_batch') return request.options?.passwords;
  return request.command === 'resume' || request.command === 'retry_failed' ? request.passwords : undefined;
}

function isDeath(error: unknown): boolean {
  return OcrError.from(error, 'worker_died').code === 'worker_died';
}
