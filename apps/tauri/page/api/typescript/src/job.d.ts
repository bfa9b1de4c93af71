/** One batch, as an app sees it: what it has done, how to steer it, when it is over. */
import { OcrError } from './errors.js';
import type { BatchData, Event, FileDone, ProgressData } from './wire.js';
export type JobStatus = 'waiting' | 'running' | 'paused' | BatchData['status'] | 'error';
export interface FileState {
    readonly file: string;
    readonly status: 'waiting' | 'working' | FileDone['status'];
    /** The page that was last said to be in work, from 1, and how many there are. */
    readonly page?: number;
    readonly pageCount?: number;
    /** How it ended: outputs, confidence, error. */
    readonly done?: FileDone;
}
/** What a job asks of its sidecar. */
export interface JobCommands {
    steer(command: 'pause' | 'resume' | 'cancel', jobId: string): Promise<void>;
}
type Wish = 'run' | 'pause' | 'cancel';
export declare class Job implements AsyncIterable<Event> {
    #private;
    /** Its id, once the worker has taken it in. */
    readonly accepted: Promise<string>;
    /**
     * How it ended. A cancelled job resolves too, with what was finished. Rejects with OcrError if the worker refuses it,
     * gives it up, or is gone for good.
     */
    readonly result: Promise<BatchData>;
    /** Each file as it stands, by its path as it was sent. States are replaced, never changed. */
    readonly files: ReadonlyMap<string, FileState>;
    /** @internal */
    constructor(commands: JobCommands);
    get id(): string | undefined;
    get status(): JobStatus;
    /** Pages of the whole batch, percent, time left; undefined before the first is read. */
    get progress(): ProgressData | undefined;
    get error(): OcrError | undefined;
    get isOver(): boolean;
    /** Grows with each change: a snapshot for React's useSyncExternalStore. */
    get version(): number;
    /** Start no more pages. Resolves once the worker has heard of it. */
    pause(): Promise<void>;
    resume(): Promise<void>;
    /** Stop it. Finished files stay, and `result` resolves with status `cancelled`. */
    cancel(): Promise<void>;
    /** Call with this job now and after each change, as a Svelte store does. Returns what ends that. */
    subscribe(listener: (job: Job) => void): () => void;
    /** Its events from the first to the last, whenever one begins; of `progress` only the newest waits for a slow reader. */
    [Symbol.asyncIterator](): AsyncIterator<Event, void>;
    /** What its user wants of it, which outlives the worker. @internal */
    get wish(): Wish;
    /** @internal */
    accept(id: string): void;
    /** @internal */
    take(event: Event): void;
    /** @internal */
    finish(data: BatchData): void;
    /** @internal */
    fail(error: OcrError): void;
    /** @internal */
    know(state: FileState): void;
}
export {};
