/** What is said to the user: of a file, of a job, of time. */

import type { FileState, OcrJob } from './host.js';

export function nameOf(path: string): string {
  return path.replace(/[/\\]+$/, '').replace(/^.*[/\\]/, '') || path;
}

export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

export function fileWords({ status, page, pageCount, done }: FileState, name = ''): string {
  switch (status) {
    case 'waiting':
      return 'waiting';
    case 'working':
      if (page === undefined) return pageCount === undefined ? 'opening' : plural(pageCount, 'page');
      return pageCount === undefined ? `page ${page}` : `page ${page}/${pageCount}`;
    case 'completed':
      return done?.confidence === undefined ? 'done' : `done ${Math.round(done.confidence)} %`;
    case 'completed_with_errors':
      return `done, ${plural(done?.failed_pages?.length ?? 0, 'page')} failed`;
    case 'skipped':
      return `skipped: ${done?.reason || 'nothing to do'}`;
    case 'failed':
      return `failed: ${withoutName(done?.error?.message ?? done?.message ?? 'for an unknown reason', name)}`;
  }
}

/** What is said of a file beside its name, where there is little room. */
export function withoutName(said: string, name: string): string {
  return name !== '' && said.startsWith(`${name} `) ? `it${said.slice(name.length)}` : said;
}

/** The English name of a language of Tesseract; undefined where its code says more than that, or something else. */
export function languageName(code: string): string | undefined {
  return /^[a-z]{3}$/.test(code) ? new Intl.DisplayNames('en', { type: 'language', fallback: 'none' }).of(code) : undefined;
}

/** What comes before the first place of some words, the place as it is written there, and the rest. */
export function around(text: string, words: string): [string, string, string] {
  const wanted = words.trim().split(/\s+/).join(' ').toLowerCase();
  const at = text.toLowerCase().indexOf(wanted);
  return at < 0 ? [text, '', ''] : [text.slice(0, at), text.slice(at, at + wanted.length), text.slice(at + wanted.length)];
}

export function timeLeft(seconds: number): string {
  if (seconds < 50) return `${Math.max(5, Math.ceil(seconds / 5) * 5)} s left`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min left`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

export function rate(pagesPerSecond: number): string {
  return pagesPerSecond < 0.95 ? `${plural(Math.round(pagesPerSecond * 60), 'page')} a minute` : `${pagesPerSecond.toFixed(1)} pages a second`;
}

/** What is said, and at every other place what is set apart in it: an option, or a command. */
export function parts(said: string): string[] {
  const found = said.split('`');
  // One without its partner is part of a name.
  return found.length % 2 === 1 ? found : [...found.slice(0, -2), found.slice(-2).join('`')];
}

/** What is said where nothing can be set apart. */
export function plain(said: string): string {
  return parts(said).join('');
}

export interface Tally {
  readonly ended: number;
  readonly failed: number;
}

/** One line beside the bar. */
export function jobWords(job: OcrJob, { ended, failed }: Tally): string {
  const { status, progress, error, files } = job;
  if (error) return error.message;
  const of = `${ended.toLocaleString('en')} of ${plural(files.size, 'file')}`;
  const parts = [`${STATUS[status]}: ${of}`];
  if (failed > 0) parts.push(`${failed.toLocaleString('en')} failed`);
  if (status === 'running' && progress?.pages_per_second) parts.push(rate(progress.pages_per_second));
  if (status === 'running' && progress?.eta_seconds !== undefined) parts.push(timeLeft(progress.eta_seconds));
  return parts.join(' · ');
}

const STATUS: Readonly<Record<OcrJob['status'], string>> = {
  waiting: 'Waiting',
  running: 'Reading',
  paused: 'Paused',
  completed: 'Done',
  cancelled: 'Cancelled',
  stopped: 'Stopped after too many errors',
  error: 'Failed',
  interrupted: 'Interrupted',
};
