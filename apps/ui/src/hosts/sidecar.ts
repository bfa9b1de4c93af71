/** An app whose page has the client itself, over whatever transport. */

import type { OcrSidecar } from '../../../../clients/typescript/src/index.js';
import type { Disk, Host, OcrJob } from '../model/host.js';

/** `client` is the name that the sidecar was started with: only its own jobs are offered to be taken up again. */
export function sidecarHost(sidecar: OcrSidecar, disk: Disk, client: string): Host {
  const listeners = new Set<(job: OcrJob) => void>();
  const tell = (job: OcrJob): OcrJob => {
    for (const listener of listeners) listener(job);
    return job;
  };
  return {
    disk,
    languages: sidecar.hello?.languages ?? [],
    onJob(listener) {
      listeners.add(listener);
      for (const job of sidecar.jobs.values()) listener(job);
      return () => listeners.delete(listener);
    },
    begin: (files, outputDir, options) => tell(sidecar.batch(files, outputDir, options)),
    interrupted: async () => (await sidecar.listJobs({ state: 'interrupted', client })).jobs,
    reopen: (jobId) => tell(sidecar.resume(jobId)),
  };
}
