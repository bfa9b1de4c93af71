/** What the front end asks of the app around it. Knows no app. */

import type { BatchOptions, Job, JobSummary } from '../../../../clients/typescript/src/index.js';

export type { BatchOptions, JobSummary };
export type { FileState, JobStatus } from '../../../../clients/typescript/src/index.js';

type Shown = 'id' | 'status' | 'progress' | 'error' | 'isOver' | 'files' | 'pause' | 'resume' | 'cancel';

/** A batch: the Job of @ocr-sidecar/client, or what looks like it. */
export interface OcrJob extends Pick<Job, Shown> {
  /** Call now and after each change. Returns what ends that. */
  subscribe(listener: () => void): () => void;
}

export interface Host {
  /** The languages that are installed; undefined where the host cannot tell. */
  readonly languages?: readonly string[];
  readonly disk: Disk;
  /** Hear of the jobs that run already, and of each that begins. Returns what ends that. */
  onJob(listener: (job: OcrJob) => void): () => void;
  begin(files: readonly string[], outputDir: string, options: BatchOptions): OcrJob;
  /** Jobs of this app that its last end interrupted. */
  interrupted(): Promise<readonly JobSummary[]>;
  reopen(jobId: string): OcrJob;
}

/** What the app's computer does with files for a page, which cannot reach them. What is absent is not offered. */
export interface Disk {
  /** Hear of dropped files and folders, by their absolute paths. Returns what ends that. */
  onDrop(listener: (paths: readonly string[]) => void): () => void;
  /** All files of these files and folders that can be read. */
  expand(paths: readonly string[]): Promise<readonly string[]>;
  choose?(what: 'files' | 'folder'): Promise<readonly string[]>;
  /** Show a PDF in the program that the user has for it. */
  open?(path: string): Promise<void>;
  /** The text of NAME_ocr_results.json. */
  results?(path: string): Promise<string>;
  /** An image file that was read, for the picture behind its words. */
  picture?(path: string): Promise<Blob>;
}
