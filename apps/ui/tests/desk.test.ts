/** The state behind the page, without a page. */

import { expect, test } from 'vitest';

import { Desk } from '../src/model/desk.js';
import { fileWords } from '../src/model/words.js';
import { FakeHost, summary } from './fake.js';

/** A desk whose pictures are drawn when the test says so. */
function set(host = new FakeHost()) {
  const kept = new Map<string, string>();
  const keep = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) };
  const frames: (() => void)[] = [];
  const make = (): Desk => new Desk(host, keep, (draw) => frames.push(draw));
  return { host, desk: make(), make, frames, draw: () => frames.splice(0).forEach((draw) => draw()) };
}

test('dropped folders become a batch beside the first file, with the options as they are chosen', async () => {
  const { host, desk } = set();
  desk.wish({ ...desk.view.wishes, languages: ['deu', 'eng'], outputs: [] });

  await desk.add(['/scans/a.pdf', '/more/']);

  expect(host.begun).toEqual([
    {
      files: ['/scans/a.pdf', '/more/1.png', '/more/2.png'],
      outputDir: '/scans/ocr',
      options: { languages: ['deu', 'eng'], outputs: ['pdf', 'txt', 'json'], existing_text: 'skip', on_existing: 'skip' },
    },
  ]);
  expect(desk.view.cards.map(({ title }) => title)).toEqual(['a.pdf and 2 more files']);
});

test('a folder of Windows gets its outputs beside the first file too', async () => {
  const { host, desk } = set();

  await desk.add(['C:\\scans\\a.pdf']);

  expect(host.begun[0]?.outputDir).toBe('C:\\scans\\ocr');
});

test('rows and bar tell of a job as it goes, drawn once however many events there are', async () => {
  const { host, desk, draw, frames } = set();
  await desk.add(['/a.pdf', '/b.pdf']);
  draw();

  host.done('/a.pdf');
  for (let page = 1; page <= 3; page++) host.progress('/b.pdf', page, 12, 40 + page);

  expect(frames).toHaveLength(1);
  draw();
  const [card] = desk.view.cards;
  expect(card?.percent).toBe(43);
  expect(card?.words).toBe('Reading: 1 of 2 files · 2 min left');
  expect(card?.files.map((file) => fileWords(card.state(file)))).toEqual(['done 96 %', 'page 3/12']);
});

test('files with trouble are listed by themselves, and say what it was', async () => {
  const { host, desk, draw } = set();
  await desk.add(['/a.pdf', '/b.pdf', '/c.pdf']);

  host.done('/a.pdf');
  host.done('/b.pdf', { status: 'failed', error: { code: 'encrypted', message: 'It needs a password', retryable: false } });
  host.done('/c.pdf', { status: 'completed_with_errors', failed_pages: [{ page: 2, code: 'timeout', error: '' }] });
  draw();

  const [card] = desk.view.cards;
  expect(card?.troubled.map((file) => fileWords(card.state(file)))).toEqual([
    'failed: It needs a password',
    'done, 1 page failed',
  ]);
  expect(card?.words).toContain('1 failed');
});

test('a job is paused, goes on, ends, says so and is cleared off', async () => {
  const { host, desk, draw } = set();
  await desk.add(['/a.pdf']);
  const { key } = desk.view.cards[0]!;

  await desk.steer(key, 'pause');
  draw();
  const paused = desk.view.cards[0]?.status;
  await desk.steer(key, 'resume');
  host.done('/a.pdf');
  host.end('completed');
  draw();

  expect(paused).toBe('paused');
  expect(host.steered).toEqual(['pause', 'resume']);
  expect(desk.view.cards[0]).toMatchObject({ status: 'completed', percent: 100, isOver: true });
  expect(desk.view.notice).toBe('Done: 1 of 1 file');
  desk.dismiss(key);
  expect(desk.view.cards).toEqual([]);
});

test('what the last end of the app interrupted is offered, and goes on as a job', async () => {
  const host = new FakeHost();
  host.left = [summary('old')];
  const { desk } = set(host);
  await expect.poll(() => desk.view.interrupted).toHaveLength(1);

  desk.reopen('old');

  expect(desk.view.interrupted).toEqual([]);
  expect(host.jobs[0]?.id).toBe('old');
  expect(desk.view.cards[0]?.title).toBe('a.pdf');
});

test('jobs that ran before the page was loaded are shown as they stand', () => {
  const host = new FakeHost();
  host.begin(['/a.pdf'], '/ocr', {});
  host.progress('/a.pdf', 5, 10, 50);

  const { desk } = set(host);

  expect(desk.view.cards[0]).toMatchObject({ percent: 50, status: 'running' });
});

test('what cannot be done is told in a notice, and so is a drop without files', async () => {
  const { host, desk } = set();
  host.refusal = new Error('The worker is gone');

  await desk.add(['/a.pdf']);
  const refused = desk.view.notice;
  await desk.add([]);

  expect(refused).toBe('The worker is gone');
  expect(desk.view.notice).toContain('no file to read');
  expect(desk.view.cards).toEqual([]);
});

test('options outlive the page', () => {
  const { desk, make } = set();

  desk.wish({ ...desk.view.wishes, languages: ['fra'], outputDir: '/out' });

  expect(make().view.wishes).toMatchObject({ languages: ['fra'], outputDir: '/out' });
});
