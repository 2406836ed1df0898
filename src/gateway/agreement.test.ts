import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../core/index.ts';
import type { ToolOutput } from '../gate/index.ts';
import { checkAgreement } from './agreement.ts';

const check = (texts: readonly string[], structuredContent?: JsonObject): void =>
  checkAgreement({
    content: texts.map((text) => ({ type: 'text', text })),
    ...(structuredContent === undefined ? {} : { structuredContent }),
  });

function deep(levels: number): JsonObject {
  let value: JsonObject = {};
  for (let level = 0; level < levels; level++) value = { a: value };
  return value;
}

describe('content and structuredContent', () => {
  it.each([
    ['the same in another order', ['{"b":2,"a":1}'], { a: 1, b: 2 }],
    ['prose', ['It is sunny'], { weather: 'sunny' }],
    ['prose that begins like JSON', ['[note] it is sunny'], { weather: 'sunny' }],
    ['a list in its wrapping', ['[1,2]'], { result: [1, 2] }],
    ['nothing structured', ['{"a":1}'], undefined],
    ['no text', [], { a: 1 }],
    ['behind a byte order mark', ['\ufeff{"a":1}'], { a: 1 }],
    ['a simple value in its wrapping', ['5'], { result: 5 }],
    ['a text in its wrapping', ['5'], { result: '5' }],
    ['a text that is JSON, in its wrapping', ['{"a":1}'], { result: '{"a":1}' }],
    ['a file of JSON as a text', ['{"a":1}\n'], { content: '{"a":1}\n' }],
    ['a list as a text for each item', ['{"a":1}', 'two', '3'], { result: [{ a: 1 }, 'two', 3] }],
    ['JSON and prose', ['{"a":1}', 'that was all'], { a: 1 }],
    ['JSON cut in two', ['{"a":', '1}'], { a: 1 }],
    ['a number that stands beside a form', ['5'], { count: 5, unit: 'kg' }],
    ['joined emoji', ['{"a":"👩\u200d💻"}'], { a: '👩\u200d💻' }],
    ['null in its wrapping', ['null'], { result: null }],
  ])('agree: %s', (_title, texts, structured) => {
    expect(() => check(texts, structured)).not.toThrow();
  });

  it.each([
    ['another value', ['{"pay":"mallory"}'], { pay: 'alice' }],
    ['one of two', ['{"a":1}', '{"a":2}'], { a: 1 }],
    ['one key more', ['{"a":1,"b":2}'], { a: 1 }],
    ['another list', ['[1,3]'], { result: [1, 2] }],
    ['another one behind a byte order mark', ['\ufeff{"pay":"mallory"}'], { pay: 'alice' }],
    ['another one behind what is taken out later', ['\u200b{\u200b"pay":"mallory"}'], { pay: 'alice' }],
    ['another simple value', ['6'], { result: 5 }],
    ['another text that is a simple value', ['"mallory"'], { result: 'alice' }],
    ['true for false', ['true\n'], { result: false }],
    ['a text beside the form', ['{"pay":"mallory"}'], { pay: 'alice', note: '{"pay":"mallory"}' }],
    ['wrapped by another name', ['[1,2]'], { whatever: [1, 2] }],
    ['an item that is another one', ['1', '3'], { result: [1, 2] }],
    ['one item too many', ['1', '2', '3'], { result: [1, 2] }],
    ['another one, cut in two', ['{"pay":', '"mallory"}'], { pay: 'alice' }],
  ])('do not agree: %s', (_title, texts, structured) => {
    expect(() => check(texts, structured)).toThrow('do not agree');
  });

  it.each([
    ['a key twice', ['{"pay":"alice","pay":"mallory"}'], { pay: 'mallory' }],
    ['a key that objects have', ['{"__proto__":{"a":1}}'], {}],
    ['depth', ['['.repeat(70_000)], { a: 1 }],
    ['depth in the structured form', ['x'], deep(70_000)],
  ])('are refused for %s', (_title, texts, structured) => {
    expect(() => check(texts, structured)).toThrow(expect.objectContaining({ code: 'RESULT_MALFORMED' }));
  });

  it.each([
    [{ text: '{"pay":"mallory"}', mimeType: 'application/json' }],
    [{ text: '{"pay":"mallory"}', mimeType: 'Application/JSON; charset=utf-8' }],
    [{ text: '{"pay":"mallory"}', mimeType: 'application/pay+json' }],
    [{ blob: Buffer.from('{"pay":"mallory"}').toString('base64'), mimeType: 'application/json' }],
  ])('do not agree in an embedded resource: %j', (resource) => {
    const piece = { type: 'resource', resource: { uri: 'x:y', ...resource } } as const;
    const output = (pay: string): ToolOutput => ({ content: [piece], structuredContent: { pay } });
    expect(() => checkAgreement(output('alice'))).toThrow('do not agree');
    expect(() => checkAgreement(output('mallory'))).not.toThrow();
  });

  it('do not agree where a resource stands between two halves', () => {
    const between = { type: 'resource', resource: { uri: 'x:y', text: '1', mimeType: 'application/json' } } as const;
    const content = [{ type: 'text', text: '{"pay":' }, between, { type: 'text', text: '"mallory"}' }] as const;
    expect(() => checkAgreement({ content, structuredContent: { pay: 'alice' } })).toThrow('do not agree');
  });

  it('are not compared without end', () => {
    expect(() => check(['['.repeat(5_000_000)], { a: 1 })).toThrow('too much text');
  });
});
