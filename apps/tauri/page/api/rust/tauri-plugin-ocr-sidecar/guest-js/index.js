/** The page's side of the plugin. The job is the one of `@ocr-sidecar/client`; here its events come from Rust. */
import { Channel, invoke } from '@tauri-apps/api/core';
import { OcrError } from '../../../typescript/src/errors.js';
import { Job } from '../../../typescript/src/job.js';
export { Job, OcrError };
/** Find the jobs of the app, and follow them. Call it once a page. */
export async function attach() {
    const messages = [];
    const channel = new Channel();
    channel.onmessage = (message) => void messages.push(message);
    const { jobs } = await call('attach', { channel });
    const ocr = new Ocr();
    for (const shown of jobs)
        ocr.know(shown);
    for (const message of messages)
        ocr.take(message);
    channel.onmessage = (message) => ocr.take(message);
    return ocr;
}
export class Ocr {
    #jobs = new Map();
    #listeners = new Set();
    /** By request id: those that run, and those that ended not long ago. */
    get jobs() {
        return this.#jobs;
    }
    /** Recognise files and write their outputs into a folder. What is refused is told by the job. */
    batch(files, outputDir, options = {}, request = {}) {
        const { requestId = crypto.randomUUID(), priority } = request;
        const list = [...files];
        const batch = { requestId, files: list, outputDir, options, ...(priority !== undefined && { priority }) };
        return this.#begin(requestId, list, call('start', { batch }));
    }
    /** Go on with a job of the state folder that was interrupted, cancelled or stopped, as by the app's end. */
    reopen(jobId, passwords = {}, requestId = crypto.randomUUID()) {
        return this.#begin(requestId, [], call('reopen', { requestId, jobId, passwords }));
    }
    /** Jobs of the state folder. */
    listJobs(wanted = {}) {
        return call('list_jobs', { wanted });
    }
    /** Say what a file is, without OCR. */
    inspect(file, password) {
        return call('inspect', { file, password });
    }
    state() {
        return call('state');
    }
    /** Hear of each job that begins, also by another window or by Rust. Returns what ends that. */
    onJob(listener) {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
    }
    /** @internal */
    know({ request_id, job_id, status, files }) {
        const known = this.#jobs.get(request_id);
        if (known) {
            if (!known.id)
                known.accept(job_id);
            return known;
        }
        const job = this.#make(request_id, files.map(({ file }) => file), status === 'paused');
        job.accept(job_id);
        if (status === 'paused')
            void job.pause();
        return job;
    }
    /** @internal */
    take(message) {
        if (message.kind === 'job')
            this.know(message);
        else if (message.kind === 'event')
            this.#jobs.get(message.request_id)?.take(message.event);
        else
            this.#jobs.get(message.request_id)?.fail(error(message.error));
    }
    #begin(requestId, files, answer) {
        const known = this.#jobs.get(requestId);
        const job = known ?? this.#make(requestId, files, false);
        answer.then(({ job_id }) => job.id ?? job.accept(job_id), (refusal) => {
            // Asked again, it may be taken in.
            if (!job.id)
                this.#jobs.delete(requestId);
            job.fail(refusal);
        });
        return job;
    }
    /** A job that is paused already is told so without a command. */
    #make(requestId, files, isPaused) {
        let isKnown = isPaused;
        const steer = async (command, jobId) => {
            if (isKnown)
                isKnown = false;
            else
                await call(command, { jobId });
        };
        const job = new Job({ steer });
        for (const file of files)
            job.know({ file, status: 'waiting' });
        this.#jobs.set(requestId, job);
        for (const listener of this.#listeners)
            listener(job, requestId);
        return job;
    }
}
async function call(command, fields = {}) {
    try {
        return await invoke(`plugin:ocr-sidecar|${command}`, fields);
    }
    catch (refusal) {
        throw error(refusal);
    }
}
/** Also what is no report: Tauri itself refuses what the page has no permission for, by a string. */
function error(refusal) {
    const { message = String(refusal), code = 'not_started', retryable = false } = refusal;
    return new OcrError(message, code, retryable);
}
