/** Write the command of every valid vector as this client does, for Python to read: a line each, or why it is refused. */

import { OcrError } from '../src/index.js';
import { writeCommand } from '../src/lines.js';
import { commands } from './made/vectors.js';

for (const command of commands) {
  try {
    process.stdout.write(writeCommand(command, 2 ** 23));
  } catch (error) {
    if (!(error instanceof OcrError)) throw error;
    process.stdout.write(`${JSON.stringify({ refused: error.details })}\n`);
  }
}
