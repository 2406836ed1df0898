import { describe, expect, test } from 'vitest';
import { compileNameGlob } from './name-glob.ts';

describe('compileNameGlob', () => {
  test.each([
    ['*.ts', 'a.ts', true],
    ['*.ts', 'src/deep/a.ts', true],
    ['*.ts', 'a.tsx', false],
    ['a?c', 'x/abc', true],
    ['a?c', 'x/a/c', false],
    ['src/*.ts', 'src/a.ts', true],
    ['src/*.ts', 'src/x/a.ts', false],
    ['src/**/*.ts', 'src/a.ts', true],
    ['src/**/*.ts', 'src/x/y/a.ts', true],
    ['**/test/**', 'a/test/b', true],
    ['**/test/**', 'a/tests/b', false],
    ['/src/*', 'src/a', true],
    ['*.{ts,tsx}', 'a.tsx', true],
    ['{a,b}/{c,d}.md', 'b/c.md', true],
    ['{a', '{a', true],
    ['[slug].ts', 'routes/[slug].ts', true],
    ['[slug].ts', 'routes/s.ts', false],
    ['*', '', true],
    ['a**b', 'axxb', true],
    ['?', '😀', true],
  ])('%s on %s: %s', (glob, path, expected) => {
    expect(compileNameGlob(glob)?.(path)).toBe(expected);
  });

  test('groups that multiply beyond 64 alternatives are refused', () => {
    expect(compileNameGlob('{a,b}'.repeat(6))).not.toBeNull();
    expect(compileNameGlob('{a,b}'.repeat(7))).toBeNull();
  });

  test('many stars do not multiply the work', () => {
    const matches = compileNameGlob(`${'*a'.repeat(60)}b`);
    expect(matches?.('a'.repeat(4_000))).toBe(false);
  });
});
