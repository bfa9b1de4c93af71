/** The page from the service: files go over HTTP, and all jobs that the service knows are there, whoever began them. */

import type { Disk, FileDone, Host, Link, OcrJob } from '../model/host.js';
import type { Found, Look, Service, Standing } from '../model/service.js';
import { Tray } from '../model/tray.js';
import type { BatchOptions } from '../model/host.js';
import { AwayError, told } from './api.js';
import type { Api, Schemas } from './api.js';
import { openBook, placeOf } from './book.js';
import { fileDone } from './files.js';
import { ServiceJob } from './job.js';
import { isOfOneFile, takeBack, upload } from './upload.js';

const LOOK_MS = 2000;
/** A browser has six connections to a host, for all its windows together, and needs some for all else. */
const WATCHED = 2;
const LISTED = 30;
const AT_WORK = ['running', 'paused'] as const;
const LINKS = [['pdf', 'PDF'], ['txt', 'Text'], ['json', 'JSON'], ['hocr', 'hOCR'], ['alto', 'ALTO']] as const;

export class ServiceHost implements Host, Service {
  readonly service = this;
  readonly mostListed = 1000;
  readonly tray: Tray;
  readonly disk: Disk = {
    // Drops are files, not paths: the tray has them.
    onDrop: () => () => undefined,
    expand: async (paths) => paths,
  };
  readonly #jobs = new Map<string, ServiceJob>();
  readonly #tellers = new Set<(job: OcrJob) => void>();
  readonly #listeners = new Set<(standing: Standing) => void>();
  #standing: Standing = { jobs: [], total: 0, isAway: false };
  #listed = LISTED;
  /** Orders for jobs that are on their way: the list may have them before their answer. */
  #starting = 0;
  #wake: () => void = () => undefined;

  constructor(
    private readonly api: Api,
    readonly languages: readonly string[],
    readonly takesPaths: boolean,
  ) {
    const frame = (draw: () => void): unknown => requestAnimationFrame(draw);
    const send = (file: File, sent: (bytes: number) => void, stop: AbortSignal): Promise<string> => upload(api, file, sent, stop);
    this.tray = new Tray(send, isOfOneFile, (one) => takeBack(api, one), frame);
  }

