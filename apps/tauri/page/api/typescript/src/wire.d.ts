/** A batch, or a new run of one, was taken in: `file_count` files of `total_files` are to be done. */
export interface Accepted {
    file_count: number;
    kind: 'accepted';
    message: string;
    total_files: number;
}
/** How a run of a job ended. `counts` stands for the lists where `summary_result` left them out. */
export interface BatchData {
    counts?: Counts;
    dry_run?: boolean;
    duration_seconds: number;
    failed?: FailedFile[];
    kind: 'batch';
    manifest?: string;
    reason?: string;
    skipped?: SkippedFile[];
    statistics: Statistics;
    status: 'completed' | 'cancelled' | 'stopped';
    successful?: SuccessfulFile[];
    total_files: number;
    total_pages_processed: number;
}
/** The options of a batch. A description completes "must be ..." in errors, schema and docs. */
export interface BatchOptions {
    /** Must be an integer from 1 to 10,000. Default: 50. */
    chunk_size?: number;
    /** Must be auto, on, off, true or false. Default: "auto". */
    denoise?: Switch;
    /** Must be auto, on, off, true or false. Default: "auto". */
    deskew?: Switch;
    /** Must be auto, or an integer from 50 to 2,400. Default: "auto". */
    dpi?: 'auto' | number;
    /** Must be true or false. Default: false. */
    dry_run?: boolean;
    /** Must be auto or the name of an installed engine. Default: "auto". */
    engine?: string;
    /** Must be skip, redo or force. Default: "skip". */
    existing_text?: 'skip' | 'redo' | 'force';
    /** Must be a number of seconds above 0, up to 86,400. Default: 300.0. */
    file_timeout_seconds?: number;
    /** Must be true or false. Default: true. */
    keep_protection?: boolean;
    /** Must be a non-empty list of language codes such as "eng" or "script/Latin". Default: ["eng"]. */
    languages?: string[];
    /** Must be a number of seconds from 0 to 86,400. Default: 30.0. */
    max_lock_wait_seconds?: number;
    /** Must be an integer from 1 to 100,000,000,000. Default: 250000000. */
    max_pixels?: number;
    /** Must be an integer from 1 to 256. */
    max_workers?: number;
    /** Must be skip, overwrite or suffix. Default: "skip". */
    on_existing?: 'skip' | 'overwrite' | 'suffix';
    /** Must be a non-empty list of pdf, txt, json, hocr, alto. Default: ["pdf", "txt", "json"]. */
    outputs?: ('pdf' | 'txt' | 'json' | 'hocr' | 'alto')[];
    /** Must be a number of seconds above 0, up to 86,400. Default: 120.0. */
    page_timeout_seconds?: number;
    /** Must be a number above 0, up to 1,000,000. */
    pages_per_minute?: number;
    /** Must be an object of paths and their passwords as strings. */
    passwords?: Record<string, string>;
    /** Must be an integer from 0 to 100. Default: 2. */
    retries?: number;
    /** Must be auto, on, off, true or false. Default: "auto". */
    rotate_pages?: Switch;
    /** Must be refuse or unsigned_copy. Default: "refuse". */
    signed?: 'refuse' | 'unsigned_copy';
    /** Must be a number above 0, up to 1. Default: 0.5. */
    stop_on_error_threshold?: number;
    /** Must be the path of a folder. */
    tessdata_dir?: string;
    /** Must be a list of paths of folders. Default: []. */
    tessdata_dirs?: string[];
}
/** Stop a job, or every active one; what is finished stays. */
export interface Cancel {
    command: 'cancel';
    /** Must be a string or a 64-bit integer. */
    id?: CommandId;
    /** Must be a job's id, or absent for all of them. */
    job_id?: string;
}
/** These jobs are being cancelled. */
export interface CancelAcknowledged {
    jobs: string[];
    kind: 'cancel';
    message: string;
}
/** The program that speaks to the worker; its jobs keep its name. */
export interface ClientInfo {
    /** Must be a string of up to 200 characters. */
    name: string;
    /** Must be a string of up to 200 characters. */
    version?: string;
}
export type CommandId = string | number;
export type CommandName = 'hello' | 'ocr_batch' | 'cancel' | 'pause' | 'resume' | 'retry_failed' | 'list_jobs' | 'get_job' | 'delete_job' | 'inspect' | 'ping' | 'shutdown';
/** How many files there are where their lists are left out. */
export interface Counts {
    completed_with_errors: number;
    failed: number;
    skipped: number;
    successful: number;
}
/** Forget a job that does not run; its outputs stay. */
export interface DeleteJob {
    command: 'delete_job';
    /** Must be a string or a 64-bit integer. */
    id?: CommandId;
    /** Must be a job's id. */
    job_id: string;
}
/** The job is forgotten; its outputs stay. */
export interface DeletedData {
    kind: 'deleted';
    message: string;
}
export interface EngineInfo {
    name: string;
    version: string;
}
export type ErrorCode = 'not_found' | 'not_regular' | 'permission' | 'locked' | 'unreachable' | 'empty' | 'unsupported_type' | 'corrupt' | 'encrypted' | 'bad_password' | 'signed' | 'xfa' | 'too_large' | 'no_pages' | 'timeout' | 'engine' | 'engine_missing' | 'language_missing' | 'output_permission' | 'output_exists' | 'output_conflict' | 'no_space' | 'changed' | 'bad_name' | 'crashed' | 'cancelled' | 'internal' | 'parse_error' | 'invalid_params' | 'unknown_command' | 'line_too_long' | 'unsupported' | 'busy' | 'job_not_found' | 'job_active';
/** Why a command, or a whole run, failed. */
export interface ErrorData {
    code: ErrorCode;
    details: Record<string, unknown>;
    message: string;
    retryable: boolean;
}
/** A command refused, or a run that failed. */
export interface ErrorEvent {
    command?: string;
    data: ErrorData;
    id?: CommandId;
    job_id?: string;
    seq: number;
    type: 'error';
}
export interface FailedFile {
    code: ErrorCode;
    error: string;
    file: string;
    page?: number;
    retryable: boolean;
}
export interface FailedPage {
    code: ErrorCode;
    error: string;
    page: number;
}
export interface Failure {
    code: ErrorCode;
    message: string;
    retryable: boolean;
}
/** A file has ended, one way or another. */
export interface FileDone {
    confidence?: number;
    error?: Failure;
    estimated_seconds?: number;
    failed_pages?: FailedPage[];
    file: string;
    free_bytes?: number;
    kind: 'file_done';
    message: string;
    needed_bytes?: number;
    output?: string;
    outputs?: Record<string, string>;
    page?: number;
    pages?: number;
    reason?: string;
    status: 'completed' | 'completed_with_errors' | 'failed' | 'skipped';
    survey?: Survey;
    warnings?: string[];
}
/** The first page of a file was given to a page process. */
export interface FileStarted {
    file: string;
    file_index: number;
    kind: 'file_started';
    message: string;
    page_count?: number;
}
/** Show one job and a page of its files. */
export interface GetJob {
    command: 'get_job';
    /** Must be a string or a 64-bit integer. */
    id?: CommandId;
    /** Must be a job's id. */
    job_id: string;
    /** Must be an integer from 1 to 1,000. Default: 1000. */
    limit?: number;
    /** Must be an integer from 0. Default: 0. */
    offset?: number;
}
/** The worker lives; sent only where `hello` asked for it. */
export interface Heartbeat {
    file?: string;
    idle_seconds: number;
    job_id?: string;
    kind: 'heartbeat';
    message: string;
    page?: number;
    rss_bytes: number;
    state: WorkerState;
}
/** Open a session: versions and abilities of the worker, habits of the host. */
export interface Hello {
    /** Must be an object with name and version. */
    client?: ClientInfo;
    command: 'hello';
    /** Must be a number of seconds from 0.1 to 86,400. */
    heartbeat_seconds?: number;
    /** Must be a number of seconds from 1 to 86,400. */
    host_timeout_seconds?: number;
    /** Must be a string or a 64-bit integer. */
    id?: CommandId;
    /** Must be an integer from 4,096 to 1,073,741,824. Default: 1048576. */
    max_event_bytes?: number;
    /** Must be finish or shutdown. Default: "finish". */
    on_stdin_end?: 'finish' | 'shutdown';
    /** Must be the number of the process to live and die with. */
    parent_pid?: number;
    /** Must be a number above 0, up to 10. Default: 10.0. */
    progress_hz?: number;
    /** Must be a non-empty list of the protocol versions the host speaks. Default: [1]. */
    protocol?: number[];
    /** Must be true or false. Default: false. */
    summary_result?: boolean;
}
/** What this worker is and can do. */
export interface HelloData {
    commands: CommandName[];
    engines: EngineInfo[];
    kind: 'hello';
    languages: string[];
    limits: Limits;
    pid: number;
    protocol: number;
    schema_sha256: string;
    state_dir: string;
    versions: Record<string, string>;
}
/** News, and acknowledgements. */
export interface InfoEvent {
    command?: CommandName;
    data: Accepted | CancelAcknowledged | PauseAcknowledged | ResumeAcknowledged | RetryAcknowledged | ShutdownAcknowledged | Paused | FileStarted | FileDone | Heartbeat | Warned;
    id?: CommandId;
    job_id?: string;
    seq: number;
    type: 'info';
}
/** Say what a file is, without recognition. */
export interface Inspect {
    command: 'inspect';
    /** Must be the path of a file. */
    file: string;
    /** Must be a string or a 64-bit integer. */
    id?: CommandId;
    /** Must be a string. */
    password?: string;
}
/** What a file is. */
export interface InspectData {
    bytes: number;
    encrypted: boolean;
    file: string;
    form: PdfForm;
    kind: 'inspect';
    page_list?: PageReport[];
    pages?: number;
    signed: boolean;
    type: string;
}
/** One job with its files from `offset` on; `stats.total` counts all of them. */
export interface JobData {
    client?: string;
    created_at: string;
    files: JobFile[];
    job_id: string;
    kind: 'job';
    output_dir: string;
    pages_done: number;
    pages_total: number;
    priority: number;
    state: JobState;
    statistics?: Statistics;
    stats: JobStats;
    updated_at: string;
}
/** A file of a job as it stands now. */
export interface JobFile {
    confidence?: number;
    error?: Failure;
    estimated_seconds?: number;
    failed_pages?: FailedPage[];
    file: string;
    free_bytes?: number;
    message?: string;
    needed_bytes?: number;
    output?: string;
    outputs?: Record<string, string>;
    page?: number;
    pages?: number;
    reason?: string;
    status: 'pending' | 'processing' | 'completed' | 'completed_with_errors' | 'failed' | 'skipped';
    survey?: Survey;
    warnings?: string[];
}
export type JobState = 'queued' | 'running' | 'paused' | 'completed' | 'cancelled' | 'stopped' | 'interrupted' | 'failed';
export interface JobStats {
    completed: number;
    failed: number;
    pending: number;
    processing: number;
    skipped: number;
    total: number;
}
export interface JobSummary {
    client?: string;
    created_at: string;
    job_id: string;
    output_dir: string;
    pages_done: number;
    pages_total: number;
    priority: number;
    state: JobState;
    stats: JobStats;
    updated_at: string;
}
/** Jobs of the store from `offset` on; `total` counts all that match. */
export interface JobsData {
    jobs: JobSummary[];
    kind: 'jobs';
    total: number;
}
export interface Limits {
    max_line_bytes: number;
    max_pixels: number;
    max_workers: number;
    progress_hz: number;
}
/** List the jobs of the store. */
export interface ListJobs {
    /** Must be the name of a client. */
    client?: string;
    command: 'list_jobs';
    /** Must be a string or a 64-bit integer. */
    id?: CommandId;
    /** Must be an integer from 1 to 1,000. Default: 1000. */
    limit?: number;
    /** Must be an integer from 0. Default: 0. */
    offset?: number;
    /** Must be queued, running, paused, completed, cancelled, stopped, interrupted or failed. */
    state?: JobState;
}
/** Recognise files and write their outputs into a folder. */
export interface OcrBatch {
    command: 'ocr_batch';
    /** Must be a non-empty list of paths. */
    files: string[];
    /** Must be a string or a 64-bit integer. */
    id?: CommandId;
    /** Must be an object of options. */
    options?: BatchOptions;
    /** Must be the path of a folder. */
    output_dir: string;
    /** Must be an integer from -1,000,000 to 1,000,000. Default: 0. */
    priority?: number;
}
export interface PageReport {
    has_text: boolean;
    height_points: number;
    width_points: number;
}
/** Start no further page of a job, or of every running one. */
export interface Pause {
    command: 'pause';
    /** Must be a string or a 64-bit integer. */
    id?: CommandId;
    /** Must be a job's id, or absent for all of them. */
    job_id?: string;
}
/** These jobs start no more pages. */
export interface PauseAcknowledged {
    jobs: string[];
    kind: 'pause';
    message: string;
}
/** A paused job is at rest: none of its pages is in work any more. */
export interface Paused {
    kind: 'paused';
    message: string;
}
export type PdfForm = 'none' | 'acroform' | 'xfa';
/** Ask for a sign of life. */
export interface Ping {
    command: 'ping';
    /** Must be a string or a 64-bit integer. */
    id?: CommandId;
}
/** A sign of life. */
export interface PingData {
    kind: 'ping';
    queued_jobs: number;
    rss_bytes: number;
    state: WorkerState;
    uptime_seconds: number;
}
/** Where a batch stands; `current` and `total` count pages of the whole batch. */
export interface ProgressData {
    completed?: number;
    current: number;
    elapsed_seconds?: number;
    eta_seconds?: number;
    failed?: number;
    file?: string;
    file_count?: number;
    file_index?: number;
    message: string;
    page?: number;
    page_count?: number;
    pages_per_second?: number;
    percent: number;
    skipped?: number;
    total: number;
    working: WorkingOn[];
}
/** How far a batch is; coalesced for a slow host. */
export interface ProgressEvent {
    data: ProgressData;
    id?: CommandId;
    job_id: string;
    seq: number;
    type: 'progress';
}
export interface Refusal {
    code: ErrorCode;
    message: string;
}
/** The answer to a command; of kind batch, the one end of a run. */
export interface ResultEvent {
    command: CommandName;
    data: HelloData | BatchData | JobsData | JobData | DeletedData | InspectData | PingData;
    id?: CommandId;
    job_id?: string;
    seq: number;
    type: 'result';
}
/** Go on with a paused job, or reopen one that was interrupted, cancelled or stopped. */
export interface Resume {
    command: 'resume';
    /** Must be a string or a 64-bit integer. */
    id?: CommandId;
    /** Must be a job's id, or absent for all of them. */
    job_id?: string;
    /** Must be an object of paths and their passwords as strings. */
    passwords?: Record<string, string>;
}
/** These paused jobs go on. */
export interface ResumeAcknowledged {
    jobs: string[];
    kind: 'resume';
    message: string;
}
/** The job has no failed files, so nothing was started. */
export interface RetryAcknowledged {
    jobs: string[];
    kind: 'retry_failed';
    message: string;
}
/** Run the failed files of an ended job again. */
export interface RetryFailed {
    command: 'retry_failed';
    /** Must be a string or a 64-bit integer. */
    id?: CommandId;
    /** Must be a job's id. */
    job_id: string;
    /** Must be an object of paths and their passwords as strings. */
    passwords?: Record<string, string>;
}
/** End the worker: after the accepted work (drain), or at once (now). */
export interface Shutdown {
    command: 'shutdown';
    /** Must be a string or a 64-bit integer. */
    id?: CommandId;
    /** Must be drain or now. Default: "drain". */
    mode?: 'drain' | 'now';
}
/** The worker is about to end. */
export interface ShutdownAcknowledged {
    jobs: string[];
    kind: 'shutdown';
    message: string;
}
export interface SkippedFile {
    file: string;
    output?: string;
    reason: string;
}
/** Of all runs of a job so far. */
export interface Statistics {
    cleanups: number;
    duration_seconds: number;
    end_time?: string;
    failed_by_input: number;
    failed_by_worker: number;
    files_per_second: number;
    pages: number;
    pages_per_second: number;
    peak_rss_bytes: number;
    retries: number;
    start_time: string;
    worker_restarts: number;
}
/** A file whose outputs are written. */
export interface SuccessfulFile {
    confidence?: number;
    estimated_seconds?: number;
    failed_pages?: FailedPage[];
    file: string;
    free_bytes?: number;
    needed_bytes?: number;
    output: string;
    outputs: Record<string, string>;
    pages: number;
    status: 'completed' | 'completed_with_errors';
    survey?: Survey;
    warnings?: string[];
}
/** What a dry run found in a file. */
export interface Survey {
    bytes: number;
    encrypted: boolean;
    form: PdfForm;
    languages: Record<string, boolean>;
    largest_page_pixels?: number[];
    largest_page_points?: number[];
    pages: number;
    pages_with_text: number;
    refused?: Refusal;
    signed: boolean;
    type: string;
}
export type Switch = 'auto' | 'on' | 'off' | boolean;
/** Something the user may want to know of, and that stops nothing. */
export interface Warned {
    file?: string;
    kind: 'warning';
    message: string;
}
export type WorkerState = 'idle' | 'running' | 'paused' | 'draining';
/** What a page process works on; without `page` it opens the file, or composes its outputs. */
export interface WorkingOn {
    file: string;
    file_index: number;
    page?: number;
}
/** What a later version of the worker says: a type or a kind that this one does not know. */
export interface UnknownEvent {
    type: 'unknown';
    /** The event as it came. */
    event: Record<string, unknown>;
}
/** What a host may say to the worker. */
export type Command = Hello | OcrBatch | Cancel | Pause | Resume | RetryFailed | ListJobs | GetJob | DeleteJob | Inspect | Ping | Shutdown;
/** What the worker may say to a host. */
export type Event = ProgressEvent | ResultEvent | ErrorEvent | InfoEvent | UnknownEvent;
/** The data of what answers a command. */
export interface Answers {
    hello: HelloData;
    ocr_batch: Accepted;
    cancel: CancelAcknowledged;
    pause: PauseAcknowledged;
    resume: ResumeAcknowledged | Accepted;
    retry_failed: Accepted | RetryAcknowledged;
    list_jobs: JobsData;
    get_job: JobData;
    delete_job: DeletedData;
    inspect: InspectData;
    ping: PingData;
    shutdown: ShutdownAcknowledged;
}
/** Its kinds. */
export declare const ANSWERS: Readonly<Record<CommandName, readonly string[]>>;
/** The kinds of each type of event that this version knows. */
export declare const KINDS: {
    readonly progress: readonly [];
    readonly result: readonly ["hello", "batch", "jobs", "job", "deleted", "inspect", "ping"];
    readonly error: readonly [];
    readonly info: readonly ["accepted", "cancel", "pause", "resume", "retry_failed", "shutdown", "paused", "file_started", "file_done", "heartbeat", "warning"];
};
