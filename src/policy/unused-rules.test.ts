import { describe, expect, it } from 'vitest';
import { compilePolicy } from './compile.ts';
import { parsePolicy } from './parse.ts';

const TEXT = `version: 1
tools: { lookup: {}, mcp__known__a: {}, mcp__known__b: {}, mcp__other__a: {} }
servers: { known: { command: [/bin/known], isolation: none } }
`;

describe('rules for tools that are not there', () => {
  it('names the command for a tool of a server that the policy has', () => {
    const policy = parsePolicy(TEXT, { file: 'p.yaml' });
    const { warnings } = compilePolicy(policy, { root: '/srv', tools: ['mcp__known__b'] });
    expect(warnings).toEqual([
      'p.yaml:2:60: no server "other" stands under servers:',
      'p.yaml:2: tools.lookup is for a tool that does not exist here',
      'p.yaml:2: tools.mcp__known__a is for a tool that is not among what was approved: sallyport servers approve known',
      'p.yaml:2: tools.mcp__other__a is for a tool that does not exist here',
    ]);
  });
});
