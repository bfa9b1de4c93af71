/** A host that is killed in the middle of a batch: `doomed-host.js STATE_DIR`. Says "reading" when pages are in work. */

import { join } from 'node:path';

import { OcrSidecar } from '../src/index.js';
import { IN, realWorker } from './support.js';

const stateDir = process.argv[2] as string;
const sidecar = await OcrSidecar.start({ transport: realWorker(), stateDir });
const job = sidecar.batch([join(IN, 'long.pdf')], `${stateDir}-out`);
for await (const event of job) if (event.type === 'progress' && event.data.page !== undefined) break;
process.stdout.write('reading\n');
await job.result;
