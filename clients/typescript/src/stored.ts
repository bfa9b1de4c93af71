/** What the store says of a job that said nothing itself. */

import type { FileState } from './job.js';
import type { BatchData, FileDone, JobData, JobFile, Statistics } from './wire.js';

type AskPage = (page: { offset: number }) => Promise<JobData>;

const AT_WORK: ReadonlySet<string> = new Set<JobData['state']>(['queued', 'running', 'paused']);

/** Every file of a job as it stands. */
export async function* rows(ask: AskPage): AsyncGenerator<FileState> {
  for (let offset = 0, total = 1; offset < total; ) {
    const { files, stats } = await ask({ offset });
    for (const file of files) yield rowOf(file);
    if (files.length === 0) return;
    offset += files.length;
    total = stats.total;
  }
}

/** The result of a job's last run, as that run would have told it, and each of its files; undefined while it runs. */
export async function lastResult(
  ask: AskPage,
  know: (file: FileState) => void,
  status?: 'cancelled',
): Promise<BatchData | undefined> {
  const job = await ask({ offset: 0 });
  if (status === undefined && AT_WORK.has(job.state)) return undefined;
  const result: BatchData & Required<Pick<BatchData, 'successful' | 'failed' | 'skipped'>> = {
    kind: 'batch',
    status: status ?? (job.state === 'completed' || job.state === 'cancelled' ? job.state : 'stopped'),
    successful: [],
    failed: [],
    skipped: [],
    total_files: job.stats.total,
    total_pages_processed: job.pages_done,
    duration_seconds: job.statistics?.duration_seconds ?? 0,
    statistics: job.statistics ?? nothingYet(job),
  };
  for await (const file of rows(ask)) {
    know(file);
    if (file.done) listIn(result, file.done);
  }
  return result;
}

function rowOf(file: JobFile): FileState {
  const { status } = file;
  if (status === 'pending') return { file: file.file, status: 'waiting' };
  if (status === 'processing') return { file: file.file, status: 'working' };
  return { file: file.file, status, done: { ...file, status, kind: 'file_done', message: file.message ?? '' } };
}

function listIn(result: Required<Pick<BatchData, 'successful' | 'failed' | 'skipped'>>, done: FileDone): void {
  const { file, status, output, error } = done;
  if (status === 'failed' && error) {
    const { message, code, retryable } = error;
    result.failed.push({ file, error: message, code, retryable, ...(done.page !== undefined && { page: done.page }) });
  } else if (status === 'skipped') {
    result.skipped.push({ file, reason: done.reason ?? '', ...(output !== undefined && { output }) });
  } else if (status === 'completed' || status === 'completed_with_errors') {
    const { pages = 0, outputs = {}, confidence, failed_pages, warnings } = done;
    result.successful.push({
      file,
      status,
      pages,
      output: output ?? '',
      outputs,
      ...(confidence !== undefined && { confidence }),
      ...(failed_pages && { failed_pages }),
      ...(warnings && { warnings }),
    });
  }
}

function nothingYet(job: JobData): Statistics {
  return {
    start_time: job.created_at,
    duration_seconds: 0,
    pages: job.pages_done,
    pages_per_second: 0,
    files_per_second: 0,
    failed_by_input: 0,
    failed_by_worker: 0,
    retries: 0,
    cleanups: 0,
    worker_restarts: 0,
    peak_rss_bytes: 0,
  };
}
