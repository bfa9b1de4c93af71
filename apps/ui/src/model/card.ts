/** A job as it is drawn. A new one is made whenever anything has changed. */

import type { FileState, JobStatus, OcrJob } from './host.js';
import { jobWords, nameOf, plural } from './words.js';

export interface Card {
  readonly key: number;
  readonly title: string;
  readonly status: JobStatus;
  readonly percent: number;
  readonly words: string;
  readonly isOver: boolean;
  /** Paths in the order of the batch. */
  readonly files: readonly string[];
  /** Those that failed, wholly or in part. */
  readonly troubled: readonly string[];
  state(file: string): FileState;
}

export function cardOf(key: number, job: OcrJob): Card {
  const files: string[] = [];
  const troubled: string[] = [];
  let [ended, failed] = [0, 0];
  // Once through, as this is done for each picture of a batch that may have 10,000 files.
  for (const [file, { status, done }] of job.files) {
    files.push(file);
    if (done) ended += 1;
    if (status === 'failed') failed += 1;
    if (status === 'failed' || status === 'completed_with_errors') troubled.push(file);
  }
  const { status, isOver } = job;
  return {
    key, title: titleOf(files), status, isOver, files, troubled,
    percent: status === 'completed' ? 100 : Math.round(job.progress?.percent ?? 0),
    words: jobWords(job, { ended, failed }),
    state: (file) => job.files.get(file) ?? { file, status: 'waiting' },
  };
}

function titleOf(files: readonly string[]): string {
  const [first] = files;
  if (first === undefined) return 'A batch';
  return files.length === 1 ? nameOf(first) : `${nameOf(first)} and ${plural(files.length - 1, 'more file')}`;
}
