import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pathBytes } from '../src/index.js';
import { wirePath } from '../src/paths.js';

test('relative paths become absolute, others stay as they are', () => {
  assert.equal(wirePath('a b.png', '/home/ada'), '/home/ada/a b.png');
  assert.equal(wirePath('./x/../a.png', '/'), '/x/../a.png');
  assert.equal(wirePath('/a.png', '/home'), '/a.png');
  assert.equal(wirePath('file:///a%FF', '/home'), 'file:///a%FF');
  assert.equal(wirePath('C:\\scans\\a.png', 'D:\\app'), 'C:\\scans\\a.png');
  assert.equal(wirePath('a.png', 'D:\\app'), 'D:\\app\\a.png');
  assert.equal(wirePath('C:\\a.png', '/home'), '/home/C:\\a.png');
  assert.equal(wirePath(new URL('file:///tmp/a%20b.png')), 'file:///tmp/a%20b.png');
});

test('where no folder is known, a relative path is refused by name', () => {
  assert.throws(() => wirePath('scans/a.png'), { code: 'invalid_params', message: /scans\/a\.png/ });
  assert.throws(() => wirePath(new URL('https://example.org/a.png')), { code: 'invalid_params' });
});

test('bytes that are not UTF-8 are written as a URI and read back as they were', () => {
  const name = Uint8Array.of(0x2f, 0x61, 0x20, 0xff, 0x25, 0xc3, 0xbc);

  const uri = wirePath(name);

  assert.equal(uri, 'file:///a%20%FF%25%C3%BC');
  assert.deepEqual(pathBytes(uri), name);
  assert.equal(wirePath(name.subarray(1), '/home/ü'), 'file:///home/%C3%BC/a%20%FF%25%C3%BC');
  assert.equal(wirePath(new TextEncoder().encode('/ü.png')), '/ü.png');
  assert.deepEqual(pathBytes('/100%25.png'), new TextEncoder().encode('/100%25.png'));
});
