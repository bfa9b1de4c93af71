/** The page's side of the plugin. The job is the one of `@ocr-sidecar/client`; here its events come from Rust. */

import { Channel, invoke } from '@tauri-apps/api/core';

import { OcrError } from '../../../typescript/src/errors.js';
import { Job } from '../../../typescript/src/job.js';
import type {
  BatchData,
  BatchOptions,
  Event,
  InspectData,
  JobsData,
  ListJobs,
  ProgressData,
} from '../../../typescript/src/wire.js';

export { Job, OcrError };
export type { FileState, JobStatus } from '../../../typescript/src/job.js';
export type * from '../../../typescript/src/wire.js';

/** What Rust rejects with. */
export interface Report {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** A job as it stands in Rust. */
export interface Shown {
  readonly request_id: string;
  readonly job_id: string;
  readonly status: 'running' | 'paused' | 'cancelling' | 'ended' | 'failed';
  readonly files: readonly { readonly file: string; readonly status: string }[];
  readonly progress?: ProgressData;
  readonly result?: BatchData;
  readonly error?: Report;
}

export type WorkerState =
  | { readonly state: 'idle' | 'running' | 'cancelled' }
  | { readonly state: 'error'; readonly message: string };

/** What Tauri's `listen` hears of `python_progress`, `python_result` and `python_error`. */
export type Message =
  | ({ readonly kind: 'job' } & Shown)
  | { readonly kind: 'event'; readonly request_id: string; readonly event: Event }
  | { readonly kind: 'failed'; readonly request_id: string; readonly job_id: string; readonly error: Report };

export interface BatchRequest {
  /** The page's name for its wish: asked twice, it is carried out once. A new one if absent. */
  readonly requestId?: string;
  /** Higher first. */
  readonly priority?: number;
}

/** Find the jobs of the app, and follow them. Call it once a page. */
export async function attach(): Promise<Ocr> {
  const messages: Message[] = [];
  const channel = new Channel<Message>();
  channel.onmessage = (message) => void messages.push(message);
  const { jobs } = await call<{ jobs: Shown[] }>('attach', { channel });
  const ocr = new Ocr();
  for (const shown of jobs) ocr.know(shown);
  for (const message of messages) ocr.take(message);
  channel.onmessage = (message) => ocr.take(message);
  return ocr;
}

export class Ocr {
  readonly #jobs = new Map<string, Job>();
  readonly #listeners = new Set<(job: Job, requestId: string) => void>();

  /** By request id: those that run, and those that ended not long ago. */
  get jobs(): ReadonlyMap<string, Job> {
    return this.#jobs;
  }

  /** Recognise files and write their outputs into a folder. What is refused is told by the job. */
  batch(files: Iterable<string>, outputDir: string, options: BatchOptions = {}, request: BatchRequest = {}): Job {
    const { requestId = crypto.randomUUID(), priority } = request;
    const list = [...files];
    const batch = { requestId, files: list, outputDir, options, ...(priority !== undefined && { priority }) };
    return this.#begin(requestId, list, call<Shown>('start', { batch }));
  }

  /** Go on with a job of the state folder that was interrupted, cancelled or stopped, as by the app's end. */
  reopen(jobId: string, passwords: Record<string, string> = {}, requestId: string = crypto.randomUUID()): Job {
    return this.#begin(requestId, [], call<Shown>('reopen', { requestId, jobId, passwords }));
  }

  /** Jobs of the state folder. */
  listJobs(wanted: Omit<ListJobs, 'command' | 'id'> = {}): Promise<JobsData> {
    return call('list_jobs', { wanted });
  }

  /** Say what a file is, without OCR. */
  inspect(file: string, password?: string): Promise<InspectData> {
    return call('inspect', { file, password });
  }

  state(): Promise<WorkerState> {
    return call('state');
  }

  /** Hear of each job that begins, also by another window or by Rust. Returns what ends that. */
  onJob(listener: (job: Job, requestId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @internal */
  know({ request_id, job_id, status, files, progress }: Shown): Job {
    const known = this.#jobs.get(request_id);
    if (known) {
      if (!known.id) known.accept(job_id);
      return known;
    }
    const job = this.#make(request_id, files.map(({ file }) => file), status === 'paused');
    // Else a page that is loaded anew would draw the bar at nothing first.
    if (progress) job.stands(progress);
    job.accept(job_id);
    if (status === 'paused') void job.pause();
    return job;
  }

  /** @internal */
  take(message: Message): void {
    if (message.kind === 'job') this.know(message);
    else if (message.kind === 'event') this.#jobs.get(message.request_id)?.take(message.event);
    else this.#jobs.get(message.request_id)?.fail(error(message.error));
  }

  #begin(requestId: string, files: readonly string[], answer: Promise<Shown>): Job {
    const known = this.#jobs.get(requestId);
    const job = known ?? this.#make(requestId, files, false);
    answer.then(
      ({ job_id }) => job.id ?? job.accept(job_id),
      (refusal: OcrError) => {
        // Asked again, it may be taken in.
        if (!job.id) this.#jobs.delete(requestId);
        job.fail(refusal);
      },
    );
    return job;
  }

  /** A job that is paused already is told so without a command. */
  #make(requestId: string, files: readonly string[], isPaused: boolean): Job {
    let isKnown = isPaused;
    const steer = async (command: 'pause' | 'resume' | 'cancel', jobId: string): Promise<void> => {
      if (isKnown) isKnown = false;
      else await call(command, { jobId });
    };
    const job = new Job({ steer });
    for (const file of files) job.know({ file, status: 'waiting' });
    this.#jobs.set(requestId, job);
    for (const listener of this.#listeners) listener(job, requestId);
    return job;
  }
}

async function call<T = void>(command: string, fields: Record<string, unknown> = {}): Promise<T> {
  try {
    return await invoke<T>(`plugin:ocr-sidecar|${command}`, fields);
  } catch (refusal) {
    throw error(refusal);
  }
}

/** Also what is no report: Tauri itself refuses what the page has no permission for, by a string. */
function error(refusal: unknown): OcrError {
  const { message = String(refusal), code = 'not_started', retryable = false } = refusal as Partial<Report>;
  return new OcrError(message, code as OcrError['code'], retryable);
}
