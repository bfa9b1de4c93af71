/** One batch, as an app sees it: what it has done, how to steer it, when it is over. */

import { OcrError } from './errors.js';
import { notify } from './notify.js';
import type { BatchData, Event, FileDone, InfoEvent, ProgressData, ProgressEvent } from './wire.js';

export type JobStatus = 'waiting' | 'running' | 'paused' | BatchData['status'] | 'error';

export interface FileState {
  readonly file: string;
  readonly status: 'waiting' | 'working' | FileDone['status'];
  /** The page that was last said to be in work, from 1, and how many there are. */
  readonly page?: number;
  readonly pageCount?: number;
  /** How it ended: outputs, confidence, error. */
  readonly done?: FileDone;
}

/** What a job asks of its sidecar. */
export interface JobCommands {
  steer(command: 'pause' | 'resume' | 'cancel', jobId: string): Promise<void>;
}

type Wish = 'run' | 'pause' | 'cancel';

export class Job implements AsyncIterable<Event> {
  /** Its id, once the worker has taken it in. */
  readonly accepted: Promise<string>;
  /**
   * How it ended. A cancelled job resolves too, with what was finished. Rejects with OcrError if the worker refuses it,
   * gives it up, or is gone for good.
   */
  readonly result: Promise<BatchData>;
  /** Each file as it stands, by its path as it was sent. States are replaced, never changed. */
  readonly files: ReadonlyMap<string, FileState>;
  readonly #files = new Map<string, FileState>();
  readonly #commands: JobCommands;
  readonly #said: Event[] = [];
  readonly #readers = new Set<Reader>();
  readonly #listeners = new Set<(job: Job) => void>();
  readonly #onAccepted = settling<string>();
  readonly #onResult = settling<BatchData>();
  #id?: string;
  #status: JobStatus = 'waiting';
  #progress?: ProgressData;
  #error: OcrError | undefined;
  #wish: Wish = 'run';
  /** How many of its user's wishes are on their way. */
  #steering = 0;
  /** The event that told that none of its pages is in work: what comes after it of pages in work tells that it goes on. */
  #restsSince = Infinity;
  #version = 0;

  /** @internal */
  constructor(commands: JobCommands) {
    this.files = this.#files;
    this.#commands = commands;
    this.accepted = this.#onAccepted.promise;
    this.result = this.#onResult.promise;
  }

  get id(): string | undefined {
    return this.#id;
  }

  get status(): JobStatus {
    return this.#status;
  }

  /** Pages of the whole batch, percent, time left; undefined before the first is read. */
  get progress(): ProgressData | undefined {
    return this.#progress;
  }

  get error(): OcrError | undefined {
    return this.#error;
  }

