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
  const files = [...job.files.keys()];
  const ended = files.filter((file) => job.files.get(file)?.done);
  const troubled = ended.filter((file) => TROUBLE.includes(job.files.get(file)?.status ?? ''));
  const failed = ended.filter((file) => job.files.get(file)?.status === 'failed').length;
  const { status, isOver } = job;
  return {
    key, title: titleOf(files), status, isOver, files, troubled,
    percent: status === 'completed' ? 100 : Math.round(job.progress?.percent ?? 0),
    words: jobWords(job, { ended: ended.length, failed }),
    state: (file) => job.files.get(file) ?? { file, status: 'waiting' },
  };
}

const TROUBLE: readonly string[] = ['failed', 'completed_with_errors'];

function titleOf(files: readonly string[]): string {
  const [first, ...more] = files;
  if (first === undefined) return 'A batch';
  return more.length === 0 ? nameOf(first) : `${nameOf(first)} and ${plural(more.length, 'more file')}`;
}
