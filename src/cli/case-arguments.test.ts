import { describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../core/index.ts';
import { argumentsOf, inFolder } from './case-arguments.ts';
import type { PolicyCase } from './case-file.ts';

const ROOT = '$' + '{ROOT}';
const fill = (text: string): string => text.replaceAll(ROOT, '/tmp/p');

const caseOf = (call: JsonObject): PolicyCase => ({
  ...{ id: 'a', place: 'x:1', file: 'x', tool: 't', policy: null, call, expect: 'deny', accept: ['deny'] },
  ...{ why: '', family: 'f', fixture: null, connectOnlyTo: null, before: null },
  ...{ dns: new Map(), dnsSequence: new Map(), redirects: new Map() },
});

describe('argumentsOf', () => {
  it('fills placeholders at any depth', () => {
    expect(argumentsOf(caseOf({ a: { b: [`${ROOT}/x`] } }), fill)).toEqual({ a: { b: ['/tmp/p/x'] } });
  });

  it.each([
    ['{"a":1,"a":2}', 'INPUT_DUPLICATE_KEY'],
    ['{"a":1,"\\u0061":2}', 'INPUT_DUPLICATE_KEY'],
    ['{', 'INPUT_NOT_JSON'],
  ])('reads raw text as the gate does: %s', (raw, code) => {
    expect(() => argumentsOf(caseOf({ $raw: raw }), fill)).toThrow(expect.objectContaining({ code }));
  });

  it('generates what is too large to write down', () => {
    const long = argumentsOf(
      caseOf({ $generate: { c: { prefix: 'a', repeat: 'bc', times: 3, suffix: 'd' } }, e: 1 }),
      fill,
    );
    expect(long).toEqual({ c: 'abcbcbcd', e: 1 });
    let level: unknown = argumentsOf(caseOf({ $generate: { c: { depth: 100_000 } } }), fill);
    let depth = 0;
    for (; isJsonObject(level) && Object.keys(level).length > 0; depth++) level = Object.values(level)[0];
    expect(depth).toBe(100_000);
  });

  it.each([
    ['a text', 'x'],
    ['no count', { c: { repeat: 'a' } }],
    ['too much', { c: { repeat: 'a', times: 1e9 } }],
    ['too deep', { c: { depth: 1e9 } }],
  ])('does not generate %s', (_what, wanted) => {
    const invalid = expect.objectContaining({ code: 'CASES_INVALID' });
    expect(() => argumentsOf(caseOf({ $generate: wanted }), fill)).toThrow(invalid);
  });
});

describe('inFolder', () => {
  it.each([
    ['a.ts', 'src/a.ts'],
    ['../a.ts', 'src/../a.ts'],
    ['/etc/passwd', '/etc/passwd'],
    ['~/x', '~/x'],
    ['file:a', 'file:a'],
    ['a\\b', 'a\\b'],
  ])('reads %s from a folder as %s', (path, wanted) => {
    expect(inFolder({ path }, 'src', { tool: 'file_read', paths: ['path'] })).toEqual({ path: wanted });
  });

  it('tells the shell, unless the call does', () => {
    const shell = { tool: 'shell', paths: [] };
    expect(inFolder({ command: 'ls' }, 'src', shell)).toEqual({ command: 'ls', cwd: 'src' });
    expect(inFolder({ command: 'ls', cwd: 'x' }, 'src', shell)).toEqual({ command: 'ls', cwd: 'x' });
  });
});
