// What a reader has understood of a worker's session, for tests/clients/test_readers.py to hold against what was sent.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export const [program, ...args] = JSON.parse(process.env.OCR_READ_WORKER);
export const commands = readFileSync(process.env.OCR_READ_COMMANDS ?? '/dev/null', 'utf8');

export class Tally {
  events = 0;
  last = 0;
  gaps = 0;
  names;

  take(event) {
    this.events += 1;
    if (event.seq !== this.last + 1) this.gaps += 1;
    this.last = event.seq;
    if (event.data.kind !== 'batch') return;
    const names = event.data.failed.map(({ file }) => file).sort();
    this.names = createHash('sha256').update(JSON.stringify(names)).digest('hex');
  }

  tell() {
    const { events, gaps, names } = this;
    console.log(JSON.stringify({ events, gaps, names }));
  }
}
