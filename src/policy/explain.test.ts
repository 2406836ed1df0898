import { describe, expect, it } from 'vitest';
import { callFacts, pathFacts, plainReading, principal, ROOT } from '../../test/support/policy-facts.ts';
import { compilePolicy, explain, parsePolicy, policyFromObject, renderExplanation } from './index.ts';

const POLICY = `version: 1
tools:
  file_read: { allowedPaths: [src/], deniedPaths: [".env*"], output: { maxLength: 9 }, audit: true }
  t: { arguments: { a: { enum: [1] }, b: { type: string } }, isolation: none }
`;
const compiled = compilePolicy(parsePolicy(POLICY, { file: 'p.yaml' }), { root: ROOT, tools: ['file_read', 't'] });

describe('explain', () => {
  it('shows how a path was read, each check of it, and what holds for the call', () => {
    const reading = plainReading('src/a', { real: `${ROOT}/src/b` });
    expect(renderExplanation(explain(compiled, pathFacts('file_read', reading)))).toEqual([
      'allow    principal agent "agent", user "user": the policy does not tell callers apart',
      'allow    tool "file_read": judged by tools.file_read  [tools.file_read, p.yaml:3]',
      'allow    isolation built-in: runs in this process',
      `allow    path "src/a": as text "${ROOT}/src/a", real path "${ROOT}/src/b", file, 1 hard links`,
      'allow    path: kernel files "src/a": not in /proc, /sys or /dev',
      'allow    path: control files "src/a": no control file',
      'allow    path: kind "src/a": file',
      'allow    path: percent-encoding "src/a": no other path when decoded',
      'allow    path: denied paths "src/a": no entry denies it',
      'allow    path: allowed paths "src/a": allowed by tools.file_read.allowedPaths[0]',
      'allow    path: self-running files "src/a": does not run by itself, or is named',
      'allow    path: hard links "src/a": one name',
      '',
      'allow: "file_read": allowed by tools.file_read  [tools.file_read, p.yaml:3]',
      'obligations: no isolation stated, at most 60000 ms, at most 9 characters delivered, with payload detail in the record',
    ]);
  });

  it('goes on past the first denial', () => {
    const { steps, decision } = explain(
      compiled,
      callFacts('t', { runs: 'remote', arguments: { a: 2, b: 'x', c: 3 } }),
    );
    expect(steps.filter(({ check }) => check === 'argument').map(({ effect, rule }) => [effect, rule?.id])).toEqual([
      ['deny', 'tools.t.arguments.a'],
      ['allow', undefined],
      ['deny', 'tools.t.arguments'],
    ]);
    expect(decision).toMatchObject({
      effect: 'deny',
      code: 'ARGUMENT_VALUE',
      rule: { id: 'tools.t.arguments.a', line: 4 },
    });
  });

  it('says first that arguments could not be read, if the tool could be called at all', () => {
    const trouble = { code: 'INPUT_DUPLICATE_KEY', reason: 'twice' } as const;
    expect(explain(compiled, callFacts('t', { runs: 'remote' }), trouble)).toMatchObject({
      decision: { effect: 'deny', code: 'INPUT_DUPLICATE_KEY' },
      steps: [
        { check: 'arguments', effect: 'deny' },
        { check: 'principal' },
        { check: 'tool' },
        { check: 'isolation' },
      ],
    });
    expect(explain(compiled, callFacts('none'), trouble)).toMatchObject({ decision: { code: 'TOOL_NOT_ALLOWED' } });
  });

  it('prints nothing that could move a terminal, also from the policy itself', () => {
    const hostile = policyFromObject(
      { version: 1, tools: { t: { arguments: { 'a\u001b[2J': { enum: ['\u202e'] } }, isolation: 'none' } } },
      { file: 'f\u001b[0m' },
    );
    const facts = callFacts('t', { arguments: { 'a\u001b[2J': '\u0007' }, principal: principal('\u009b31m') });
    const text = renderExplanation(explain(compilePolicy(hostile, { root: ROOT, tools: ['t'] }), facts)).join('');
    expect(text).toContain('tools.t.arguments.a\\u{1b}[2J');
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});
