/** A job of the service, with the face of the client's Job: watched by its events, and told how it stands by the list. */

import { OcrError } from '../../../../clients/typescript/src/errors.js';
import type { ProgressData } from '../../../../clients/typescript/src/wire.js';
import type { FileState, OcrJob } from '../model/host.js';
import { told } from './api.js';
import type { Api, Schemas } from './api.js';
import { fileState, keyOf, workingState } from './files.js';
import type { WorkingOn } from './files.js';

export type Summary = Schemas['Job'];
type State = Summary['state'];

const STATUS: Readonly<Record<State, OcrJob['status']>> = {
  queued: 'waiting', running: 'running', paused: 'paused', completed: 'completed', cancelled: 'cancelled',
  stopped: 'stopped', interrupted: 'interrupted', failed: 'error',
};
const RESUMABLE: readonly State[] = ['interrupted', 'cancelled', 'stopped'];
const FILES_AT_ONCE = 1000;
const CLOSED = 2;

interface Progress extends Omit<ProgressData, 'eta_seconds' | 'working' | 'file_index' | 'page' | 'page_count'> {
  eta_seconds: number | null;
  file_index: number | null;
  page: number | null;
  page_count: number | null;
  working: readonly WorkingOn[];
}

export class ServiceJob implements OcrJob {
  readonly files: ReadonlyMap<string, FileState>;
  readonly #files = new Map<string, FileState>();
  /** The key of each file, by its number. */
  readonly #keys = new Map<number, string>();
  readonly #listeners = new Set<() => void>();
  #summary: Summary | undefined;
  #error: OcrError | undefined;
  #progress: ProgressData | undefined;
  #source: EventSource | undefined;
  #loading: Promise<void> | undefined;
  /** Up to which event the files are known. */
  #seen = 0;
  #isComplete = false;

  /** Without a summary it is still to be taken in: `accept` or `fail` tells. */
  constructor(
    private readonly api: Api,
    summary?: Summary,
  ) {
    this.#summary = summary;
    this.files = this.#files;
  }

  get id(): string | undefined {
    return this.#summary?.job_id;
  }

  get archive(): string {
    return `/api/v1/jobs/${this.id}/archive`;
  }

