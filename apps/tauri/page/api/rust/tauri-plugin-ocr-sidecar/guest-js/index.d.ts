/** The page's side of the plugin. The job is the one of `@ocr-sidecar/client`; here its events come from Rust. */
import { OcrError } from '../../../typescript/src/errors.js';
import { Job } from '../../../typescript/src/job.js';
import type { BatchData, BatchOptions, Event, InspectData, JobsData, ListJobs, ProgressData } from '../../../typescript/src/wire.js';
export { Job, OcrError };
export type { FileState, JobStatus } from '../../../typescript/src/job.js';
export type * from '../../../typescript/src/wire.js';
/** What Rust rejects with. */
export interface Report {
    readonly code: string;
    readonly message: string;
    readonly retryable: boolean;
}
/** A job as it stands in Rust. */
export interface Shown {
    readonly request_id: string;
    readonly job_id: string;
    readonly status: 'running' | 'paused' | 'cancelling' | 'ended' | 'failed';
    readonly files: readonly {
        readonly file: string;
        readonly status: string;
    }[];
    readonly progress?: ProgressData;
    readonly result?: BatchData;
    readonly error?: Report;
}
export type WorkerState = {
    readonly state: 'idle' | 'running' | 'cancelled';
} | {
    readonly state: 'error';
    readonly message: string;
};
/** What Tauri's `listen` hears of `python_progress`, `python_result` and `python_error`. */
export type Message = ({
    readonly kind: 'job';
} & Shown) | {
    readonly kind: 'event';
    readonly request_id: string;
    readonly event: Event;
} | {
    readonly kind: 'failed';
    readonly request_id: string;
    readonly job_id: string;
    readonly error: Report;
};
export interface BatchRequest {
    /** The page's name for its wish: asked twice, it is carried out once. A new one if absent. */
    readonly requestId?: string;
    /** Higher first. */
    readonly priority?: number;
}
/** Find the jobs of the app, and follow them. Call it once a page. */
export declare function attach(): Promise<Ocr>;
export declare class Ocr {
    #private;
    /** By request id: those that run, and those that ended not long ago. */
    get jobs(): ReadonlyMap<string, Job>;
    /** Recognise files and write their outputs into a folder. What is refused is told by the job. */
    batch(files: Iterable<string>, outputDir: string, options?: BatchOptions, request?: BatchRequest): Job;
    /** Go on with a job of the state folder that was interrupted, cancelled or stopped, as by the app's end. */
    reopen(jobId: string, passwords?: Record<string, string>, requestId?: string): Job;
    /** Jobs of the state folder. */
    listJobs(wanted?: Omit<ListJobs, 'command' | 'id'>): Promise<JobsData>;
    /** Say what a file is, without OCR. */
    inspect(file: string, password?: string): Promise<InspectData>;
    state(): Promise<WorkerState>;
    /** Hear of each job that begins, also by another window or by Rust. Returns what ends that. */
    onJob(listener: (job: Job, requestId: string) => void): () => void;
    /** @internal */
    know({ request_id, job_id, status, files }: Shown): Job;
    /** @internal */
    take(message: Message): void;
}
