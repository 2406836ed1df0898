import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../core/index.ts';
import { type ControlFiles, watchControlFiles } from './control-files.ts';
import { readPath } from './path-facts.ts';

const top = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-control-')));
const home = join(top, 'home');
const root = join(home, 'project');
const state = join(top, 'state');
let control: ControlFiles;

const verdict = (given: string, files: ControlFiles = control, base = root): string => {
  const reading = readPath(given, { root: base, use: 'file_read', control: files, limits: DEFAULT_LIMITS });
  if ('trouble' in reading) return reading.trouble;
  return reading.stateFolder ? 'state' : reading.controlFile ? 'control' : 'free';
};

/** The folder of our own package: these sources run from there. */
const OWN = realpathSync(join(import.meta.dirname, '../..'));

const put = (path: string): string => {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, path);
  return path;
};

beforeAll(() => {
  for (const name of ['policy.yaml', 'sallyport.lock', 'schemas/search.json', '.git/config', '.git/hooks/pre-commit']) {
    put(join(root, name));
  }
  put(join(root, '.claude/settings.json'));
  put(join(root, 'src/a.ts'));
  put(join(root, 'tools/lint.sh'));
  put(join(state, 'tokens/cli.json'));
  put(join(state, 'log/tile/0/000'));
  symlinkSync('../../tools/lint.sh', join(root, '.git/hooks/commit-msg'));
  symlinkSync(join(root, 'config-of-agent'), join(root, '.codex'));
  put(join(root, 'config-of-agent/config.toml'));
  control = watchControlFiles({
    root,
    home,
    policyFile: join(root, 'policy.yaml'),
    policyReads: [join(root, 'schemas/search.json')],
    stateFolders: [state],
  });
});

afterAll(() => rmSync(top, { recursive: true, force: true }));

describe('control files by name', () => {
  test.each([
    ['the policy in force', 'policy.yaml'],
    ['its lock', 'sallyport.lock'],
    ['a schema that it names', 'schemas/search.json'],
    ['a policy that a later start could find', 'packages/web/sallyport.yaml'],
    ['our own code', new URL('.', import.meta.url).pathname],
    ['our own package in the workspace', 'node_modules/sallyport/dist/gate/judge.js'],
    ['git configuration', '.git/config'],
    ['a new git hook', '.git/hooks/post-merge'],
    ['a .git file that points elsewhere', 'packages/web/.git'],
    ['the common folder of a working tree', '.git/commondir'],
    ['the configuration of a submodule', '.git/modules/lib/config'],
    ['the configuration of a working tree', '.git/worktrees/x/config.worktree'],
    ['a bare repository', 'vendor/lib.git/config'],
    ['what makes a folder a repository', 'docs/x/HEAD'],
    ['settings of Claude Code', '.claude/settings.local.json'],
    ['hooks of Claude Code, at any depth', 'packages/web/.claude/hooks/x.sh'],
    ['MCP servers of a project', 'packages/web/.mcp.json'],
    ['Cursor', '.cursor/mcp.json'],
    ['a program in the status line', '.claude/statusline.sh'],
    ['the MCP servers of whichever program', 'a/.some-agent/mcp.json'],
    ['Trae', '.trae/rules.md'],
    ['Crush', '.crush.json'],
    ['OpenHands', '.openhands/setup.sh'],
    ['the packages that our own code finds', '../../node_modules/yaml/index.js', OWN],
    ['our own build script', 'scripts/build.mjs', OWN],
    ['a package that we import', 'node_modules/yaml/package.json', OWN],
    ['a file that our package does not have', 'docs/new/x.md', OWN],
    ['VS Code', '.vscode/settings.json'],
    ['settings in the home', '../.claude.json'],
    ['everything of Claude Code in the home', '../.claude/projects/x.jsonl'],
    ['Claude Desktop', '../.config/Claude/claude_desktop_config.json'],
    ['git configuration of the user', '../.gitconfig'],
  ])('%s', (_, given, base = root) => {
    expect(verdict(given, control, base)).toBe('control');
  });

  test('all of our package, where the workspace is our package', () => {
    const files = watchControlFiles({ root: OWN, home: null, policyFile: null, stateFolders: [state] });
    for (const path of ['src/gate/judge.ts', 'policies/default.yaml', 'node_modules/yaml/index.js', 'README.md']) {
      const facts = readPath(path, { root: OWN, use: 'file_write', control: files, limits: DEFAULT_LIMITS });
      expect(facts).toMatchObject({ controlFile: true, ownCode: true });
    }
  });

  test.each([
    'src/a.ts',
    'docs/git/config',
    '.github/workflows/ci.yml',
    'claude/settings.json',
    '.claude/notes.md',
    'src/header.ts',
    'x.gitignore',
    '.gitignore',
    'schemas/search.jsonl',
    'src/sallyport.yaml.md',
  ])('not %s', (given) => {
    expect(verdict(given)).toBe('free');
  });

  test.each([
    ['.GIT/Config'],
    ['.git./config'],
    ['.git /config'],
    ['.git::$INDEX_ALLOCATION/config'],
    ['.ｇit/config'],
    ['.g\u200cit/config'],
    ['.git/hooks./pre-commit'],
    ['POLICY.YAML'],
    ['sallyport.locK'],
    ['.Claude/SETTINGS.json '],
  ])('in another spelling: %s', (given) => {
    expect(verdict(given)).toBe('control');
  });
});

