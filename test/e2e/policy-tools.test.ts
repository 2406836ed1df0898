import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Ran, sallyport } from '../support/cli.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

const POLICY = `version: 1
tools:
  file_read: { allowedPaths: [src/], deniedPaths: [.env] }
`;
const WIDER = POLICY.replace('[src/]', '[src/, docs/]');
const NARROWER = POLICY.replace('[src/]', '[src/a.ts]');
const OTHER = POLICY.replace('[src/]', '[docs/]');

const CASES = [
  { id: 'source', tool: 'file_read', call: { path: 'src/a.ts' }, expect: 'allow', family: 'plain' },
  { id: 'other', tool: 'file_read', call: { path: 'src/b.ts' }, expect: 'allow', family: 'plain' },
  {
    id: 'docs',
    tool: 'file_read',
    call: { path: 'docs/x.md' },
    expect: 'deny',
    family: 'outside',
    why: 'not a source',
  },
  { id: 'env', tool: 'file_read', call: { path: '.env' }, expect: 'deny', family: 'outside' },
];

let workspace: Workspace;
beforeEach(() => {
  workspace = makeWorkspace(POLICY, {
    'cases.jsonl': CASES.map((one) => JSON.stringify(one)).join('\n'),
    'src/a.ts': 'a\n',
    'docs/x.md': 'x\n',
    'wider.yaml': WIDER,
    'narrower.yaml': NARROWER,
    'other.yaml': OTHER,
  });
});
afterEach(() => workspace.remove());

const policy = (...words: string[]): Promise<Ran> => sallyport(['policy', ...words], { cwd: workspace.root });
const json = ({ out }: Ran): Record<string, unknown> => JSON.parse(out) as Record<string, unknown>;

describe('sallyport policy test', () => {
  test('exits 0 when all is as expected, and touches neither state nor workspace', async () => {
    const ran = await policy('test', '--policies', 'sallyport.yaml', '--cases', 'cases.jsonl', '--json');
    expect(ran.code).toBe(0);
    expect(json(ran)).toEqual({
      ...{ total: 4, correct: 4, missedDenials: 0, wrongDenials: 0 },
      byFamily: {
        plain: { total: 2, missedDenials: 0, wrongDenials: 0 },
        outside: { total: 2, missedDenials: 0, wrongDenials: 0 },
      },
      wrong: [],
    });
    expect(existsSync(workspace.state)).toBe(false);
  });

  test('exits 1 and says what is missed, by which rule and why it should not be', async () => {
    const ran = await policy('test', '--policies', 'wider.yaml', '--cases', 'cases.jsonl');
    expect(ran.code).toBe(1);
    expect(ran.out).toContain('docs: expected deny, got allow by tools.file_read');
    expect(ran.out).toContain('expected because: not a source');
    expect(ran.out).toContain('3 of 4 as expected; 1 missed denials, 0 wrong denials');
  });

  test('a folder of policies: each case names its own', async () => {
    const named = CASES.map((one) => JSON.stringify({ ...one, policy: one.id === 'docs' ? 'wider' : 'sallyport' }));
    workspace.write({ 'named.jsonl': named.join('\n') });
    const ran = await policy('test', '--policies', '.', '--cases', 'named.jsonl', '--json');
    expect(json(ran)).toMatchObject({ missedDenials: 1, wrong: [{ id: 'docs', expected: 'deny', got: 'allow' }] });
  });

  test.each([
    ['no policy named, and a folder of them', ['--policies', '.', '--cases', 'cases.jsonl']],
    ['a policy that is not there', ['--policies', 'missing.yaml', '--cases', 'cases.jsonl']],
    ['cases that are not there', ['--policies', 'sallyport.yaml', '--cases', 'missing.jsonl']],
    ['cases that are none', ['--policies', 'sallyport.yaml', '--cases', 'src/a.ts']],
    ['tools that are none', ['--policies', 'sallyport.yaml', '--cases', 'cases.jsonl', '--tools', 'src/a.ts']],
    ['no cases', ['--policies', 'sallyport.yaml']],
  ])('exits 2 for %s', async (_what, words) => {
    expect((await policy('test', ...words)).code).toBe(2);
  });

  test('a case that leaves the folder of policies finds none', async () => {
    workspace.write({ 'named.jsonl': JSON.stringify({ ...CASES[0], policy: '../wider' }), 'deep/x.yaml': POLICY });
    const ran = await policy('test', '--policies', 'deep', '--cases', 'named.jsonl');
    expect([ran.code, ran.err]).toEqual([2, expect.stringContaining('CASES_INVALID')]);
  });

  test('escapes what a case says', async () => {
    const hostile = { ...CASES[2], why: 'red \u001b[31m \u202e', expect: 'allow' };
    workspace.write({ 'hostile.jsonl': JSON.stringify(hostile) });
    const ran = await policy('test', '--policies', 'sallyport.yaml', '--cases', 'hostile.jsonl');
    expect(ran.code).toBe(1);
    expect(['\u001b', '\u202e'].filter((character) => ran.out.includes(character))).toEqual([]);
  });
});

