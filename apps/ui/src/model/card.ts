/** A job as it is drawn. A new one is made whenever anything has changed. */

import type { FileState, OcrJob } from './host.js';
import { jobWords, nameOf, plural } from './words.js';

export interface Card {
  readonly key: number;
  readonly title: string;
  readonly status: OcrJob['status'];
  readonly percent: number;
  readonly words: string;
  readonly isOver: boolean;
  /** Whether it has been taken in, so that it can be steered. */
  readonly isKnown: boolean;
  readonly canResume: boolean;
  readonly canRetry: boolean;
  /** The address of a zip of all outputs; empty where there is none. */
  readonly archive: string;
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
    isKnown: job.id !== undefined,
    canResume: job.canResume ?? false,
    canRetry: isOver && failed > 0 && job.retry !== undefined,
    archive: ended > failed ? (job.archive ?? '') : '',
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
