/** One batch, as an app sees it: what it has done, how to steer it, when it is over. */
import { OcrError } from './errors.js';
import { notify } from './notify.js';
export class Job {
    /** Its id, once the worker has taken it in. */
    accepted;
    /**
     * How it ended. A cancelled job resolves too, with what was finished. Rejects with OcrError if the worker refuses it,
     * gives it up, or is gone for good.
     */
    result;
    /** Each file as it stands, by its path as it was sent. States are replaced, never changed. */
    files;
    #files = new Map();
    #commands;
    #said = [];
    #readers = new Set();
    #listeners = new Set();
    #onAccepted = settling();
    #onResult = settling();
    #id;
    #status = 'waiting';
    #progress;
    #error;
    #wish = 'run';
    #version = 0;
    /** @internal */
    constructor(commands) {
        this.files = this.#files;
        this.#commands = commands;
        this.accepted = this.#onAccepted.promise;
        this.result = this.#onResult.promise;
    }
    get id() {
        return this.#id;
    }
    get status() {
        return this.#status;
    }
    /** Pages of the whole batch, percent, time left; undefined before the first is read. */
    get progress() {
        return this.#progress;
    }
    get error() {
        return this.#error;
    }
    get isOver() {
        return !['waiting', 'running', 'paused'].includes(this.#status);
    }
    /** Grows with each change: a snapshot for React's useSyncExternalStore. */
    get version() {
        return this.#version;
    }
    /** Start no more pages. Resolves once the worker has heard of it. */
    async pause() {
        await this.#steer('pause', 'pause');
    }
    async resume() {
        await this.#steer('resume', 'run');
    }
    /** Stop it. Finished files stay, and `result` resolves with status `cancelled`. */
    async cancel() {
        await this.#steer('cancel', 'cancel');
    }
    /** Call with this job now and after each change, as a Svelte store does. Returns what ends that. */
    subscribe(listener) {
        this.#listeners.add(listener);
        listener(this);
        return () => this.#listeners.delete(listener);
    }
    /** Its events from the first to the last, whenever one begins; of `progress` only the newest waits for a slow reader. */
    [Symbol.asyncIterator]() {
        const reader = new Reader(this.#said, () => this.#readers.delete(reader));
        if (this.isOver)
            reader.end(this.#error);
        else
            this.#readers.add(reader);
        return reader;
    }
    async #steer(command, wish) {
        this.#wish = wish;
        const id = await this.accepted;
        if (!this.isOver)
            await this.#commands.steer(command, id);
        if (!this.isOver && wish !== 'cancel')
            this.#change(wish === 'pause' ? 'paused' : 'running');
    }
    /** What its user wants of it, which outlives the worker. @internal */
    get wish() {
        return this.#wish;
    }
    /** @internal */
    accept(id) {
        this.#id = id;
        this.#change('running');
        this.#onAccepted.resolve(id);
    }
    /** @internal */
    take(event) {
        if (this.isOver)
            return;
        push(this.#said, event);
        for (const reader of this.#readers)
            reader.push(event);
        if (event.type === 'progress')
            this.#goOn(event);
        else if (event.type === 'info')
            this.#note(event);
        else if (event.type === 'error')
            this.fail(OcrError.of(event.data));
        else if (event.type === 'result' && event.data.kind === 'batch')
            this.finish(event.data);
        if (!this.isOver)
            this.#change(this.#status);
    }
    /** @internal */
    finish(data) {
        if (this.isOver)
            return;
        this.#onResult.resolve(data);
        this.#end(data.status);
    }
    /** @internal */
    fail(error) {
        if (this.isOver)
            return;
        this.#error = error;
        this.#onAccepted.reject(error);
        this.#onResult.reject(error);
        this.#end('error');
    }
    /** @internal */
    know(state) {
        this.#files.set(state.file, state);
    }
    #goOn({ data }) {
        this.#progress = data;
        if (data.file !== undefined)
            this.#working(data.file, data.page, data.page_count);
        for (const { file, page } of data.working ?? [])
            this.#working(file, page);
    }
    #note({ data }) {
        if (data.kind === 'file_started')
            this.#working(data.file, undefined, data.page_count);
        else if (data.kind === 'file_done') {
            this.know({ ...this.#files.get(data.file), file: data.file, status: data.status, done: data });
        }
    }
    #working(file, page, pageCount) {
        const before = this.#files.get(file);
        if (before?.done)
            return;
        this.know({
            file,
            status: 'working',
            ...defined('page', page ?? before?.page),
            ...defined('pageCount', pageCount ?? before?.pageCount),
        });
    }
    #end(status) {
        for (const reader of this.#readers)
            reader.end(this.#error);
        this.#readers.clear();
        this.#change(status);
        this.#listeners.clear();
    }
    #change(status) {
        this.#status = status;
        this.#version += 1;
        notify(this.#listeners, this);
    }
}
/** One who iterates over a job's events. */
class Reader {
    left;
    #queue;
    #isOver = false;
    #error;
    #wake;
    constructor(said, left) {
        this.left = left;
        this.#queue = [...said];
    }
    push(event) {
        push(this.#queue, event);
        this.#wake?.();
    }
    /** The queue comes first; then an error that was no event, such as a worker that is gone, is thrown. */
    end(error) {
        this.#isOver = true;
        if (error && this.#queue.at(-1)?.type !== 'error')
            this.#error = error;
        this.#wake?.();
    }
    async next() {
        while (this.#queue.length === 0 && !this.#isOver)
            await new Promise((resolve) => (this.#wake = resolve));
        const event = this.#queue.shift();
        if (event)
            return { value: event, done: false };
        const error = this.#error;
        this.#error = undefined;
        if (error)
            throw error;
        return { value: undefined, done: true };
    }
    async return() {
        this.left();
        this.#isOver = true;
        this.#queue.length = 0;
        return { value: undefined, done: true };
    }
}
/** A progress event or heartbeat that nobody has read yet gives way to the next. */
function push(queue, event) {
    const last = queue.at(-1);
    if (last && passes(event) && kindOf(last) === kindOf(event))
        queue.pop();
    queue.push(event);
}
function passes(event) {
    return kindOf(event) === 'progress' || kindOf(event) === 'heartbeat';
}
function kindOf(event) {
    return event.type === 'info' ? event.data.kind : event.type;
}
function settling() {
    let resolve;
    let reject;
    const promise = new Promise((onValue, onError) => {
        resolve = onValue;
        reject = onError;
    });
    // Whoever looks only at the events, or at nothing, must not end the app by an unhandled rejection.
    promise.catch(() => undefined);
    return { promise, resolve, reject };
}
function defined(name, value) {
    return value === undefined ? {} : { [name]: value };
}
