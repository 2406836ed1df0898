import { expect, test } from 'vitest';
import { checkMedia } from './media.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

test.each([
  ['image/png', '\x89PNG\r\n\x1a\n....', 'match'],
  ['IMAGE/PNG; charset=binary', '\x89PNG\r\n\x1a\n....', 'match'],
  ['image/jpg', '\xff\xd8\xff\xe0', 'match'],
  ['image/png', 'GIF89a', 'mismatch'],
  ['image/png', '<script>alert(1)</script>', 'mismatch'],
  ['image/x-unheard-of', '#!/bin/sh', 'mismatch'],
  ['image/x-unheard-of', '\x7fELF', 'mismatch'],
  ['text/plain', '\x89PNG\r\n\x1a\n....', 'mismatch'],
  ['image/x-unheard-of', 'whatever', 'unknown'],
  ['application/octet-stream', '\x89PNG\r\n\x1a\n....', 'unknown'],
  ['image/png', '', 'mismatch'],
] as const)('%s with %j: %s', (type, content, expected) => {
  expect(checkMedia(type, bytes(content))).toBe(expected);
});
