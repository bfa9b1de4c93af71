/** Files on their way to the service. */

import { expect, test } from 'vitest';

import { Tray, sendingWords } from '../src/model/tray.js';
import type { Send } from '../src/model/tray.js';

class NotThisOne extends Error {}

function tray(send: Send, takeBack: (upload: string) => void = () => undefined): Tray {
  return new Tray(send, (error) => error instanceof NotThisOne, takeBack, (draw) => draw());
}

function files(...names: string[]): File[] {
  return names.map((name) => new File(['12345'], name));
}

test('what is ticked is sent, three at a time; what is refused stays with its trouble', async () => {
  let [now, most] = [0, 0];
  const made = tray(async (file, sent) => {
    most = Math.max(most, ++now);
    await Promise.resolve();
    now -= 1;
    if (file.name === 'bad.pdf') throw new NotThisOne('No picture');
    sent(5);
    return `upload of ${file.name}`;
  });
  made.add(files('1.png', '2.png', 'bad.pdf', '3.png', 'not.png', '4.png'));
  made.tick(5, false);

  const uploads = await made.upload();

  expect(uploads).toEqual(['1.png', '2.png', '3.png', '4.png'].map((name) => `upload of ${name}`));
  expect(most).toBe(3);
  expect(made.view).toMatchObject({ on: 4, isSending: false, sentBytes: 20, bytes: 20 });
  made.drop(uploads);
  expect(made.view.chosen.map(({ file, trouble, isOn }) => [file.name, trouble, isOn])).toEqual([
    ['bad.pdf', 'No picture', false],
    ['not.png', undefined, false],
  ]);
});

test('sending that was stopped goes on without what has arrived', async () => {
  const sent: string[] = [];
  const made = tray(async ({ name }, _sent, stop) => {
    sent.push(name);
    if (name === '2.png' && sent.filter((one) => one === name).length === 1) made.stop();
    stop.throwIfAborted();
    return name;
  });
  made.add(files('1.png', '2.png'));

  await expect(made.upload()).rejects.toThrow();
  expect(made.view).toMatchObject({ on: 2, isSending: false });
  expect(sendingWords(made.view)).toBe('Sending 2 files: 50 % of 1 kB');

  expect(await made.upload()).toEqual(['1.png', '2.png']);
  expect(sent).toEqual(['1.png', '2.png', '2.png']);
});

test('a service that is away ends all of it, and the files stay', async () => {
  const made = tray(async () => {
    throw new TypeError('away');
  });
  made.add(files('1.png', '2.png'));

  await expect(made.upload()).rejects.toThrow('away');

  expect(made.view.chosen.map(({ isOn, trouble }) => [isOn, trouble])).toEqual([[true, undefined], [true, undefined]]);
});

test('what has arrived and is not wanted any more goes from the service', async () => {
  const gone: string[] = [];
  const made = tray(async ({ name }) => name, (upload) => gone.push(upload));
  made.add(files('1.png', '2.png'));
  made.tick(2, false);
  await made.upload();

  made.clear();

  expect(gone).toEqual(['1.png']);
  expect(made.view.chosen).toEqual([]);
});
