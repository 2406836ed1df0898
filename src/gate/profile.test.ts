import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { compilePolicy, policyFromObject, spawnTerms } from '../policy/index.ts';
import type { SandboxProfile } from '../sandbox/index.ts';
import { watchControlFiles } from './control-files.ts';
import { openProfiles, type Profiles } from './profile.ts';

let top: string;
let root: string;
beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-profile-')));
  root = join(top, 'work');
  mkdirSync(root);
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

function write(path: string, text = 'x'): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const READ_ALL = { file_read: { allowedPaths: ['.'], deniedPaths: ['.env*', '*.key', 'secrets/'] } };
const WRITE_ALL = { ...READ_ALL, file_write: { allowedPaths: ['.'] } };

interface Compiling {
  readonly profiles: Profiles;
  compile(): Promise<SandboxProfile>;
}

function compiling(tools: object, shell: object = {}): Compiling {
  const policy = policyFromObject({
    version: 1,
    tools: { shell: { allowedCommands: ['ls'], isolation: 'gvisor', ...shell }, ...tools },
  });
  const terms = spawnTerms(compilePolicy(policy, { root, tools: ['shell'] }), 'shell');
  if (terms === null) throw new Error('no terms');
  const control = watchControlFiles({
    root,
    home: join(top, 'home'),
    policyFile: join(root, 'sallyport.yaml'),
    stateFolders: [join(top, 'state')],
  });
  const profiles = openProfiles(control, { isPlaceholder: async (path) => path.endsWith('/.mcp.json') });
  return { profiles, compile: () => profiles.compile({ terms, wallMs: 1, outputBytes: 1, runtime: [], egress: null }) };
}

const compile = (tools: object, shell: object = {}): Promise<SandboxProfile> => compiling(tools, shell).compile();
const below = (path: string): string => (path === root ? '.' : path.slice(root.length + 1));
const mountsOf = ({ mounts }: SandboxProfile): string[] => mounts.map(({ path, access }) => `${access} ${below(path)}`);
const coversOf = ({ covers }: SandboxProfile): string[] => covers.map(({ path, kind }) => `${kind} ${below(path)}`);

describe('mounts', () => {
  it('are what the rules allow, and nothing else', async () => {
    for (const path of ['src/a', 'docs/b', 'out/c', 'README.md']) write(path);
    const tools = { file_read: { allowedPaths: ['src/'] }, file_write: { allowedPaths: ['out/', 'missing/'] } };
    expect(mountsOf(await compile(tools))).toEqual(['read .', 'write out']);
    expect(mountsOf(await compile(tools, { allowedPaths: ['src/'] }))).toEqual(['write src']);
  });

  it('are single files for a glob that names files, whose folder stays out', async () => {
    for (const path of ['a/x.ts', 'a/y.js', 'a/b/z.ts', 'a/b.ts/inside']) write(path);
    expect(mountsOf(await compile({}, { allowedPaths: ['a/*.ts', 'a/**/z.*'] }))).toEqual([
      'write a/b/z.ts',
      'write a/x.ts',
    ]);
  });

  it('are nothing where the way to an allowed folder is a link', async () => {
    write('real/a');
    symlinkSync('/etc', join(root, 'src'));
    symlinkSync('real', join(root, 'lib'));
    expect(mountsOf(await compile({}, { allowedPaths: ['src/', 'lib/'] }))).toEqual([]);
  });

  it('are refused for the whole machine', async () => {
    for (const entry of ['/', '/**/*.ts'])
      await expect(compile({}, { allowedPaths: [entry] })).rejects.toMatchObject({ code: 'SANDBOX_FAILED' });
  });
});

