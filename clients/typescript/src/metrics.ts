/** What the sidecar has counted since it was started, over all restarts of its worker. */
export interface Metrics {
  commands: number;
  events: number;
  /** Gaps in `seq`. */
  lostEvents: number;
  /** Of a later version of the worker. */
  unknownEvents: number;
  /** Lines that were no event. */
  badLines: number;
  bytesRead: number;
  bytesWritten: number;
  restarts: number;
  /** Times that the worker was ended because it no longer answered. */
  silences: number;
  filesDone: number;
  pagesDone: number;
  jobsDone: number;
  /** From the start of the last worker to its first answer. */
  helloMs: number;
}

export function noMetrics(): Metrics {
  return {
    commands: 0,
    events: 0,
    lostEvents: 0,
    unknownEvents: 0,
    badLines: 0,
    bytesRead: 0,
    bytesWritten: 0,
    restarts: 0,
    silences: 0,
    filesDone: 0,
    pagesDone: 0,
    jobsDone: 0,
    helloMs: 0,
  };
}
