import { Transform } from 'node:stream';

/** A line a chunk, split at LF alone. */
export function atLineFeeds() {
  let rest = '';
  return new Transform({
    readableObjectMode: true,
    transform(chunk, _, done) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      for (const line of lines) this.push(line);
      done();
    },
  });
}