describe('covers', () => {
  it('hide what any rule withholds, at any depth', async () => {
    for (const path of ['.env', 'a/.env.local', 'a/b/x.key', 'secrets/s', 'a/Secrets/t', 'plain']) write(path);
    expect(coversOf(await compile(READ_ALL))).toEqual([
      ...['hidden .env', 'hidden a/.env.local', 'hidden a/Secrets', 'hidden a/b/x.key', 'hidden secrets'],
    ]);
  });

  it('leave control files, repositories and what runs by itself to be read', async () => {
    for (const path of [
      '.git/config',
      '.mcp.json',
      'sallyport.yaml',
      'package.json',
      'sub/.claude/settings.json',
      'bare/HEAD',
      'bare/objects/x',
      'node_modules/a/i.js',
      'src/a',
    ])
      write(path);
    expect(coversOf(await compile(WRITE_ALL))).toEqual([
      ...[
        'read-only .git',
        'read-only .mcp.json',
        'read-only bare',
        'read-only node_modules',
        'read-only package.json',
      ],
      ...['read-only sallyport.yaml', 'read-only sub/.claude/settings.json'],
    ]);
  });

  it('are not needed where nothing can be written', async () => {
    for (const path of ['.git/config', 'package.json']) write(path);
    expect(coversOf(await compile(READ_ALL))).toEqual([]);
  });

  it('let be written what an entry names, but no control file', async () => {
    for (const path of ['package.json', '.mcp.json', '.git/config']) write(path);
    const profile = await compile({ file_write: { allowedPaths: ['package.json', '.m*', '.g*/'] } });
    expect(mountsOf(profile)).toEqual(['read .', 'write package.json']);
  });

  it('hide other names of what is withheld, wherever that lies', async () => {
    for (const path of ['.env', 'secrets/deep/s', 'src/a']) write(path);
    linkSync(join(root, '.env'), join(root, 'src/env.txt'));
    linkSync(join(root, 'secrets/deep/s'), join(root, 'src/s.txt'));
    expect(coversOf(await compile(READ_ALL))).toEqual([
      'hidden .env',
      'hidden secrets',
      'hidden src/env.txt',
      'hidden src/s.txt',
    ]);
    const shell = { allowedPaths: ['src/'] };
    expect(coversOf(await compile(READ_ALL, shell))).toEqual(['hidden src/env.txt', 'hidden src/s.txt']);
  });

  it('let nobody write a file that has another name elsewhere', async () => {
    for (const path of ['src/a', 'src/b', 'src/plain']) write(path);
    writeFileSync(join(top, 'elsewhere'), 'x');
    linkSync(join(top, 'elsewhere'), join(root, 'src/outside'));
    linkSync(join(root, 'src/a'), join(root, 'src/a2'));
    expect(coversOf(await compile({ file_write: { allowedPaths: ['src/'] } }))).toEqual(['read-only src/outside']);
  });

  it('hide the state folder under any name', async () => {
    mkdirSync(join(top, 'state'));
    writeFileSync(join(top, 'state/key'), 'k');
    write('src/a');
    linkSync(join(top, 'state/key'), join(root, 'src/key.txt'));
    expect(coversOf(await compile(WRITE_ALL))).toContain('hidden src/key.txt');
  });

  it('hide where a withheld link leads, and sockets and pipes', async () => {
    for (const path of ['conf/prod', 'src/a']) write(path);
    symlinkSync('conf/prod', join(root, '.env'));
    symlinkSync('.', join(root, 'loop.key'));
    execFileSync('mkfifo', [join(root, 'src/pipe')]);
    const server = createServer().listen(join(root, 'src/socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      expect(coversOf(await compile(READ_ALL))).toEqual(['hidden conf/prod', 'hidden src/pipe', 'hidden src/socket']);
    } finally {
      server.close();
    }
  });

  it('keep a link in the place of a control file, or there is no sandbox', async () => {
    for (const path of ['sub/other.json', 'sub/deep/x']) write(path);
    symlinkSync('../other.json', join(root, 'sub/deep/.mcp.json'));
    expect(coversOf(await compile(WRITE_ALL))).toEqual(['read-only sub/deep', 'read-only sub/other.json']);
    symlinkSync('sub/other.json', join(root, '.mcp.json'));
    await expect(compile(WRITE_ALL)).rejects.toMatchObject({ code: 'SANDBOX_FAILED' });
  });

  it('lie on what only writing is kept from as on a control file', async () => {
    for (const path of ['gen/a', 'src/b']) write(path);
    const tools = { file_write: { allowedPaths: ['.'], deniedPaths: ['gen/'] } };
    expect(coversOf(await compile(tools))).toEqual(['read-only gen']);
  });
});

describe('reserved places', () => {
  it('are the control files that do not exist where they could be made, and what is denied by name', async () => {
    write('.claude/other');
    const { reserved } = await compile(WRITE_ALL);
    const places = reserved.map(below);
    for (const path of [
      '.mcp.json',
      '.git',
      '.cursor',
      '.claude/settings.json',
      '.claude/hooks',
      'sallyport.yaml',
      'secrets',
    ])
      expect(places).toContain(path);
    expect(places).not.toContain('.claude');
    expect(places).not.toContain('node_modules');
  });

  it('are none where nothing can be made', async () => {
    mkdirSync(join(root, 'src'));
    expect((await compile({ ...READ_ALL, file_write: { allowedPaths: ['src/'] } })).reserved).toEqual([]);
  });

  it('are what another sandbox keeps there for the time it runs', async () => {
    mkdirSync(join(root, '.mcp.json'));
    mkdirSync(join(root, '.cursor'));
    const profile = await compile(WRITE_ALL);
    expect(profile.reserved.map(below)).toContain('.mcp.json');
    expect(coversOf(profile)).toEqual(['read-only .cursor']);
  });
});

describe('a profile of the disk as it is now', () => {
  it.each<[string, () => void, string]>([
    ['a file', () => void write('src/new.key'), 'hidden src/new.key'],
    ['a folder far below', () => void write('src/d/b/c/secrets/x'), 'hidden src/d/b/c/secrets'],
    ['another name of a withheld file', () => linkSync(join(root, '.env'), join(root, 'src/e')), 'hidden src/e'],
    [
      'a folder that was swapped for another',
      () => {
        write('other/deep.key');
        renameSync(join(root, 'src'), join(root, 'old'));
        renameSync(join(root, 'other'), join(root, 'src'));
      },
      'hidden src/deep.key',
    ],
    [
      'a folder whose times were set back',
      () => {
        write('src/back.key');
        execFileSync('touch', ['-d', '2020-01-01', join(root, 'src')]);
      },
      'hidden src/back.key',
    ],
  ])('knows %s', async (_title, change, cover) => {
    for (const path of ['.env', 'src/a']) write(path);
    const { compile: again } = compiling(READ_ALL);
    await again();
    await new Promise((resolve) => setTimeout(resolve, 80)); // until what was read is old enough to be remembered
    await again();
    change();
    expect(coversOf(await again())).toContain(cover);
  });
});

test('a workspace with a name that is no text has no sandbox', async () => {
  write('src/a');
  execFileSync('bash', ['-c', 'touch "$1"/$\'\\xff\'', 'bash', join(root, 'src')]);
  expect(existsSync(join(root, 'src/a'))).toBe(true);
  await expect(compile(READ_ALL)).rejects.toMatchObject({ code: 'SANDBOX_FAILED' });
});

test('more covers than a sandbox can take are an error, not fewer covers', async () => {
  for (let index = 0; index < 2_001; index += 1) write(`k/${index}.key`);
  await expect(compile(READ_ALL)).rejects.toMatchObject({ code: 'SANDBOX_FAILED' });
});
