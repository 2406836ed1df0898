import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decide, loadShellPolicy, type ShellPolicy } from './shell-support.ts';

/** Lines of our own by policy: ordinary work that has to pass, and attacks. Beside the shared corpus, which others wrote. */
interface Lines {
  readonly everythingListed: readonly string[];
  readonly policies: Readonly<
    Record<string, Readonly<Record<'allow' | 'deny' | 'denyOrConfirm', readonly string[] | undefined>>>
  >;
}

const lines = JSON.parse(readFileSync(join(import.meta.dirname, 'shell-lines.json'), 'utf8')) as Lines;

function policyNamed(name: string): ShellPolicy {
  if (name !== 'everything-listed') return loadShellPolicy(name);
  const base = loadShellPolicy('ci-runner');
  return { ...base, rule: { allowedCommands: lines.everythingListed, deniedPatterns: [], confirmCommands: [] } };
}

const ACCEPTED = { allow: ['allow'], deny: ['deny'], denyOrConfirm: ['deny', 'confirm'] } as const;

describe.each(Object.entries(lines.policies))('%s', (name, sets) => {
  const policy = policyNamed(name);
  for (const wanted of ['allow', 'deny', 'denyOrConfirm'] as const) {
    test.each(sets[wanted] ?? [])(`${wanted}: %j`, (line) => {
      const got = decide(policy, line);
      expect(ACCEPTED[wanted], `${got.ruleKey}: ${got.reason}`).toContain(got.effect);
    });
  }
});
