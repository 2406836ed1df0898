import { expect, test } from 'vitest';
import { escapeForTerminal, quoteForMessage } from './index.ts';

test.each([
  ['\u001b[31mred', '\\u{1b}[31mred'],
  ['a\nb\rc\td', 'a\\u{a}b\\u{d}c\\u{9}d'],
  ['\u202egnp.exe', '\\u{202e}gnp.exe'],
  ['a\u200bb', 'a\\u{200b}b'],
  ['\u{e0041}', '\\u{e0041}'],
  ['\ufe0f', '\\u{fe0f}'],
  ['\u009b31m', '\\u{9b}31m'],
  ['plain äöü 日本語 😀', 'plain äöü 日本語 😀'],
  ['\ud800', '\ufffd'],
])('escapeForTerminal(%j)', (text, safe) => {
  expect(escapeForTerminal(text)).toBe(safe);
});

test('quoteForMessage caps and quotes', () => {
  expect(quoteForMessage('a"b', 10)).toBe('"a\\"b"');
  expect(quoteForMessage('x'.repeat(20), 5)).toBe('"xxxxx…"');
});