  get isOver(): boolean {
    return !['waiting', 'running', 'paused'].includes(this.#status);
  }

  /** Grows with each change: a snapshot for React's useSyncExternalStore. */
  get version(): number {
    return this.#version;
  }

  /** Start no more pages. Resolves once the worker has heard of it. */
  async pause(): Promise<void> {
    await this.#steer('pause', 'pause');
  }

  async resume(): Promise<void> {
    await this.#steer('resume', 'run');
  }

  /** Stop it. Finished files stay, and `result` resolves with status `cancelled`. */
  async cancel(): Promise<void> {
    await this.#steer('cancel', 'cancel');
  }

  /** Call with this job now and after each change, as a Svelte store does. Returns what ends that. */
  subscribe(listener: (job: Job) => void): () => void {
    this.#listeners.add(listener);
    listener(this);
    return () => this.#listeners.delete(listener);
  }

  /** Its events from the first to the last, whenever one begins; of `progress` only the newest waits for a slow reader. */
  [Symbol.asyncIterator](): AsyncIterator<Event, void> {
    const reader = new Reader(this.#said, () => this.#readers.delete(reader));
    if (this.isOver) reader.end(this.#error);
    else this.#readers.add(reader);
    return reader;
  }

  async #steer(command: 'pause' | 'resume' | 'cancel', wish: Wish): Promise<void> {
    this.#wish = wish;
    this.#steering += 1;
    try {
      const id = await this.accepted;
      if (!this.isOver) await this.#commands.steer(command, id);
    } finally {
      this.#steering -= 1;
    }
    if (!this.isOver && wish !== 'cancel') this.#stand(wish);
  }

  /** Somebody had it pause or go on: its own user, or another window or program. */
  #hear(wish: 'run' | 'pause'): void {
    if (this.#steering === 0 && this.#wish !== 'cancel') this.#wish = wish;
    this.#stand(wish);
  }

  #stand(wish: 'run' | 'pause'): void {
    this.#restsSince = Infinity;
    this.#change(wish === 'pause' ? 'paused' : 'running');
  }

  /** What its user wants of it, which outlives the worker. @internal */
  get wish(): Wish {
    return this.#wish;
  }

  /** @internal */
  accept(id: string): void {
    this.#id = id;
    this.#change('running');
    this.#onAccepted.resolve(id);
  }

  /** @internal */
  take(event: Event): void {
    if (this.isOver) return;
    push(this.#said, event);
    for (const reader of this.#readers) reader.push(event);
    if (event.type === 'progress') this.#goOn(event);
    else if (event.type === 'info') this.#note(event);
    else if (event.type === 'error') this.fail(OcrError.of(event.data));
    else if (event.type === 'result' && event.data.kind === 'batch') this.finish(event.data);
    if (!this.isOver) this.#change(this.#status);
  }

  /** @internal */
  finish(data: BatchData): void {
    if (this.isOver) return;
    this.#onResult.resolve(data);
    this.#end(data.status);
  }

  /** @internal */
  fail(error: OcrError): void {
    if (this.isOver) return;
    this.#error = error;
    this.#onAccepted.reject(error);
    this.#onResult.reject(error);
    this.#end('error');
  }

  /** Where it stood before anybody here heard of it. @internal */
  stands(progress: ProgressData): void {
    this.#progress = progress;
  }

  /** @internal */
  know(state: FileState): void {
    this.#files.set(state.file, state);
  }

  #goOn({ data, seq }: ProgressEvent): void {
    this.#progress = data;
    if (seq > this.#restsSince && data.working?.length) this.#hear('run');
    if (data.file !== undefined) this.#working(data.file, data.page, data.page_count);
    for (const { file, page } of data.working ?? []) this.#working(file, page);
  }

  #note({ data, seq }: InfoEvent): void {
    if (data.kind === 'paused') {
      this.#hear('pause');
      this.#restsSince = seq;
    } else if ((data.kind === 'pause' || data.kind === 'resume') && data.jobs.length > 0) {
      this.#hear(data.kind === 'pause' ? 'pause' : 'run');
    } else if (data.kind === 'accepted') {
      // By another worker; what its user wants of it is still to be told to that.
      this.#stand('run');
    } else if (data.kind === 'file_started') this.#working(data.file, undefined, data.page_count);
    else if (data.kind === 'file_done') {
      this.know({ ...this.#files.get(data.file), file: data.file, status: data.status, done: data });
    }
  }

  #working(file: string, page?: number, pageCount?: number): void {
    const before = this.#files.get(file);
    if (before?.done) return;
    this.know({
      file,
      status: 'working',
      ...defined('page', page ?? before?.page),
      ...defined('pageCount', pageCount ?? before?.pageCount),
    });
  }

  #end(status: JobStatus): void {
    for (const reader of this.#readers) reader.end(this.#error);
    this.#readers.clear();
    this.#change(status);
    this.#listeners.clear();
  }

  #change(status: JobStatus): void {
    this.#status = status;
    this.#version += 1;
    notify<Job>(this.#listeners, this);
  }
}

/** One who iterates over a job's events. */
class Reader implements AsyncIterator<Event, void> {
  readonly #queue: Event[];
  #isOver = false;
  #error: OcrError | undefined;
  readonly #waiting: (() => void)[] = [];

  constructor(
    said: readonly Event[],
    private readonly left: () => void,
  ) {
    this.#queue = [...said];
  }

  push(event: Event): void {
    push(this.#queue, event);
    this.#wake();
  }

  /** The queue comes first; then an error that was no event, such as a worker that is gone, is thrown. */
  end(error?: OcrError): void {
    this.#isOver = true;
    if (error && this.#queue.at(-1)?.type !== 'error') this.#error = error;
    this.#wake();
  }

  /** May be called again before it has resolved, as iterators allow. */
  async next(): Promise<IteratorResult<Event, void>> {
    while (this.#queue.length === 0 && !this.#isOver) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const event = this.#queue.shift();
    if (event) return { value: event, done: false };
    const error = this.#error;
    this.#error = undefined;
    if (error) throw error;
    return { value: undefined, done: true };
  }

  async return(): Promise<IteratorResult<Event, void>> {
    this.left();
    this.#isOver = true;
    this.#queue.length = 0;
    this.#wake();
    return { value: undefined, done: true };
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** A progress event or heartbeat that nobody has read yet gives way to the next. */
function push(queue: Event[], event: Event): void {
  const last = queue.at(-1);
  if (last && passes(event) && kindOf(last) === kindOf(event)) queue.pop();
  queue.push(event);
}

function passes(event: Event): boolean {
  return kindOf(event) === 'progress' || kindOf(event) === 'heartbeat';
}

function kindOf(event: Event): string {
  return event.type === 'info' ? event.data.kind : event.type;
}

function settling<T>(): { promise: Promise<T>; resolve(value: T): void; reject(error: OcrError): void } {
  let resolve!: (value: T) => void;
  let reject!: (error: OcrError) => void;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  // Whoever looks only at the events, or at nothing, must not end the app by an unhandled rejection.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

function defined<K extends string, V>(name: K, value: V | undefined): { [name in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [name in K]?: V });
}
