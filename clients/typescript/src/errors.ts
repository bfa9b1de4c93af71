/** Everything this package rejects with. */

import type { ErrorCode, ErrorData } from './wire.js';

/** What goes wrong on this side of the wire; all other codes are the worker's. */
export type ClientErrorCode = 'not_started' | 'worker_died' | 'worker_stopped';

export class OcrError extends Error {
  override readonly name = 'OcrError';

  constructor(
    message: string,
    readonly code: ErrorCode | ClientErrorCode,
    /** Whether the same request may succeed later. */
    readonly retryable = false,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
  }

  /** @internal */
  static of(data: ErrorData): OcrError {
    return new OcrError(data.message, data.code, data.retryable, data.details ?? {});
  }

  /** @internal */
  static from(error: unknown, code: ClientErrorCode | 'invalid_params'): OcrError {
    // The next life of a worker that has died may do what this one could not.
    return error instanceof OcrError ? error : new OcrError(String((error as Error)?.message ?? error), code, code === 'worker_died');
  }
}
