import { describe, expect, it } from 'vitest';
import { callOutput, errorOutput } from './upstream-result.ts';

describe('callOutput', () => {
  it.each([
    ['no object', 'x'],
    ['a list', []],
    ['a wish for input', { resultType: 'input_required', requestState: 'x' }],
  ])('refuses %s', (_, raw) => {
    expect(() => callOutput(raw)).toThrow(expect.objectContaining({ code: 'RESULT_MALFORMED' }));
  });
});

describe('errorOutput', () => {
  it('hands the words of a server on as content, cut and well formed', () => {
    const output = errorOutput(-32_602, `${'x'.repeat(3_999)}\ud83d\ude00`);
    expect(output.isError).toBe(true);
    expect(output.content).toEqual([
      { type: 'text', text: `The server answered with error -32602: ${'x'.repeat(3_999)}\ufffd` },
    ]);
  });
});
