import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCases } from './case-file.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-cases-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(...lines: readonly unknown[]): string {
  const file = join(folder, 'some.jsonl');
  writeFileSync(file, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
  return file;
}

const plain = { id: 'a', tool: 'shell', call: { command: 'ls' }, expect: 'deny' };

describe('readCases', () => {
  it('fills in what a case may leave out', () => {
    const [one] = readCases([fileOf('# a comment', '', plain)]);
    expect(one).toMatchObject({ policy: null, accept: ['deny'], why: '', family: 'no-family', before: null });
    expect(one?.place).toMatch(/some\.jsonl:3$/);
  });

  it.each([
    ['allow', ['allow']],
    ['confirm', ['confirm', 'deny']],
    ['deny', ['deny']],
  ])('accepts for %s by default %j', (expected, accept) => {
    expect(readCases([fileOf({ ...plain, expect: expected })])[0]?.accept).toEqual(accept);
  });

  it('keeps what a call may not hold: it is read when it is made', () => {
    const [one] = readCases([
      fileOf('{"id":"a","tool":"t","expect":"deny","call":{"__proto__":{"x":1},"y":"\\ud800"}}'),
    ]);
    expect(Object.keys(one?.call ?? {})).toEqual(['__proto__', 'y']);
  });

  it.each([
    ['no JSON', '{'],
    ['no object', '[1]'],
    ['no id', { ...plain, id: undefined }],
    ['no call', { ...plain, call: 'ls' }],
    ['an unknown effect', { ...plain, expect: 'maybe' }],
    ['an empty accept', { ...plain, accept: [] }],
    ['an unknown accept', { ...plain, accept: ['perhaps'] }],
    ['a policy that is no name', { ...plain, policy: 7 }],
    ['a fixture that is none', { ...plain, fixture: 'base' }],
    ['files that are no texts', { ...plain, fixture: { files: { a: 1 } } }],
    ['pipes that are no list', { ...plain, fixture: { fifos: 'a' } }],
    ['addresses that are none', { ...plain, dns: { a: '1.2.3.4' } }],
    ['a redirect without a location', { ...plain, redirects: { 'https://a/': { status: 302 } } }],
    ['more calls than a history holds', { ...plain, before: { sameCalls: 1e9 } }],
    ['a negative count', { ...plain, before: { sameCalls: -1 } }],
  ])('refuses %s, with file and line', (_what, line) => {
    const file = fileOf(line);
    const error = { code: 'CASES_INVALID', message: expect.stringContaining('some.jsonl:1: ') };
    expect(() => readCases([file])).toThrow(expect.objectContaining(error));
  });

  it('refuses the same id twice, no case at all and a file that is not there', () => {
    const invalid = expect.objectContaining({ code: 'CASES_INVALID' });
    expect(() => readCases([fileOf(plain, plain)])).toThrow(invalid);
    expect(() => readCases([fileOf('# nothing')])).toThrow(invalid);
    expect(() => readCases([join(folder, 'missing.jsonl')])).toThrow(invalid);
  });
});
