/** Everything this package rejects with. */
export class OcrError extends Error {
    code;
    retryable;
    details;
    name = 'OcrError';
    constructor(message, code, 
    /** Whether the same request may succeed later. */
    retryable = false, details = {}) {
        super(message);
        this.code = code;
        this.retryable = retryable;
        this.details = details;
    }
    /** @internal */
    static of(data) {
        return new OcrError(data.message, data.code, data.retryable, data.details ?? {});
    }
    /** @internal */
    static from(error, code) {
        // The next life of a worker that has died may do what this one could not.
        return error instanceof OcrError ? error : new OcrError(String(error?.message ?? error), code, code === 'worker_died');
    }
}
