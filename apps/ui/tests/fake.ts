/** A host that does what a test tells it, with the client's own Job. The browser's test gives it to the built page. */

import { Job } from '../../../clients/typescript/src/job.js';
import type { BatchData, Event, FileDone, JobSummary } from '../../../clients/typescript/src/wire.js';
import type { BatchOptions, Host, OcrJob } from '../src/model/host.js';

export interface Begun {
  readonly files: readonly string[];
  readonly outputDir: string;
  readonly options: BatchOptions;
}

export class FakeHost implements Host {
  readonly languages = ['deu', 'eng', 'fra'];
  readonly begun: Begun[] = [];
  readonly steered: string[] = [];
  readonly opened: string[] = [];
  readonly jobs: Job[] = [];
  left: JobSummary[] = [];
  results = '';
  refusal: Error | undefined;
  #tell: (job: OcrJob) => void = () => undefined;
  #drop: (paths: readonly string[]) => void = () => undefined;
  #seq = 0;

  readonly disk: Host['disk'] = {
    onDrop: (listener) => {
      this.#drop = listener;
      return () => undefined;
    },
    // A folder is a path that ends in a slash, and holds two files.
    expand: async (paths) => paths.flatMap((path) => (path.endsWith('/') ? [`${path}1.png`, `${path}2.png`] : [path])),
    choose: async () => ['/chosen/a.pdf'],
    open: async (path) => void this.opened.push(path),
    results: async () => this.results,
    picture: async () => new Blob(['<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>'], { type: 'image/svg+xml' }),
  };

  onJob(listener: (job: OcrJob) => void): () => void {
    this.#tell = listener;
    for (const job of this.jobs) listener(job);
    return () => undefined;
  }

  begin(files: readonly string[], outputDir: string, options: BatchOptions): Job {
    if (this.refusal) throw this.refusal;
    this.begun.push({ files, outputDir, options });
    return this.#make(`job ${this.begun.length}`, files);
  }

  async interrupted(): Promise<JobSummary[]> {
    return this.left;
  }

  reopen(jobId: string): Job {
    return this.#make(jobId, ['/old/a.pdf']);
  }

  drop(paths: readonly string[]): void {
    this.#drop(paths);
  }

  /** The newest job hears of a page in work. */
  progress(file: string, page: number, pageCount: number, percent: number): void {
    const data = { message: '', current: page, total: pageCount, percent, file, page, page_count: pageCount, working: [], eta_seconds: 130 };
    this.#say({ type: 'progress', data, job_id: 'j', seq: ++this.#seq });
  }

  done(file: string, more: Partial<FileDone> = {}): void {
    const outputs = { pdf: `${file}.out.pdf`, json: `${file}_ocr_results.json` };
    const data: FileDone = { kind: 'file_done', message: '', file, status: 'completed', confidence: 96.4, pages: 1, outputs, ...more };
    this.#say({ type: 'info', data, job_id: 'j', seq: ++this.#seq });
  }

  end(status: BatchData['status']): void {
    this.jobs.at(-1)?.finish({ kind: 'batch', status, total_files: 1, total_pages_processed: 1, duration_seconds: 1 } as BatchData);
  }

  #say(event: Event): void {
    this.jobs.at(-1)?.take(event);
  }

  #make(id: string, files: readonly string[]): Job {
    const job = new Job({ steer: async (command) => void this.steered.push(command) });
    for (const file of files) job.know({ file, status: 'waiting' });
    this.jobs.push(job);
    this.#tell(job);
    job.accept(id);
    return job;
  }
}

export function summary(job_id: string): JobSummary {
  const stats = { total: 12, completed: 5, failed: 0, skipped: 0, pending: 7, processing: 0 };
  const created_at = '2026-01-01T00:00:00Z';
  return {
    job_id, stats, created_at, updated_at: created_at, output_dir: '/old/ocr',
    pages_done: 20, pages_total: 48, priority: 0, state: 'interrupted',
  };
}

/** NAME_ocr_results.json of two pages, of which the first is read badly in one place. */
export function writtenResults(): string {
  const word = (text: string, left: number, confidence: number | null): object =>
    ({ text, box_px: [left, 100, left + 180, 140], confidence });
  const page = (number: number, words: object[], rotation = 0): object =>
    ({ page: number, width_px: 800, height_px: 1000, rotation, text: 'text', lines: [{ words }] });
  const pages = [page(1, [word('Clear', 50, 97), word('smudgcd', 300, 41)]), page(2, [word('own', 50, null)], 90)];
  return JSON.stringify({ source: { path: '/scans/a.png', type: 'png' }, pages });
}
