/** What the front end asks of the app around it. Knows no app. */

import type { BatchOptions, FileDone, Job, JobStatus, JobSummary } from '../../../../clients/typescript/src/index.js';
import type { Book } from './results.js';
import type { Service } from './service.js';

export type { BatchOptions, FileDone, JobSummary };
export type { FileState } from '../../../../clients/typescript/src/index.js';

type Shown = 'id' | 'progress' | 'error' | 'isOver' | 'files' | 'pause' | 'resume' | 'cancel';

/** A batch: the Job of @ocr-sidecar/client, or what looks like it. What is optional is offered where it is there. */
export interface OcrJob extends Pick<Job, Shown> {
  readonly status: JobStatus | 'interrupted';
  /** Call now and after each change. Returns what ends that. */
  subscribe(listener: () => void): () => void;
  /** Whether `resume` goes on with it though it is over. */
  readonly canResume?: boolean;
  /** Read the failed files again, once it is over. */
  retry?(): Promise<void>;
  /** The address of a zip with all its outputs. */
  readonly archive?: string;
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
  /** The words of a file that ended, page by page; without it they come from the file of results, by `disk.results`. */
  book?(done: FileDone): Promise<Book>;
  /** Where outputs of a file can be downloaded. */
  links?(done: FileDone): readonly Link[];
  /** What there is only where the page comes from the service. */
  readonly service?: Service;
}

export interface Link {
  readonly name: string;
  readonly address: string;
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
