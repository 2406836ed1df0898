import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canOverlap, namesTool, serverOf } from './tool-names.ts';

describe('namesTool', () => {
  it.each<[string, string, boolean]>([
    ['a', 'a', true],
    ['a', 'A', false],
    ['*', 'anything', true],
    ['a*', 'a', true],
    ['*a', 'ba', true],
    ['a*a', 'a', false],
    ['a*b*c', 'axxbyyc', true],
    ['a*b*c', 'acb', false],
    ['*ab*ab*', 'abab', true],
    ['*ab*ab*', 'aba', false],
    ['mcp__github__get_*', 'mcp__github__get_issue', true],
    ['mcp__github__get_*', 'mcp__evil__get_issue', false],
    ['ab*bc', 'abc', false],
  ])('%s and %s: %s', (pattern, tool, expected) => expect(namesTool(pattern, tool)).toBe(expected));
});

describe('canOverlap', () => {
  const pattern = fc
    .array(fc.constantFrom('a', 'b', 'B', '*'), { minLength: 1, maxLength: 6 })
    .map((parts) => parts.join(''));
  const tool = fc.array(fc.constantFrom('a', 'b', 'B'), { maxLength: 8 }).map((parts) => parts.join(''));

  it('is true for any two patterns that name one tool', () => {
    const property = fc.property(pattern, pattern, tool, (a, b, name) => {
      if (namesTool(a, name) && namesTool(b, name)) expect(canOverlap(a, b)).toBe(true);
      expect(canOverlap(a, b)).toBe(canOverlap(b, a));
    });
    fc.assert(property, { numRuns: 3_000 });
  });

  it.each<[string, string, boolean]>([
    ['a*', '*b', true],
    ['a*', 'b*', false],
    ['*a', '*b', false],
    ['a', 'A', true],
    ['mcp__x__*', 'mcp__y__*', false],
    ['mcp__x__get_*', 'mcp__x__*_issue', true],
    ['**', 'a', true],
  ])('%s and %s: %s', (a, b, expected) => expect(canOverlap(a, b)).toBe(expected));
});

describe('serverOf', () => {
  it.each<[string, string | null]>([
    ['mcp__github__get_issue', 'github'],
    ['mcp__a-b__x__y', 'a-b'],
    ['mcp__GitHub__x', null],
    ['mcp__github__', null],
    ['mcp____x', null],
    ['file_read', null],
  ])('%s: %s', (tool, server) => expect(serverOf(tool)).toBe(server));
});
