#!/usr/bin/env node
/** `npx ocr-worker …`: the worker's own command line, with this terminal and its exit code. */

import { spawn } from 'node:child_process';

import { workerPath } from './index.js';

let path;
try {
  path = workerPath();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
const child = spawn(path, process.argv.slice(2), { stdio: 'inherit', windowsHide: true });
// Ctrl-C reaches the worker by itself, and it decides when it ends.
process.on('SIGINT', () => undefined);
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`Cannot start ${path}: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