  get status(): OcrJob['status'] {
    if (this.#error) return 'error';
    return this.#summary ? STATUS[this.#summary.state] : 'waiting';
  }

  get isOver(): boolean {
    return !['waiting', 'running', 'paused'].includes(this.status);
  }

  get canResume(): boolean {
    return this.#summary !== undefined && RESUMABLE.includes(this.#summary.state);
  }

  get error(): OcrError | undefined {
    if (this.#summary?.state !== 'failed') return this.#error;
    return new OcrError(this.#summary.reason ?? 'The job failed.', 'internal');
  }

  get progress(): ProgressData {
    if (this.#progress && !this.isOver) return this.#progress;
    const { pages_done: current, pages_total: total } = this.#summary ?? { pages_done: 0, pages_total: 0 };
    return { message: '', current, total, percent: (100 * current) / Math.max(1, total), working: [] };
  }

  /** Whether its events should be watched. */
  get isInWork(): boolean {
    return this.status === 'running' || this.status === 'paused';
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    listener();
    return () => this.#listeners.delete(listener);
  }

  async pause(): Promise<void> {
    await this.#order('pause');
  }

  async resume(): Promise<void> {
    await this.#order('resume');
  }

  async cancel(): Promise<void> {
    await this.#order('cancel');
  }

  async retry(): Promise<void> {
    await this.#order('retry');
  }

  /** How it stands, as the list or an answer says. */
  take(summary: Summary): void {
    const wasOver = this.isOver;
    this.#summary = summary;
    if (wasOver && !this.isOver) this.#progress = undefined;
    if (this.isOver && !this.#source && this.#isStale) void this.load();
    this.#tell();
  }

  /** It was refused. */
  fail(error: unknown): void {
    this.#error = new OcrError(String((error as Error).message), 'internal');
    this.#tell();
  }

  /** Hear of what happens until the end of its run. Does nothing where that is done already. */
  watch(): void {
    if (this.#source) return;
    void this.load().then(() => this.#listen());
  }

  unwatch(): void {
    this.#source?.close();
    this.#source = undefined;
  }

  /** Ask for its files, once at a time; a service that is away is asked again with the next list. */
  async load(): Promise<void> {
    this.#loading ??= this.#loadAll()
      .catch(() => undefined)
      .finally(() => (this.#loading = undefined));
    await this.#loading;
  }

  async #loadAll(): Promise<void> {
    if (this.id === undefined || (this.#isComplete && !this.#isStale)) return;
    const path = { job_id: this.id };
    const { seq } = await told(this.api.GET('/api/v1/jobs/{job_id}', { params: { path } }));
    for (let offset = 0, total = 1; offset < total; offset += FILES_AT_ONCE) {
      const query = { offset, limit: FILES_AT_ONCE };
      const list = await told(this.api.GET('/api/v1/jobs/{job_id}/files', { params: { path, query } }));
      total = list.total;
      for (const file of list.files) this.#note(file);
      this.#tell();
    }
    this.#seen = Math.max(this.#seen, seq);
    this.#isComplete = true;
  }

  get #params(): { path: { job_id: string } } {
    if (this.id === undefined) throw new Error('The service has not taken this job in yet.');
    return { path: { job_id: this.id } };
  }

  /** Whether other files have ended than those that were told. */
  get #isStale(): boolean {
    if (!this.#summary) return false;
    const { total, completed, failed, skipped } = this.#summary.stats;
    let ended = 0;
    for (const { done } of this.#files.values()) if (done) ended += 1;
    return this.#files.size !== total || ended !== completed + failed + skipped;
  }

  #listen(): void {
    if (this.#source || !this.isInWork || !this.#isComplete) return;
    const source = (this.#source = new EventSource(`/api/v1/jobs/${this.id}/events?after=${this.#seen}`));
    const hear = <T>(kind: string, act: (data: T) => void): void =>
      source.addEventListener(kind, (event) => {
        if (event.lastEventId !== '') this.#seen = Math.max(this.#seen, Number(event.lastEventId));
        act(JSON.parse(event.data as string) as T);
        this.#tell();
      });
    hear<Summary>('job', (summary) => this.#stand(summary));
    hear<Progress>('progress', (progress) => this.#goOn(progress));
    hear<Schemas['File']>('file', (file) => this.#note(file));
    for (const end of ['end', 'broken']) hear(end, () => void this.#ended());
    source.onerror = () => {
      // A job that was interrupted has no end; and what was closed for good is opened anew with the next list.
      if (this.isOver) void this.#ended();
      else if (source.readyState === CLOSED) this.unwatch();
    };
  }

  /** Of a job in another process there are no events of pages: which files are in work is asked for, if they are not too many. */
  #stand(summary: Summary): void {
    this.#summary = summary;
    if (this.#progress || summary.stats.total > FILES_AT_ONCE) return;
    this.#isComplete = false;
    void this.load();
  }

  async #ended(): Promise<void> {
    this.unwatch();
    await this.ask();
  }

  /** How it stands, where no list tells it. */
  async ask(): Promise<void> {
    try {
      this.take(await told(this.api.GET('/api/v1/jobs/{job_id}', { params: this.#params })));
    } catch {
      // The next list says it.
    }
  }

  async #order(order: 'pause' | 'resume' | 'cancel' | 'retry'): Promise<void> {
    this.take(await told(this.api.POST(`/api/v1/jobs/{job_id}/${order}`, { params: this.#params })));
    if (order === 'retry' || order === 'resume') await this.#begunAnew();
  }

  /** Files that failed may wait again. */
  async #begunAnew(): Promise<void> {
    await this.load();
    if (this.isInWork) this.watch();
  }

  #goOn(progress: Progress): void {
    const { eta_seconds, file_index, page, page_count, working, ...same } = progress;
    this.#progress = { ...same, working: [], ...(eta_seconds !== null && { eta_seconds }) };
    if (file_index !== null) this.#work({ file_index, page }, page_count);
    for (const one of working) this.#work(one, null);
  }

  #work(working: WorkingOn, pageCount: number | null): void {
    const key = this.#keys.get(working.file_index);
    const before = key === undefined ? undefined : this.#files.get(key);
    if (before && !before.done) this.#files.set(before.file, workingState(before, working.page, pageCount));
  }

  #note(file: Schemas['File']): void {
    const [{ job_id: jobId }, key] = [this.#params.path, keyOf(file)];
    this.#keys.set(file.number, key);
    this.#files.set(key, fileState(jobId, file, this.#files.get(key)));
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
