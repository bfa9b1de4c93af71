import { PythonShell } from 'python-shell';

import { args, commands, program, Tally } from './tally.mjs';
import { atLineFeeds } from './python-shell-lines.mjs';

const tally = new Tally();
const [dash, module] = args;
// The third argument: by itself it splits at the system's line ends, which on Windows are not the worker's.
const worker = new PythonShell(dash, { pythonPath: program, args: [module], mode: 'json' }, atLineFeeds());
worker.on('message', (event) => tally.take(event));
for (const line of commands.trim().split('\n')) worker.send(JSON.parse(line));
await new Promise((resolve, reject) => worker.end((error) => (error ? reject(error) : resolve())));
tally.tell();
