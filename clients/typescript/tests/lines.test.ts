import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { OcrError } from '../src/index.js';
import { LineReader, readEvent, writeCommand } from '../src/lines.js';
import { ROOT } from './support.js';

const MIB = 2 ** 20;

function linesOf(chunks: (Uint8Array | string)[], most = MIB): (string | null)[] {
  const reader = new LineReader(most);
  return [...chunks.flatMap((chunk) => [...reader.feed(chunk)]), ...reader.finish()];
}

function refusal(act: () => unknown): OcrError {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof OcrError);
    return error;
  }
  return assert.fail('nothing was refused');
}

test('lines are the same wherever their bytes are split', () => {
  const bytes = Buffer.from('\ufeff{"a":"ü€😀"}\r\n\n \r\n{"b":"\\u2028"}\n{"c":1}');
  const whole = linesOf([bytes]);

  assert.deepEqual(whole, ['{"a":"ü€😀"}', '{"b":"\\u2028"}', '{"c":1}']);
  for (let at = 0; at <= bytes.length; at += 1) {
    assert.deepEqual(linesOf([bytes.subarray(0, at), bytes.subarray(at)]), whole);
  }
  assert.deepEqual(linesOf([...bytes].map((byte) => Uint8Array.of(byte))), whole);
});

test('a line that is too long is dropped, and the next is read', () => {
  assert.deepEqual(linesOf(['1234', '5678\n', 'ok\n'], 6), [null, 'ok']);
});

test('every vector has as many lines as outcomes, however it is split', () => {
  const vectors = new URL('protocol/vectors/', ROOT);
  for (const kind of ['valid/', 'invalid/']) {
    for (const name of readdirSync(new URL(kind, vectors))) {
      const file = readFileSync(new URL(kind + name, vectors));
      const head = file.indexOf(0x0a);
      const { outcomes, generate } = JSON.parse(file.subarray(0, head).toString()) as Vector;
      const made = generate?.map(([text, times]) => text.repeat(times)).join('');
      const stream = made === undefined ? file.subarray(head + 1) : Buffer.from(made);

      assert.equal(linesOf([stream], 8 * MIB).length, outcomes.length, name);
      if (stream.length < MIB) {
        assert.equal(linesOf([...stream].map((byte) => Uint8Array.of(byte))).length, outcomes.length, name);
      }
    }
  }
});

test('what a later version says is unknown, and what is no event is none', () => {
  const kind = readEvent('{"type":"info","seq":1,"data":{"kind":"brewing"}}');
  const type = readEvent('{"type":"rumour","data":1}');

  assert.deepEqual(kind, { type: 'unknown', event: { type: 'info', seq: 1, data: { kind: 'brewing' } } });
  assert.deepEqual(type, { type: 'unknown', event: { type: 'rumour', data: 1 } });
  for (const line of ['', '{', '[]', 'null', '1', '{"type":1}', '{"type":"info"}', '{"type":"progress","data":null}']) {
    assert.equal(readEvent(line), undefined, line);
  }
});

test('what the worker could not answer by id is refused before it is sent', () => {
  const half = refusal(() => writeCommand({ command: 'inspect', file: '/a\ud800b' }, MIB));
  const key = refusal(() => writeCommand(batch({ passwords: { '\udfff': 'x' } }), MIB));
  const number = refusal(() => writeCommand(batch({ dpi: NaN }), MIB));
  const large = refusal(() => writeCommand({ command: 'ping', id: 2 ** 53 }, MIB));

  assert.deepEqual([half.code, half.details], ['invalid_params', { field: 'file' }]);
  assert.deepEqual([key.code, number.code, large.code], Array(3).fill('invalid_params'));
  assert.equal(writeCommand({ command: 'inspect', file: '/😀' }, MIB), '{"command":"inspect","file":"/😀"}\n');
});

test('a line may be as long as the worker reads, in bytes, and no longer', () => {
  const line = '{"command":"inspect","file":"/€"}';
  const bytes = Buffer.byteLength(line);

  assert.equal(writeCommand({ command: 'inspect', file: '/€' }, bytes), `${line}\n`);
  assert.equal(refusal(() => writeCommand({ command: 'inspect', file: '/€' }, bytes - 1)).code, 'line_too_long');
});

interface Vector {
  outcomes: unknown[];
  generate?: [string, number][];
}

function batch(options: object): Parameters<typeof writeCommand>[0] {
  return { command: 'ocr_batch', files: ['/a'], output_dir: '/out', options };
}
