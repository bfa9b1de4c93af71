// tesseract.js over a list of images, with as many workers as it is given: a PDF and a text file for each.
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join } from 'node:path';

import { createScheduler, createWorker } from 'tesseract.js';

const LSTM_ONLY = 1;
const [jobs, outputDir, ...files] = process.argv.slice(2);
// From a package, not from the network, as it would by itself.
const data = createRequire(import.meta.url).resolve('@tesseract.js-data/eng/4.0.0_best_int/eng.traineddata.gz');

const scheduler = createScheduler();
for (let worker = 0; worker < Number(jobs); worker += 1) {
  scheduler.addWorker(await createWorker('eng', LSTM_ONLY, { langPath: dirname(data), cacheMethod: 'none' }));
}
await Promise.all(files.map(read));
await scheduler.terminate();

async function read(file) {
  const { data: found } = await scheduler.addJob('recognize', file, {}, { text: true, pdf: true });
  const stem = join(outputDir, basename(file, extname(file)));
  await writeFile(`${stem}.txt`, found.text);
  await writeFile(`${stem}.pdf`, Uint8Array.from(found.pdf));
}
