/** What must compile, and what must not. Nothing here is run. */

import type { BatchData, Command, Event, FileDone, Job, OcrSidecar } from '../src/index.js';

export function narrow(ev: Event): unknown {
  switch (ev.type) {
    case 'progress': {
      const percent: number = ev.data.percent;
      // @ts-expect-error a misspelt field
      const typo = ev.data.percnt;
      // @ts-expect-error the file may be absent
      const file: string = ev.data.file;
      return [percent, typo, file, ev.seq.toFixed(), ev.job_id.length];
    }
    case 'result': {
      // @ts-expect-error only a batch has a status
      const status = ev.data.status;
      return ev.data.kind === 'batch' ? [ev.data.status satisfies BatchData['status'], ev.data.successful?.length] : status;
    }
    case 'info': {
      if (ev.data.kind === 'file_done') return ev.data satisfies FileDone;
      // @ts-expect-error no such kind
      if (ev.data.kind === 'file_don') return 0;
      return ev.data.kind === 'pause' ? ev.data.jobs : ev.data.message;
    }
    case 'error': {
      if (ev.data.code === 'no_space') return ev.data.retryable;
      // @ts-expect-error no such code
      return ev.data.code === 'no_spaces';
    }
    case 'unknown':
      return ev.event.type;
    default:
      return ev satisfies never;
  }
}

const files: string[] = ['a.png'];
export const commands: Command[] = [
  { command: 'ocr_batch', files, output_dir: '/out', options: { languages: ['eng'], deskew: true, dpi: 300 } },
  { command: 'hello', protocol: [1], client: { name: 'app' } },
  // @ts-expect-error an unknown option
  { command: 'ocr_batch', files, output_dir: '/out', options: { language: 'eng' } },
  // @ts-expect-error a needed field is missing
  { command: 'ocr_batch', files },
  // @ts-expect-error an unknown command
  { command: 'ocr_bach', files, output_dir: '/out' },
];

export async function use(sidecar: OcrSidecar): Promise<void> {
  const job: Job = sidecar.batch(files, '/out', { outputs: ['pdf'] }, { signal: AbortSignal.timeout(1000) });
  for await (const event of job) narrow(event);
  const result: BatchData = await job.result;
  const state: string = (await sidecar.ask({ command: 'ping' })).state;
  // @ts-expect-error what answers a ping has no jobs
  const jobs = (await sidecar.ask({ command: 'ping' })).jobs;
  // @ts-expect-error only outputs that there are
  sidecar.batch(files, '/out', { outputs: ['docx'] });
  void [result, state, jobs];
}
