/** Everything this package rejects with. */
import type { ErrorCode, ErrorData } from './wire.js';
/** What goes wrong on this side of the wire; all other codes are the worker's. */
export type ClientErrorCode = 'not_started' | 'worker_died' | 'worker_stopped';
export declare class OcrError extends Error {
    readonly code: ErrorCode | ClientErrorCode;
    /** Whether the same request may succeed later. */
    readonly retryable: boolean;
    readonly details: Record<string, unknown>;
    readonly name = "OcrError";
    constructor(message: string, code: ErrorCode | ClientErrorCode, 
    /** Whether the same request may succeed later. */
    retryable?: boolean, details?: Record<string, unknown>);
    /** @internal */
    static of(data: ErrorData): OcrError;
    /** @internal */
    static from(error: unknown, code: ClientErrorCode): OcrError;
}
