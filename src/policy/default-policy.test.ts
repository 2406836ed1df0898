import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compilePolicy, decide, type PathUse, parsePolicy } from './index.ts';

const text = readFileSync(new URL('../../policies/default.yaml', import.meta.url), 'utf8');
const policy = parsePolicy(text, { file: 'default.yaml' });
const ROOT = '/home/me/my project';
const tools = ['file_read', 'file_list', 'file_search', 'file_write'];
const compiled = compilePolicy(policy, { root: ROOT, tools });

function codeOf(tool: string, path: string): string {
  const use: PathUse = tool === 'file_write' ? 'file_write' : 'file_read';
  const full = posix.resolve(ROOT, path);
  const about = { kind: 'file', links: 1, identity: '1:2', controlFile: false } as const;
  const decision = decide(compiled, {
    tool,
    arguments: { path },
    principal: { tenant: 'local', user: 'u', agent: 'a', session: 's', proof: 'local' },
    paths: { path: { use, reading: { given: path, lexical: full, real: full, ...about } } },
    runs: 'built-in',
    uncertain: false,
  });
  return decision.effect === 'allow' ? 'allow' : decision.code;
}

describe('policies/default.yaml', () => {
  it('loads without a warning', () => {
    expect(compiled.warnings).toEqual([]);
    expect(policy.rules).toBe(4);
  });

  it.each([
    'README.md',
    'src/index.ts',
    '.env.example',
    'packages/a/.env.sample',
    'docs/keys.md',
    'src/env.ts',
    '.gitignore',
  ])('lets %s be read, listed and written', (path) => {
    expect(tools.map((tool) => codeOf(tool, path))).toEqual(['allow', 'allow', 'allow', 'allow']);
  });

  it.each([
    ...[
      '.env',
      '.env.local',
      'packages/a/.ENV',
      '.envrc',
      'secrets/a',
      'server.key',
      'certs/ca.PEM',
      '.git/config',
      '.npmrc',
    ],
    ...[
      '.ssh/config',
      '.aws/credentials',
      'id_rsa',
      'backup/id_ed25519.old',

      'a/.config/gcloud/x',
      '.env.examplE',
    ],
  ])('withholds %s from every tool', (path) => {
    expect(tools.map((tool) => codeOf(tool, path))).toEqual(Array(4).fill('PATH_DENIED'));
  });

  it.each(['package.json', '.github/workflows/ci.yml', 'sub/Makefile', 'tests/conftest.py', '.vscode/tasks.json'])(
    'lets %s be read, and asks about writing it',
    (path) => {
      expect(tools.map((tool) => codeOf(tool, path))).toEqual(['allow', 'allow', 'allow', 'PATH_SELF_RUNNING']);
    },
  );

  it('allows nothing outside of the folder', () => {
    expect(tools.map((tool) => codeOf(tool, '../other/x'))).toEqual(Array(4).fill('PATH_NOT_ALLOWED'));
  });
});
