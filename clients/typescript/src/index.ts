/** What apps import. Transports that need Node, Tauri or a port are modules of their own: `/node`, `/tauri`, `/port`. */

export { OcrError } from './errors.js';
export type { ClientErrorCode } from './errors.js';
export type { FileState, Job, JobStatus } from './job.js';
export type { StopMode, Timing } from './life.js';
export type { Metrics } from './metrics.js';
export { pathBytes } from './paths.js';
export type { PathLike } from './paths.js';
export { OcrSidecar } from './sidecar.js';
export type { JobOptions, ReopenOptions, SidecarEvents, SidecarState, StartOptions } from './sidecar.js';
export type { Ended, Launch, Started, Transport, TransportListener } from './transport.js';
export type * from './wire.js';
