import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../core/index.ts';
import type { PathReading, PathUse } from '../policy/index.ts';
import { watchControlFiles } from './control-files.ts';
import { readPath } from './path-facts.ts';

const top = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-path-facts-')));
const root = join(top, 'project');
const control = watchControlFiles({ root, home: null, policyFile: null, stateFolders: [join(top, 'state')] });

const read = (given: string, use: PathUse = 'file_read'): PathReading =>
  readPath(given, { root, use, control, limits: DEFAULT_LIMITS });

const realOf = (given: string): string => {
  const reading = read(given);
  return 'real' in reading ? reading.real.replace(`${top}/`, '') : reading.trouble;
};

beforeAll(() => {
  mkdirSync(join(root, 'src/deep'), { recursive: true });
  mkdirSync(join(root, 'config/inner'), { recursive: true });
  mkdirSync(join(top, 'outside'));
  writeFileSync(join(root, 'src/a.ts'), 'a');
  writeFileSync(join(root, 'config/app.json'), '{}');
  writeFileSync(join(top, 'outside/passwd'), 'root');
  symlinkSync('../config/inner', join(root, 'src/inner'));
  symlinkSync('../../outside', join(root, 'src/out'));
  symlinkSync(join(top, 'outside/not-yet'), join(root, 'src/dangling'));
  symlinkSync('a.ts', join(root, 'src/link.ts'));
  symlinkSync('loop', join(root, 'src/loop'));
  symlinkSync(Buffer.from('a\xff', 'latin1'), join(root, 'src/not-utf8'));
  for (let at = 1; at <= 41; at++) symlinkSync(at === 1 ? 'a.ts' : `chain${at - 1}`, join(root, `src/chain${at}`));
  linkSync(join(root, 'src/a.ts'), join(root, 'src/hard.ts'));
  execFileSync('mkfifo', [join(root, 'src/fifo')]);
});

afterAll(() => rmSync(top, { recursive: true, force: true }));

describe('readPath refuses as text', () => {
  test.each([
    ['nothing', ''],
    ['NUL', 'src/a.ts\u0000.md'],
    ['newline', 'src/a.ts\n'],
    ['escape', 'src/\u001b[2K.env'],
    ['DEL', 'src/\u007f'],
    ['C1 control', 'src/\u009b2K'],
    ['bidi override', 'docs/\u202egnp.exe'],
    ['bidi isolate', 'docs/\u2066x'],
    ['Arabic letter mark', 'docs/\u061cx'],
    ['line separator', 'docs/a\u2028b'],
    ['lone surrogate', 'docs/\ud800'],
    ['home', '~/.ssh/id_rsa'],
    ['home of somebody', '~root/.bashrc'],
    ['file URL', 'file:///etc/passwd'],
    ['file URL, upper case', 'FILE:/etc/passwd'],
    ['other URL', 'https://example.com/x'],
    ['backslashes', 'src\\..\\.env'],
    ['UNC', '\\\\host\\share'],
    ['UNC with slashes', '//host/share'],
    ['drive', 'c:/windows'],
    ['drive-relative', 'C:x'],
  ])('%s', (_, given) => {
    expect(read(given)).toEqual({ given, trouble: 'PATH_MALFORMED' });
  });

  test('more than 4,096 bytes, also when fewer characters', () => {
    expect(read('a/'.repeat(2_049))).toHaveProperty('trouble', 'PATH_TOO_LONG');
    expect(read('é/'.repeat(1_500))).toHaveProperty('trouble', 'PATH_TOO_LONG');
    expect(read('a/'.repeat(2_000))).toHaveProperty('kind', 'missing');
  });

  test('a segment longer than 255 bytes', () => {
    expect(read(`src/${'é'.repeat(128)}`)).toHaveProperty('trouble', 'PATH_TOO_LONG');
    expect(read(`src/${'e'.repeat(255)}`)).toHaveProperty('kind', 'missing');
  });

  test.each(['src/new/', 'src/new/.', 'src/..', '.', './'])('a path to write that names a folder: %s', (given) => {
    expect(read(given, 'file_write')).toHaveProperty('trouble', 'PATH_MALFORMED');
  });
});

describe('readPath takes as they are', () => {
  test.each([
    'docs/cost $5.md',
    'docs/a;b|c.md',
    'docs/100%.md',
    '%2e%2e/x',
    'src/..hidden.ts',
    'docs/v1..v2.diff',
    'docs/日本語.md',
    'docs/a:b.md',
    'docs/~backup',
    '...',
  ])('%s', (given) => {
    expect(realOf(given)).toBe(`project/${given}`);
  });
});

