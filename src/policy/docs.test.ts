import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compilePolicy, parsePolicy, policySchema } from './index.ts';

const page = readFileSync(new URL('../../docs/policy.md', import.meta.url), 'utf8');

describe('docs/policy.md', () => {
  it('shows a policy that loads', () => {
    const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
    const policy = parsePolicy(text, { file: 'docs/policy.md' });
    expect([policy.rules, policy.servers.size, policy.principals?.length]).toEqual([6, 2, 2]);
    const tools = [
      'file_read',
      'file_list',
      'file_write',
      'mcp__github__get_issue',
      'mcp__github__create_issue',
      'mcp__files__read_text_file',
    ];
    expect(compilePolicy(policy, { root: '/srv', tools }).warnings).toEqual([]);
  });

  it('names every key and value of the language, also those that are not built yet', () => {
    const words = new Set<string>();
    const walk = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const [key, child] of Object.entries(value)) {
        if (key === 'properties' || key === 'x-later') for (const name of Object.keys(child as object)) words.add(name);
        walk(child);
      }
    };
    walk(policySchema);
    expect([...words].filter((word) => !page.includes(word))).toEqual([]);
  });
});
