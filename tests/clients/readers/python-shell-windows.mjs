// With Windows' line ends: what python-shell makes of three lines by itself, and with a splitter of ours.
import { once } from 'node:events';
import os from 'node:os';

import { PythonShell } from 'python-shell';

import { args, program } from './tally.mjs';
import { atLineFeeds } from './python-shell-lines.mjs';

Object.defineProperty(os, 'EOL', { value: '\r\n' });
const counts = [];
for (const splitter of [undefined, atLineFeeds()]) {
  const shell = new PythonShell(args[0], { pythonPath: program, args: args.slice(1), mode: 'text' }, splitter);
  let count = 0;
  shell.on('message', () => (count += 1));
  shell.end(() => undefined);
  await once(shell, 'close');
  counts.push(count);
}
console.log(JSON.stringify(counts));
