import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { equalBytes, hmacSha256Hex, newId, randomBytes } from './index.ts';

test('hmacSha256Hex: RFC 4231 test cases 1, 2 and 6', () => {
  const hmac = (key: Buffer, text: string) => hmacSha256Hex(key, Buffer.from(text));
  expect(hmac(Buffer.alloc(20, 0x0b), 'Hi There')).toBe(
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  );
  expect(hmac(Buffer.from('Jefe'), 'what do ya want for nothing?')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
  const long = 'Test Using Larger Than Block-Size Key - Hash Key First';
  expect(hmac(Buffer.alloc(131, 0xaa), long)).toBe('60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54');
});

test('hmacSha256Hex agrees with node:crypto', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ maxLength: 300 }), (key, data) => {
      expect(hmacSha256Hex(key, data)).toBe(createHmac('sha256', key).update(data).digest('hex'));
    }),
  );
});

test('random bytes do not repeat over pages, and a holder cannot reach those of another', () => {
  const seen = new Set<string>();
  for (let round = 0; round < 2_000; round++) {
    const bytes = randomBytes(16);
    expect(bytes.buffer.byteLength === bytes.length || !seen.has(bytes.toString('hex'))).toBe(true);
    seen.add(bytes.toString('hex'));
    bytes.fill(0);
  }
  expect(seen.size).toBe(2_000);
  expect(randomBytes(10_000)).toHaveLength(10_000);
  expect(newId('x')).toMatch(/^x_[A-Za-z0-9_-]{22}$/);
});

test('equalBytes', () => {
  expect([equalBytes(Buffer.from('ab'), Buffer.from('ab')), equalBytes(Buffer.from('ab'), Buffer.from('abc'))]).toEqual(
    [true, false],
  );
});