describe('the state folder', () => {
  test.each(['', '/tokens/cli.json', '/log/tile/0/000', '/not-yet'])('%s', (name) => {
    expect(verdict(`${state}${name}`)).toBe('state');
  });

  test('the default one, wherever the one in force lies', () => {
    expect(verdict('../.local/state/sallyport/tokens/x')).toBe('state');
  });

  test('its neighbours are free', () => {
    expect(verdict(`${state}-not/x`)).toBe('free');
  });

  test('a state folder that is a link is known by both names', () => {
    const other = join(top, 'state-link');
    symlinkSync(state, other);
    const files = watchControlFiles({ root, home: null, policyFile: null, stateFolders: [other] });
    expect(verdict(`${state}/tokens/cli.json`, files)).toBe('state');
    expect(verdict(`${other}/tokens/cli.json`, files)).toBe('state');
  });
});

describe('control files by inode', () => {
  test.each([
    ['the policy', 'policy.yaml', 'control'],
    ['the lock', 'sallyport.lock', 'control'],
    ['a git hook', '.git/hooks/pre-commit', 'control'],
    ['settings of an agent', '.claude/settings.json', 'control'],
    ['a token', '../../state/tokens/cli.json', 'state'],
    ['a tile of the log', '../../state/log/tile/0/000', 'state'],
  ])('a hard link to %s', (name, target, expected) => {
    const link = join(root, 'src', name.replaceAll(' ', '-'));
    linkSync(join(root, target), link);
    expect(verdict(link)).toBe(expected);
    rmSync(link);
  });

  test('a hard link to a state file that is younger than the last look', () => {
    linkSync(join(root, 'src/a.ts'), join(root, 'src/b.ts'));
    expect(verdict('src/b.ts')).toBe('free');
    linkSync(put(join(state, 'log/tile/0/001')), join(root, 'src/c.ts'));
    expect(verdict('src/c.ts')).toBe('state');
    rmSync(join(root, 'src/b.ts'));
  });

  test('a hard link to a policy that was replaced since the last look', () => {
    expect(verdict('src/a.ts')).toBe('free');
    renameSync(put(join(root, 'policy.new')), join(root, 'policy.yaml'));
    linkSync(join(root, 'policy.yaml'), join(root, 'src/d.ts'));
    expect(verdict('src/d.ts')).toBe('control');
  });

  test('the target of a link among the hooks', () => {
    expect(verdict('tools/lint.sh')).toBe('control');
  });

  test('the folder that a configuration is a link to', () => {
    expect(verdict('config-of-agent/config.toml')).toBe('control');
    expect(verdict('config-of-agent/new.toml')).toBe('control');
  });
});

describe('a workspace inside a folder of the table', () => {
  test('is free but for what the tables name inside it', () => {
    const inner = join(home, '.claude/worktrees/x');
    put(join(inner, 'src/a.ts'));
    const files = watchControlFiles({ root: inner, home, policyFile: null, stateFolders: [state] });
    expect(verdict('src/a.ts', files, inner)).toBe('free');
    expect(verdict('.git', files, inner)).toBe('control');
    expect(verdict('.claude/settings.json', files, inner)).toBe('control');
    expect(verdict('../../settings.json', files, inner)).toBe('control');
    expect(verdict('../y/src/a.ts', files, inner)).toBe('control');
  });

  test('a link from a configuration to the workspace itself does not take it away', () => {
    const inner = join(top, 'other');
    put(join(inner, 'src/a.ts'));
    symlinkSync('.', join(inner, '.cursor'));
    const files = watchControlFiles({ root: inner, home: null, policyFile: null, stateFolders: [state] });
    expect(verdict('src/a.ts', files, inner)).toBe('free');
    expect(verdict(`${inner}/src/a.ts`, files, inner)).toBe('free');
  });
});

describe('a repository of another name', () => {
  const use = 'file_write';
  const isControl = (given: string, base: string): boolean => {
    const files = watchControlFiles({ root: base, home: null, policyFile: null, stateFolders: [state] });
    const reading = readPath(given, { root: base, use, control: files, limits: DEFAULT_LIMITS });
    return !('trouble' in reading) && reading.controlFile;
  };

  test.each(['separate', 'bare'])('%s', (kind) => {
    const base = join(top, kind);
    mkdirSync(base);
    const git = (...words: readonly string[]): void => {
      execFileSync('git', words, { cwd: base, stdio: 'ignore' });
    };
    if (kind === 'separate') git('init', '-q', '--separate-git-dir', join(base, 'data'), base);
    else git('init', '-q', '--bare', join(base, 'data'));
    for (const path of ['data/config', 'data/hooks/pre-commit', 'data/info/new', 'data/objects/x']) {
      expect(isControl(path, base), path).toBe(true);
    }
    expect(isControl('config', join(base, 'data'))).toBe(true);
    expect(isControl('other/config', base)).toBe(false);
  });

  test('the folder that a .git file leads to, before it is there', () => {
    const base = join(top, 'pointing');
    put(join(base, 'a.ts'));
    writeFileSync(join(base, '.git'), 'gitdir: ./later/data\n');
    expect(isControl('later/data/config', base)).toBe(true);
    expect(isControl('later/config', base)).toBe(false);
  });
});
