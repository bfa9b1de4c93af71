import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { args, commands, program, Tally } from './tally.mjs';

const tally = new Tally();
const worker = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
worker.stdin.end(commands);
for await (const line of createInterface({ input: worker.stdout })) tally.take(JSON.parse(line));
tally.tell();
