import { describe, expect, it } from 'vitest';
import { compileSchema, type JsonObject } from '../core/index.ts';
import { checkOutput } from './check-output.ts';
import type { ToolOutput } from './tool.ts';

const NONE = { outputSchemas: [] };
const text = (...texts: readonly string[]): ToolOutput['content'] => texts.map((one) => ({ type: 'text', text: one }));
const check =
  (output: ToolOutput, outputSchemas: readonly JsonObject[] = []) =>
  (): void =>
    checkOutput(output, null, { outputSchemas });
const checkDeclared = (output: ToolOutput) => (): void => checkOutput(output, compileSchema({ type: 'object' }), NONE);

describe('texts beside a structure', () => {
  const structuredContent = { result: [{ a: 1, b: [true] }, { a: 2 }], note: 'x' };

  it('that are JSON say the same, whole or in part, in any order of keys', () => {
    const same = [
      text(JSON.stringify(structuredContent)),
      text(JSON.stringify(structuredContent.result, null, 2)),
      text('{"b":[true],"a":1}', '{ "a": 2 }'),
      text('Two results', '1', '"y"', '[not JSON', ''),
    ];
    for (const content of same) expect(checkDeclared({ content, structuredContent })).not.toThrow();
  });

  it.each([{ content: '{"n":1}\n' }, { result: '{"n":1}\n' }, { result: ['{"n":1}\n'] }])(
    'that are JSON may stand in it as a string: %j',
    (structure) => expect(check({ content: text('{"n":1}\n'), structuredContent: structure })).not.toThrow(),
  );

  it('that two readers could read differently are refused', () => {
    expect(checkDeclared({ content: text('{"note":"y","note":"x"}'), structuredContent })).toThrow(/more than one way/);
  });

  it.each(['{"a":3}', '{"a":1,"b":[false]}', '{"a":1}', '[{"a":1,"b":[true]}]', '{"result":[]}', '[]'])(
    'that say something else are refused: %s',
    (other) => {
      expect(checkDeclared({ content: text('see below', other), structuredContent })).toThrow(/do not agree/);
    },
  );

  it('of who declared none may say what they like', () => {
    expect(check({ content: text('{"body":1}'), structuredContent: { status: 200 } })).not.toThrow();
  });

  it('are compared in linear time', () => {
    let deep: JsonObject = { leaf: 'x'.repeat(1_000) };
    for (let depth = 0; depth < 60; depth++) deep = { deep, list: [depth, String(depth)] };
    const wide = { rows: Array.from({ length: 5_000 }, (_, index) => ({ index, deep: index % 2 })), deep };
    expect(checkDeclared({ content: text(JSON.stringify(wide)), structuredContent: wide })).not.toThrow();
  });
});

describe('schemas', () => {
  const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };

  it('of the tool judge its structure, which has to be there', () => {
    const declared = compileSchema(schema);
    expect(() => checkOutput({ content: [], structuredContent: { n: 1 } }, declared, NONE)).not.toThrow();
    expect(() => checkOutput({ content: [], structuredContent: { n: 'x' } }, declared, NONE)).toThrow(/at \/n/);
    expect(() => checkOutput({ content: [] }, declared, NONE)).toThrow(/no structured content/);
  });

  it('of the policy judge the structure, or else the text', () => {
    expect(check({ content: text('{"n":1}') }, [schema])).not.toThrow();
    expect(check({ content: [], structuredContent: { n: 1 } }, [schema])).not.toThrow();
    for (const content of [text('n = 1'), text('{"n":"1"}'), text('{"n":1}', '{"n":2}'), [], text('{"n":1,"n":2}')])
      expect(check({ content }, [schema])).toThrow(/schema|structure|more than one way/);
    expect(check({ content: text('{"n":1}') }, [schema, { type: 'array' }])).toThrow(/schema/);
  });
});
