/** Files of a job in the words of the client: each has a key with its number, as names may be there twice. */

import type { FileDone, FileState } from '../model/host.js';
import type { Schemas } from './api.js';

export interface WorkingOn {
  file_index: number;
  page: number | null;
}

/** Ends like a path, so that its name is what is shown. */
export function keyOf({ number, name }: Pick<Schemas['File'], 'number' | 'name'>): string {
  return `${number}/${name}`;
}

export function addressOf(jobId: string, number: number): string {
  return `/api/v1/jobs/${jobId}/files/${number}`;
}

export function fileState(jobId: string, file: Schemas['File'], before?: FileState): FileState {
  if (file.status === 'pending') return { file: keyOf(file), status: 'waiting' };
  if (file.status === 'processing') {
    const state: FileState = before?.done ? { file: before.file, status: 'working' } : (before ?? { file: keyOf(file), status: 'working' });
    return { ...state, status: 'working', ...(file.pages != null && { pageCount: file.pages }) };
  }
  const done = fileDone(jobId, file);
  return { file: done.file, status: done.status, done };
}

/** The paths of its outputs are addresses. Throws if it has not ended. */
export function fileDone(jobId: string, file: Schemas['File']): FileDone {
  const { status, confidence, pages, reason, error, failed_pages = [], warnings = [], outputs = [] } = file;
  if (status === 'pending' || status === 'processing') throw new Error(`${file.name} has not been read yet.`);
  const at = addressOf(jobId, file.number);
  return {
    kind: 'file_done', message: '', file: keyOf(file), status, warnings,
    outputs: Object.fromEntries(outputs.map((kind) => [kind, `${at}/outputs/${kind}`])),
    failed_pages: failed_pages as NonNullable<FileDone['failed_pages']>,
    ...(confidence != null && { confidence }),
    ...(pages != null && { pages }),
    ...(reason != null && { reason }),
    ...(error != null && { error: error as NonNullable<FileDone['error']> }),
  };
}

export function workingState(before: FileState, page: number | null, pageCount: number | null): FileState {
  return { ...before, status: 'working', ...(page !== null && { page }), ...(pageCount !== null && { pageCount }) };
}
