/** The golden sessions and the invalid vectors, played by the real worker and read as this client reads. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import type { ErrorEvent, Event } from '../src/index.js';
import { LineReader, readEvent } from '../src/lines.js';
import { folder, IN, ROOT, worker } from './support.js';
import { matches, replay } from './transcripts.js';
import type { Json, Session, Step } from './transcripts.js';

const TRANSCRIPTS = new URL('protocol/transcripts/', ROOT);
const INVALID = new URL('protocol/vectors/invalid/', ROOT);

/** A worker of its own; every event must be one that the types know, counted 1, 2, 3. */
function start(t: TestContext): Session & { write(bytes: Uint8Array): void } {
  const { command, args } = worker();
  const env = { ...process.env, OCR_WORKER_STATE_DIR: join(folder(t), 'state') };
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
  t.after(() => child.kill('SIGKILL'));
  const closed = once(child, 'close');
  const events = read(child.stdout);
  return {
    send: (line) => void child.stdin.write(line),
    write: (bytes) => void child.stdin.write(bytes),
    receive: async () => (await events.next()).value as Json | undefined,
    end: () => child.stdin.end(),
    exitCode: async () => (await closed)[0],
  };
}

async function* read(stdout: AsyncIterable<Buffer>): AsyncGenerator<Event, undefined> {
  const reader = new LineReader(2 ** 20);
  let seq = 0;
  for await (const chunk of stdout) {
    for (const line of reader.feed(chunk)) {
      const event = readEvent(line as string);
      assert.ok(event && event.type !== 'unknown', line as string);
      assert.equal(event.seq, (seq += 1));
      yield event;
    }
  }
  return undefined;
}

for (const name of readdirSync(TRANSCRIPTS).filter((file) => file.endsWith('.jsonl'))) {
  test(`the worker plays the golden session ${name}`, async (t) => {
    const steps = readFileSync(new URL(name, TRANSCRIPTS), 'utf8').trimEnd().split('\n');

    await replay(steps.map((line) => JSON.parse(line) as Step), start(t), { in: IN, out: join(folder(t), 'out') });
  });
}

test('patterns match what their README says', () => {
  const bound = new Map([['in', '/in']]);

  assert.ok(matches({ a: 1, b: [{ $any: 'integer' }], c: '${in}/x', d: { $absent: true } }, { a: 1, b: [2], c: '/in/x', e: 0 }, bound));
  assert.ok(matches(['${job}', '${job}'], ['j', 'j'], new Map()));
  for (const [pattern, value] of [[1, true], [[1], [1, 2]], [{ $any: 'integer' }, 0.5], [{ $any: 'number' }, true], [{ $absent: true }, null], [['${job}', '${job}'], ['j', 'k']]] as [Json, Json][]) {
    assert.ok(!matches(pattern, value, new Map()), JSON.stringify([pattern, value]));
  }
});

test('the worker refuses every invalid vector with the error that it states', async (t) => {
  const session = start(t);
  const expected: [string, Json][] = [];
  for (const name of readdirSync(INVALID)) {
    const { stream, outcomes } = readVector(readFileSync(new URL(name, INVALID)));
    // One stream for all: a byte order mark is ignored on its first line alone, and no command may be carried out.
    if (stream.subarray(0, 3).equals(Buffer.of(0xef, 0xbb, 0xbf)) || outcomes.some((one) => !one.error)) continue;
    session.write(Buffer.concat([stream, Buffer.from('\n')]));
    for (const { error } of outcomes) {
      const { code, id, command, field, message } = error as { [name: string]: Json };
      const or = (value: Json | undefined): Json => value ?? { $absent: true };
      const data = { code: code as Json, ...(message !== undefined && { message }), details: field === undefined ? { $any: 'object' } : { field } };
      expected.push([name, { type: 'error', id: or(id), command: or(command), data }]);
    }
  }
  session.end();

  assert.ok(expected.length > 200);
  for (const [name, pattern] of expected) {
    const event = (await session.receive()) as unknown as ErrorEvent;
    assert.ok(matches(pattern, event as unknown as Json, new Map()), `${name}: ${JSON.stringify(event)}`);
  }
  assert.equal(await session.receive(), undefined);
});

function readVector(file: Buffer): { stream: Buffer; outcomes: { error?: Json }[] } {
  const head = file.indexOf(0x0a);
  const { outcomes, generate } = JSON.parse(file.subarray(0, head).toString());
  const made = (generate as [string, number][] | undefined)?.map(([text, times]) => text.repeat(times)).join('');
  return { stream: made === undefined ? file.subarray(head + 1) : Buffer.from(made), outcomes };
}
