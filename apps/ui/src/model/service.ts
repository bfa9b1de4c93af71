/** What the page asks of the service beyond what every host has: uploads, all jobs, search. Knows no HTTP. */

import type { BatchOptions, FileDone } from './host.js';
import type { Tray } from './tray.js';

/** A job as the list of all jobs has it. */
export interface Past {
  readonly job_id: string;
  readonly title: string;
  readonly state: 'queued' | 'running' | 'paused' | 'completed' | 'cancelled' | 'stopped' | 'interrupted' | 'failed';
  readonly created_at: string;
  readonly stats: { readonly total: number; readonly failed: number; readonly completed: number; readonly skipped: number };
}

export interface Found {
  readonly job_id: string;
  readonly number: number;
  readonly name: string;
  readonly page: number;
  readonly excerpt: string;
}

export interface Standing {
  /** Newest first. */
  readonly jobs: readonly Past[];
  readonly total: number;
  /** The service does not answer; it is asked again and again. */
  readonly isAway: boolean;
}

/** A place in a file that is to be shown. */
export interface Look {
  readonly done: FileDone;
  /** Counted from 0. */
  readonly pageAt?: number;
  /** Words that were searched for. */
  readonly find?: string;
}

export interface Service {
  readonly tray: Tray;
  /** Send what is ticked in the tray, and read it. Returns how many files that are. */
  beginTray(outputDir: string, options: BatchOptions): Promise<number>;
  /** Whether files of the service's machine can be named by path. */
  readonly takesPaths: boolean;
  /** Hear of all jobs, now and after each change. Returns what ends that. */
  subscribe(listener: (standing: Standing) => void): () => void;
  /** List more of the older jobs, up to `mostListed`. */
  more(): void;
  readonly mostListed: number;
  /** Show a job as a card. */
  open(jobId: string): Promise<void>;
  order(jobId: string, order: 'resume' | 'retry' | 'delete'): Promise<void>;
  /** `next` is where a search goes on that was not complete. */
  search(words: string, next?: string | null): Promise<{ found: readonly Found[]; next: string | null }>;
  lookAt(found: Found, words: string): Promise<Look>;
  /** What stands behind the # of the page's address while a page of a file is looked at. */
  addressOf(look: Look): string;
  fromAddress(address: string): Promise<Look | undefined>;
}
