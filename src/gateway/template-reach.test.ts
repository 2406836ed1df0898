import { describe, expect, it } from 'vitest';
import { isTemplateOpen } from './template-reach.ts';

const isOpen = (patterns: readonly string[], template: string): boolean =>
  isTemplateOpen(
    patterns.map((text) => ({ text })),
    template,
  );

describe('a template is open', () => {
  it.each([
    [['docs://public/**'], 'docs://public/{page}'],
    [['docs://public/**'], 'docs://{folder}/{page}'],
    [['docs://public/**'], '{+uri}'],
    [['docs://*/index'], 'docs://a/{page}'],
    [['docs://*/index'], 'docs://a/in{rest}'],
    [['hr://**', 'docs://a'], 'docs://{x}'],
    [['docs://a*b**c'], 'docs://axxbyy/{z}'],
    [['docs://a'], 'docs://a'],
  ])('by %j: %.40s', (patterns, template) => {
    expect(isOpen(patterns, template)).toBe(true);
  });

  it.each([
    [['docs://public/**'], 'hr://salaries/{person}'],
    [['docs://public/**'], 'docs://publi/{page}'],
    [['docs://public/**'], 'DOCS://public/{page}'],
    [['docs://*/index'], 'docs://a/b/{page}'],
    [['docs://a'], 'docs://ab{x}'],
    [['docs://a'], 'docs://b'],
    [['**'], 'docs://a/../b'],
    [['**'], `docs://${'a'.repeat(3_000)}{x}`],
    [[], 'docs://{x}'],
  ])('not by %j: %.40s', (patterns, template) => {
    expect(isOpen(patterns, template)).toBe(false);
  });
});
