import { describe, expect, it } from 'vitest';
import { serverRule } from '../../test/e2e/stand.ts';
import type { Tool } from '../gate/index.ts';
import type { ApprovedServer } from './approved-server.ts';
import { toolExposure } from './served-names.ts';

const tool = (name: string): Tool => ({ name, schema: { type: 'object' }, execute: async () => '' });
const server = (name: string, expose: 'as-is' | 'prefixed', tools: readonly string[]): ApprovedServer => ({
  rule: serverRule(name, { expose }),
  locked: {
    ...{ server: name, source: '', digest: '', protocol: '2025-11-25', serverInfo: {}, capabilities: {} },
    ...{
      instructions: null,
      approvedAt: '',
      prompts: [],
      resourceTemplates: [],
      tools: tools.map((each) => ({ name: each })),
    },
  },
});

describe('toolExposure', () => {
  it('is worked out anew when a tool or a server is another one, and not before', () => {
    const [a, b] = [tool('mcp__docs__a'), tool('mcp__docs__b')];
    let tools = [a, b];
    let servers = [server('docs', 'prefixed', ['a', 'b'])];
    const exposed = toolExposure({ tools: () => tools }, () => servers);
    const first = exposed();
    expect([...first.byName.keys()]).toEqual(['docs__a', 'docs__b']);
    tools = [a, b];
    servers = [...servers];
    expect(exposed()).toBe(first);
    tools = [a];
    expect([...exposed().byName.keys()]).toEqual(['docs__a']);
    tools = [a, { ...b }];
    expect(exposed().byName.get('docs__b')).toBe(tools[1]);
    servers = [server('docs', 'as-is', ['a', 'b'])];
    expect([...exposed().byName.keys()]).toEqual(['a', 'b']);
    servers = [];
    expect([...exposed().byName.keys()]).toEqual(['docs__a', 'docs__b']);
  });
});
