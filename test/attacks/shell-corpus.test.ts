import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CORPUS, decide, loadShellPolicy, type ShellPolicy } from './shell-support.ts';

interface Case {
  readonly id: string;
  readonly policy: string;
  readonly call: { readonly command: string };
  readonly expect: 'allow' | 'confirm' | 'deny';
  readonly accept?: readonly string[];
}

const cases = readFileSync(join(CORPUS, 'shell.jsonl'), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Case);

const accepted = (one: Case): readonly string[] =>
  one.accept ?? { allow: ['allow'], confirm: ['confirm', 'deny'], deny: ['deny'] }[one.expect];

const policies = new Map<string, ShellPolicy>();
const policyOf = (name: string): ShellPolicy => {
  const known = policies.get(name) ?? loadShellPolicy(name);
  policies.set(name, known);
  return known;
};

describe('the shell corpus', () => {
  test('has all of its cases', () => expect(cases).toHaveLength(426));

  test.each(cases.map((one) => [one.id, one] as const))('%s', (_, one) => {
    const got = decide(policyOf(one.policy), one.call.command);
    const wanted = accepted(one);
    if (!wanted.includes(got.effect)) {
      expect.fail(
        `${JSON.stringify(one.call.command)}\n wanted ${wanted.join('/')} got ${got.effect} by ${got.ruleKey}: ${got.reason}`,
      );
    }
  });
});
