import { attach } from './api/rust/tauri-plugin-ocr-sidecar/guest-js/index.js';

const ocr = await attach();
for (const job of ocr.jobs.values()) show(job);
ocr.onJob(show);

await window.__TAURI__.event.listen('tauri://drag-drop', ({ payload }) => {
  const [first] = payload.paths;
  if (first) ocr.batch(payload.paths, first.replace(/[^/\\]*$/, 'ocr'), { languages: ['eng'] });
});
document.body.dataset.ready = '';

function show(job) {
  const [card] = document.querySelector('#job').content.cloneNode(true).children;
  const part = (name) => card.querySelector(name);
  for (const name of ['pause', 'resume', 'cancel']) {
    part(`[name=${name}]`).onclick = () => job[name]().catch((error) => (part('output').textContent = error.message));
  }
  job.subscribe(() => {
    card.dataset.status = job.status;
    part('progress').value = job.isOver && !job.error ? 100 : (job.progress?.percent ?? 0);
    part('output').textContent = job.error?.message ?? words(job);
    part('[name=pause]').disabled = job.status !== 'running';
    part('[name=resume]').disabled = job.status !== 'paused';
    part('[name=cancel]').disabled = job.isOver;
    part('ul').replaceChildren(...[...job.files.values()].map(row));
  });
  document.querySelector('#jobs').prepend(card);
}

function words({ status, progress }) {
  if (status !== 'running' || !progress) return status;
  return `page ${progress.current} of ${progress.total}`;
}

function row({ file, status, page, pageCount, done }) {
  const li = document.createElement('li');
  const of = pageCount ? ` page ${page ?? 1} of ${pageCount}` : '';
  const sure = done?.confidence === undefined ? '' : `, ${Math.round(done.confidence)} %`;
  const texts = [file.replace(/^.*[/\\]/, ''), done ? `${status}${sure}` : `${status}${of}`];
  li.append(...texts.map((text) => Object.assign(document.createElement('span'), { textContent: text })));
  li.dataset.status = status;
  return li;
}
