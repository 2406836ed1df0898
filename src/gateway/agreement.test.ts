import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../core/index.ts';
import { checkAgreement } from './agreement.ts';

const check = (texts: readonly string[], structuredContent?: JsonObject): void =>
  checkAgreement({
    content: texts.map((text) => ({ type: 'text', text })),
    ...(structuredContent === undefined ? {} : { structuredContent }),
  });

describe('content and structuredContent', () => {
  it.each([
    ['the same in another order', ['{"b":2,"a":1}'], { a: 1, b: 2 }],
    ['prose', ['It is sunny'], { weather: 'sunny' }],
    ['prose that begins like JSON', ['[note] it is sunny'], { weather: 'sunny' }],
    ['a list in its wrapping', ['[1,2]'], { result: [1, 2] }],
    ['nothing structured', ['{"a":1}'], undefined],
    ['no text', [], { a: 1 }],
  ])('agree: %s', (_title, texts, structured) => {
    expect(() => check(texts, structured)).not.toThrow();
  });

  it.each([
    ['another value', ['{"pay":"mallory"}'], { pay: 'alice' }],
    ['one of two', ['{"a":1}', '{"a":2}'], { a: 1 }],
    ['one key more', ['{"a":1,"b":2}'], { a: 1 }],
    ['another list', ['[1,3]'], { result: [1, 2] }],
  ])('do not agree: %s', (_title, texts, structured) => {
    expect(() => check(texts, structured)).toThrow('do not agree');
  });

  it('are not compared without end', () => {
    expect(() => check(['['.repeat(5_000_000)], { a: 1 })).toThrow('too much text');
  });
});