  /** Ask how all jobs stand, again and again, while the page is in sight. */
  async live(): Promise<never> {
    document.addEventListener('visibilitychange', () => this.#wake());
    for (;;) {
      if (document.hidden) for (const job of this.#jobs.values()) job.unwatch();
      else await this.#look();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LOOK_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  onJob(listener: (job: OcrJob) => void): () => void {
    this.#tellers.add(listener);
    for (const job of this.#jobs.values()) listener(job);
    return () => this.#tellers.delete(listener);
  }

  /** Read files of the service's machine. */
  begin(files: readonly string[], outputDir: string, options: BatchOptions): OcrJob {
    const job = new ServiceJob(this.api);
    const asked = files.map((path) => ({ path }));
    void this.#start(asked, outputDir, options, job).catch((error: unknown) => job.fail(error));
    this.#show(job);
    return job;
  }

  async beginTray(outputDir: string, options: BatchOptions): Promise<number> {
    const uploads = await this.tray.upload();
    if (uploads.length === 0) return 0;
    const job = new ServiceJob(this.api);
    await this.#start(uploads.map((one) => ({ upload: one })), outputDir, options, job);
    this.tray.drop(uploads);
    this.#show(job);
    return uploads.length;
  }

  reopen(jobId: string): OcrJob {
    const job = this.#jobs.get(jobId) ?? new ServiceJob(this.api);
    void this.#adopt(job, jobId)
      .then(() => job.resume())
      .catch((error: unknown) => job.fail(error));
    this.#show(job);
    return job;
  }

  async interrupted(): Promise<[]> {
    // They are in the list of all jobs.
    return [];
  }

  async book(done: FileDone): Promise<ReturnType<typeof openBook>> {
    return openBook(this.api, done);
  }

  links(done: FileDone): Link[] {
    return LINKS.flatMap(([kind, name]) => {
      const address = done.outputs?.[kind];
      return address === undefined ? [] : [{ name, address }];
    });
  }

  subscribe(listener: (standing: Standing) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#standing);
    return () => this.#listeners.delete(listener);
  }

  more(): void {
    this.#listed = Math.min(this.mostListed, this.#listed + 100);
    this.#wake();
  }

  async open(jobId: string): Promise<void> {
    const job = this.#jobs.get(jobId) ?? new ServiceJob(this.api);
    await this.#adopt(job, jobId);
    this.#show(job);
    await job.load();
  }

  async order(jobId: string, order: 'resume' | 'retry' | 'delete'): Promise<void> {
    if (order === 'delete') {
      await told(this.api.DELETE('/api/v1/jobs/{job_id}', { params: { path: { job_id: jobId } } }));
      this.#jobs.get(jobId)?.unwatch();
      this.#jobs.delete(jobId);
    } else {
      await this.open(jobId);
      await this.#jobs.get(jobId)?.[order]();
    }
    this.#wake();
  }

  async search(words: string, next: string | null = null): Promise<{ found: readonly Found[]; next: string | null }> {
    const query = { q: words, ...(next !== null && { next }) };
    return told(this.api.GET('/api/v1/search', { params: { query } }));
  }

  async lookAt({ job_id, number, page }: Found, find: string): Promise<Look> {
    return { done: await this.#done(job_id, number), pageAt: page - 1, find };
  }

  addressOf({ done, pageAt }: Look): string {
    const { job_id, number } = placeOf(done);
    return `#/${job_id}/${number}/${(pageAt ?? 0) + 1}`;
  }

  async fromAddress(address: string): Promise<Look | undefined> {
    const [, job_id, number, page] = /^#\/([^/]+)\/(\d+)\/(\d+)$/.exec(address) ?? [];
    if (job_id === undefined) return undefined;
    return { done: await this.#done(job_id, Number(number)), pageAt: Number(page) - 1 };
  }

  async #done(job_id: string, number: number): Promise<FileDone> {
    const path = { job_id, number };
    return fileDone(job_id, await told(this.api.GET('/api/v1/jobs/{job_id}/files/{number}', { params: { path } })));
  }

  async #start(files: Schemas['NewJob']['files'], outputDir: string, options: BatchOptions, job: ServiceJob): Promise<void> {
    // The page itself shows words from the results.
    const outputs = [...new Set([...(options.outputs ?? []), 'json' as const])];
    const body = { files, options: { ...options, outputs }, ...(outputDir !== '' && { output_dir: outputDir }) };
    this.#starting += 1;
    try {
      const { job_id } = await told(this.api.POST('/api/v1/jobs', { body }));
      await this.#adopt(job, job_id);
    } finally {
      this.#starting -= 1;
    }
    this.#wake();
  }

  /** Know a job by its id; one that the list has shown meanwhile stays the one that is known. */
  async #adopt(job: ServiceJob, jobId: string): Promise<void> {
    if (this.#jobs.get(jobId) === job) return;
    this.#jobs.set(jobId, job);
    try {
      job.take(await told(this.api.GET('/api/v1/jobs/{job_id}', { params: { path: { job_id: jobId } } })));
    } catch (error) {
      this.#jobs.delete(jobId);
      throw error;
    }
  }

  #show(job: ServiceJob): void {
    for (const tell of this.#tellers) tell(job);
  }

  async #look(): Promise<void> {
    try {
      const query = { limit: this.#listed };
      const { jobs, total } = await told(this.api.GET('/api/v1/jobs', { params: { query } }));
      const known = new Map(jobs.map((summary) => [summary.job_id, summary]));
      if (jobs.length < total) for (const summary of await this.#atWork()) known.set(summary.job_id, summary);
      for (const summary of known.values()) this.#take(summary);
      await Promise.all([...this.#jobs].map(async ([id, job]) => job.isOver || known.has(id) || job.ask()));
      this.#watch();
      this.#say({ jobs, total, isAway: false });
    } catch (error) {
      this.#say({ ...this.#standing, isAway: error instanceof AwayError });
    }
  }

  /** A long queue stands before a job that is at work: it may be older than those that are listed. */
  async #atWork(): Promise<Schemas['Job'][]> {
    const asked = AT_WORK.map((state) => told(this.api.GET('/api/v1/jobs', { params: { query: { state, limit: LISTED } } })));
    return (await Promise.all(asked)).flatMap(({ jobs }) => jobs);
  }

  #take(summary: Schemas['Job']): void {
    const known = this.#jobs.get(summary.job_id);
    if (known) known.take(summary);
    else if (this.#starting === 0 && ['queued', 'running', 'paused'].includes(summary.state)) {
      const job = new ServiceJob(this.api, summary);
      this.#jobs.set(summary.job_id, job);
      this.#show(job);
    }
  }

  #watch(): void {
    const inWork = [...this.#jobs.values()].filter(({ isInWork }) => isInWork);
    for (const [place, job] of inWork.entries()) {
      if (place < WATCHED) job.watch();
      else job.unwatch();
    }
    for (const job of this.#jobs.values()) if (!job.isOver && !job.isInWork) void job.load();
  }

  #say(standing: Standing): void {
    this.#standing = standing;
    for (const listener of this.#listeners) listener(standing);
  }
}