describe('readPath resolves', () => {
  test.each([
    ['a file', 'src/a.ts', 'project/src/a.ts'],
    ['the root', '.', 'project'],
    ['dot segments', './src//./deep/../a.ts', 'project/src/a.ts'],
    ['an absolute path', `${root}/src/a.ts`, 'project/src/a.ts'],
    ['an absolute path that leaves the root', `${root}/../outside/passwd`, 'outside/passwd'],
    ['.. beyond the root', '../outside/passwd', 'outside/passwd'],
    ['.. beyond /', `${'../'.repeat(40)}${top.slice(1)}/outside/passwd`, 'outside/passwd'],
    ['a link to a file', 'src/link.ts', 'project/src/a.ts'],
    ['a link to a folder', 'src/inner', 'project/config/inner'],
    ['.. after a link, from its real parent', 'src/inner/../app.json', 'project/config/app.json'],
    ['a link out', 'src/out/passwd', 'outside/passwd'],
    ['a dangling link out', 'src/dangling', 'outside/not-yet'],
    ['a missing leaf', 'src/new.ts', 'project/src/new.ts'],
    ['missing folders', 'src/x/y/z.ts', 'project/src/x/y/z.ts'],
    ['a missing leaf in a linked folder', 'src/out/new', 'outside/new'],
    ['.. after what is missing, as text', 'src/nothing/../a.ts', 'project/src/a.ts'],
    ['.. after a file, as text', 'src/a.ts/../a.ts', 'project/src/a.ts'],
    ['a name below a file, as missing', 'src/a.ts/x', 'project/src/a.ts/x'],
    ['a slash after a file', 'src/a.ts/', 'project/src/a.ts'],
    ['40 links', 'src/chain40', 'project/src/a.ts'],
    ['41 links', 'src/chain41', 'PATH_TOO_MANY_LINKS'],
    ['a loop', 'src/loop', 'PATH_TOO_MANY_LINKS'],
    ['a link whose target is not UTF-8', 'src/not-utf8', 'PATH_UNREADABLE'],
    ['/proc', '/proc/self/environ', 'PATH_SPECIAL_FILE'],
    ['the file system root through /proc', `/proc/self/root${top}/outside/passwd`, 'PATH_SPECIAL_FILE'],
    ['the working folder through /proc', '/proc/self/cwd/package.json', 'PATH_SPECIAL_FILE'],
    ['a descriptor', '/dev/fd/0', 'PATH_SPECIAL_FILE'],
    ['/sys', '/sys/kernel', 'PATH_SPECIAL_FILE'],
  ])('%s', (_, given, expected) => {
    expect(realOf(given)).toBe(expected);
  });

  test.each([
    ['src/inner/../app.json', 'PATH_MALFORMED'],
    ['src/inner/../../src/a.ts', 'project/src/a.ts'],
    ['src/deep/../inner', 'project/config/inner'],
    ['src/deep/../a.ts', 'project/src/a.ts'],
    ['src/inner', 'project/config/inner'],
  ])('for somebody who opens by name: %s', (given, expected) => {
    const reading = readPath(given, {
      ...{ root, use: 'file_read', control, limits: DEFAULT_LIMITS },
      openedElsewhere: true,
    });
    expect('real' in reading ? reading.real.replace(`${top}/`, '') : reading.trouble).toBe(expected);
  });

  test('against the root only, never the working folder', () => {
    expect(read('package.json')).toMatchObject({ real: join(root, 'package.json'), kind: 'missing' });
  });

  test('a target longer than the limit is refused where the path itself is not', () => {
    const reading = readPath('src/inner', {
      root,
      use: 'file_read',
      control,
      limits: { pathBytes: 12, pathLinks: 40 },
    });
    expect(reading).toHaveProperty('trouble', 'PATH_TOO_LONG');
  });
});

describe('readPath says what it is', () => {
  test.each([
    ['src/a.ts', { kind: 'file', links: 2 }],
    ['config/app.json', { kind: 'file', links: 1 }],
    ['src', { kind: 'folder' }],
    ['src/new.ts', { kind: 'missing', links: 0, identity: null }],
    ['src/fifo', { kind: 'special' }],
    ['/dev/zero', { kind: 'special' }],
  ])('%s', (given, expected) => {
    expect(read(given)).toMatchObject(expected);
  });

  test('a socket', async () => {
    const server = createServer().listen(join(root, 'src/socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    expect(read('src/socket')).toMatchObject({ kind: 'special' });
    await new Promise((resolve) => server.close(resolve));
  });

  test('two names of one file have one identity', () => {
    const [first, second] = [read('src/a.ts'), read('src/hard.ts')];
    expect(first).toHaveProperty('identity', (second as { identity: string }).identity);
  });

  test('the reading is frozen and keeps the path as given', () => {
    const reading = read('./src//a.ts');
    expect(reading).toMatchObject({ given: './src//a.ts', lexical: join(root, 'src/a.ts') });
    expect(Object.isFrozen(reading)).toBe(true);
  });
});
