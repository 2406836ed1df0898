import { describe, expect, it } from 'vitest';
import { disagreeing, headersFor, paramHeaders } from './param-headers.ts';

const headers = paramHeaders({
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    count: { type: 'integer', 'x-mcp-header': 'Count' },
    where: { type: 'object', properties: { zone: { type: 'string', 'x-mcp-header': 'Zone' } } },
    list: { type: 'array', 'x-mcp-header': 'List' },
    odd: { type: 'string', 'x-mcp-header': 'a b' },
  },
});

describe('headers from parameters', () => {
  it('are those of plain values with a name that a header can have', () => {
    expect(headers).toEqual([
      { header: 'Mcp-Param-Region', path: ['region'] },
      { header: 'Mcp-Param-Count', path: ['count'] },
      { header: 'Mcp-Param-Zone', path: ['where', 'zone'] },
    ]);
  });

  it('are written so that they can be read', () => {
    const args = { region: 'süd', count: 3, where: { zone: ' a ' } };
    const written = headersFor(headers, args);
    expect(written).toEqual({
      'Mcp-Param-Region': '=?base64?c8O8ZA==?=',
      'Mcp-Param-Count': '3',
      'Mcp-Param-Zone': '=?base64?IGEg?=',
    });
    expect(disagreeing(headers, args, (name) => written[name])).toBeNull();
    expect(headersFor(headers, { region: 'a\r\nX-Evil: 1' })).toEqual({
      'Mcp-Param-Region': `=?base64?${Buffer.from('a\r\nX-Evil: 1').toString('base64')}?=`,
    });
  });

  it.each([
    ['absent', undefined],
    ['another', 'eu'],
    ['bad padding', '=?base64?SGVsbG8?='],
    ['no base64', '=?base64?SGVs!!!bG8=?='],
    ['not UTF-8', '=?base64?/w==?='],
  ])('disagree: %s', (_title, value) => {
    expect(disagreeing(headers, { region: 'us' }, () => value)).toBe('Mcp-Param-Region');
  });

  it('agree as numbers, and where the argument is absent', () => {
    expect(disagreeing(headers, { count: 42 }, () => '42.0')).toBeNull();
    expect(disagreeing(headers, {}, () => 'anything')).toBeNull();
    expect(disagreeing(headers, { region: '=?base64?x' }, () => '=?base64?x')).toBeNull();
  });
});
