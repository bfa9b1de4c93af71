/**
 * The path of the worker's program for this platform: `OCR_WORKER_PATH` if that is set, otherwise of the package that npm
 * installed for it. In a packed Electron app it is the unpacked one. Throws an Error that names what is missing.
 */
export function workerPath(): string;
