import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SallyportError } from '../core/index.ts';
import { addToJson, readJson, removeFromJson } from './host-json.ts';

const PATH = ['mcpServers', 'sallyport'] as const;
const ENTRY = { command: '/n', args: ['a'] };
const add = (text: string): string => addToJson(text, 'jsonc', PATH, ENTRY);
const remove = (text: string): string => removeFromJson(text, 'jsonc', 'mcpServers', 'sallyport');
const codeOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    return error instanceof SallyportError ? error.code : String(error);
  }
  return 'none';
};

describe('addToJson', () => {
  test('keeps every comment at its place, and the trailing comma', () => {
    const text = '{\n\t// one\n\t"mcpServers": {\n\t\t"a": {}, // two, "x": {\n\t\t/* three */\n\t}\n\t// four\n}\n';
    expect(add(text)).toBe(
      '{\n\t// one\n\t"mcpServers": {\n\t\t"a": {}, // two, "x": {\n\t\t/* three */\n\t\t"sallyport": {\n\t\t\t"command": "/n",\n\t\t\t"args": [\n\t\t\t\t"a"\n\t\t\t]\n\t\t},\n\t}\n\t// four\n}\n',
    );
    expect(remove(add(text))).toBe(text);
  });

  test.each([
    [
      '{}',
      '{\n  "mcpServers": {\n    "sallyport": {\n      "command": "/n",\n      "args": [\n        "a"\n      ]\n    }\n  }\n}',
    ],
    [
      '',
      '{\n  "mcpServers": {\n    "sallyport": {\n      "command": "/n",\n      "args": [\n        "a"\n      ]\n    }\n  }\n}\n',
    ],
  ])('writes into %j', (text, expected) => {
    expect(add(text)).toBe(expected);
  });

  test.each([
    '{"mcpServers":{}}',
    '{"mcpServers":{"a":{}}}',
    '{"a":1}',
    '{ // c\n}',
    '{"a":1 // c\n}',
    '{"a":1, // c\n}',
    '{"mcpServers":{"a":{} /* , */ }}',
    '{"mcpServers":{"a":{} /* c */ , /* d */ }}',
    '{\r\n    "mcpServers": {\r\n        "a": {}\r\n    }\r\n}\r\n',
    '{"__proto__":{"x":1},"constructor":2}',
  ])('reads back what was added, and nothing else differs: %j', (text) => {
    const before = readJson(text, 'jsonc');
    const servers = before['mcpServers'];
    expect(JSON.stringify(readJson(add(text), 'jsonc'))).toBe(
      JSON.stringify({ ...before, mcpServers: { ...(servers as object | undefined), sallyport: ENTRY } }),
    );
  });

  test('line breaks and indentation are those of the file', () => {
    const text = '{\r\n    "mcpServers": {\r\n        "a": {}\r\n    }\r\n}\r\n';
    expect(add(text)).not.toMatch(/[^\r]\n/);
    expect(add(text)).toContain('\r\n        "sallyport": {\r\n            "command"');
    expect(remove(add(text))).toBe(text);
  });

  test('any object: add and remove give back the same value, and every comment stays', () => {
    const key = fc.string({ maxLength: 5 });
    const file = fc.record({ other: fc.jsonValue(), mcpServers: fc.dictionary(key, fc.jsonValue(), { maxKeys: 4 }) });
    const comments = fc.constantFrom('', '// c, }\n', '/* , { */');
    const check = (value: object, indent: number, comment: string): void => {
      const text = JSON.stringify(value, null, indent).replaceAll(
        /(?<=[{,]\n?)(?= *"(?:other|mcpServers)":)/g,
        comment,
      );
      const added = add(text);
      expect(added.split('c, }').length).toBe(text.split('c, }').length);
      expect(readJson(remove(added), 'jsonc')).toEqual(readJson(remove(text), 'jsonc'));
    };
    fc.assert(fc.property(file, fc.integer({ min: 0, max: 4 }), comments, check), { numRuns: 300 });
  });
});

describe('readJson', () => {
  test.each([
    ['{"a":1,"a":2}', 'jsonc'],
    ['{"mcpServers":{"sallyport":1,"sallyport":2}}', 'json'],
    ['{"a":1} x', 'jsonc'],
    ['[1]', 'jsonc'],
    ['{"a":', 'jsonc'],
    ['{"a":1,}', 'json'],
    ['{} // c', 'json'],
    [`${'['.repeat(100_000)}`, 'jsonc'],
    [`{"a":${'['.repeat(300)}${']'.repeat(300)}}`, 'jsonc'],
  ] as const)('refuses %.40s as %s', (text, format) => {
    expect(codeOf(() => readJson(text, format))).toBe('CONNECT_SYNTAX');
  });
});