describe('sallyport policy diff', () => {
  const diff = (b: string): Promise<Ran> => policy('diff', 'sallyport.yaml', b, '--cases', 'cases.jsonl', '--json');

  test.each([
    ['sallyport.yaml', 0, 'same', false, []],
    ['wider.yaml', 1, 'widens', true, ['docs']],
    ['narrower.yaml', 1, 'narrows', false, ['other']],
    ['other.yaml', 1, 'widens and narrows', true, ['source', 'other', 'docs']],
  ])('%s: exit %i, %s', async (file, code, change, widens, ids) => {
    const ran = await diff(file);
    expect([ran.code, json(ran)]).toMatchObject([code, { compared: 4, left: 0, change, widens }]);
    expect((json(ran)['changes'] as { id: string }[]).map(({ id }) => id)).toEqual(ids);
  });

  test('letting pass what is denied is a widening, whatever the calls', async () => {
    workspace.write({ 'observe.yaml': POLICY.replace('version: 1', 'version: 1\nmode: observe') });
    const ran = await diff('observe.yaml');
    expect([ran.code, json(ran)]).toMatchObject([1, { change: 'widens', widens: true, changes: [] }]);
    expect(json(ran)['mode']).toEqual({ before: 'enforce', after: 'observe' });
  });

  test('exits 2 without calls to compare', async () => {
    expect((await policy('diff', 'sallyport.yaml', 'wider.yaml')).code).toBe(2);
  });
});

describe('over a recorded log', () => {
  beforeEach(async () => {
    for (const path of ['src/a.ts', 'docs/x.md', '.env']) {
      await sallyport(['call', 'file_read', JSON.stringify({ path }), '--state', workspace.state], {
        cwd: workspace.root,
      });
    }
  });

  test('replay says nothing changed, or what would', async () => {
    const same = await policy('replay', '--state', workspace.state);
    expect([same.code, same.out]).toEqual([0, '0 of 3 calls change: no decision changes\n']);
    expect(same.err).toContain('which may have changed since');
    const ran = await policy('replay', '--policy', 'other.yaml', '--state', workspace.state, '--json');
    expect([ran.code, json(ran)]).toMatchObject([
      1,
      {
        ...{ compared: 3, left: 0, change: 'widens and narrows', widens: true },
        changes: [
          { tool: 'file_read', before: 'allow', after: 'deny', change: 'narrows' },
          { tool: 'file_read', before: 'deny', after: 'allow', change: 'widens' },
        ],
      },
    ]);
  });

  test('diff --log compares two policies on the recorded calls, over the folder of the first', async () => {
    workspace.write({ 'elsewhere/wider.yaml': WIDER });
    const ran = await policy(
      ...['diff', 'sallyport.yaml', 'elsewhere/wider.yaml', '--log', '--state', workspace.state],
    );
    expect([ran.code, ran.out]).toEqual([1, expect.stringMatching(/^WIDENS {3}#\d+ {2}file_read {2}deny → allow/)]);
    expect(ran.out).toContain('1 of 3 calls change: the change widens');
  });

  test('exits with the code of the log when there is none', async () => {
    const ran = await policy('replay', '--state', join(workspace.base, 'nothing'));
    expect(ran.err).toContain('AUDIT_NOT_FOUND');
    expect(ran.code).not.toBe(0);
  });
});

test('sallyport policy schema prints what policies/policy.schema.json holds', async () => {
  const ran = await policy('schema');
  const file = fileURLToPath(new URL('../../policies/policy.schema.json', import.meta.url));
  expect(ran.code).toBe(0);
  expect(ran.out).toBe(readFileSync(file, 'utf8'));
  expect(json(ran)).toMatchObject({ type: 'object', required: expect.arrayContaining(['version']) });
});
