import { execa } from 'execa';

import { args, commands, program, Tally } from './tally.mjs';

const tally = new Tally();
// Else it keeps all that the worker says, up to 100 million characters, and ends the worker there.
const worker = execa(program, args, { buffer: false, input: commands, stderr: 'inherit' });
for await (const line of worker) tally.take(JSON.parse(line));
await worker;
tally.tell();
