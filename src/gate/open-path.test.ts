import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../core/index.ts';
import type { PathFacts, PathUse } from '../policy/index.ts';
import { type ControlFiles, watchControlFiles } from './control-files.ts';
import { openPath } from './open-path.ts';
import type { OpenedPath } from './opened-path.ts';
import { readPath } from './path-facts.ts';

let top: string;
let root: string;
let control: ControlFiles;

beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-open-path-')));
  root = join(top, 'project');
  mkdirSync(join(root, 'src/deep'), { recursive: true });
  mkdirSync(join(top, 'outside'));
  writeFileSync(join(root, 'src/a.ts'), 'inside');
  writeFileSync(join(top, 'outside/a.ts'), 'outside');
  control = watchControlFiles({ root, home: null, policyFile: null, stateFolders: [join(top, 'state')] });
});

afterEach(() => rmSync(top, { recursive: true, force: true }));

const facts = (given: string, use: PathUse): PathFacts => {
  const reading = readPath(given, { root, use, control, limits: DEFAULT_LIMITS });
  if ('trouble' in reading) throw new Error(reading.trouble);
  return reading;
};

const opened = (given: string, use: PathUse = 'file_read', deny: RegExp = /$^/, limits = DEFAULT_LIMITS): OpenedPath =>
  openPath(facts(given, use), { root, use, control, limits, judgeChild: (child) => !deny.test(child.real) });

const content = async (path: OpenedPath): Promise<string> => {
  const handle = await path.openFile();
  try {
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
};

const inFolder = (name: string): string[] => readdirSync(join(root, name)).sort();

describe('openFile', () => {
  test('reads the judged file', async () => {
    expect(await content(opened('src/a.ts'))).toBe('inside');
  });

  test('follows a link to what was judged', async () => {
    symlinkSync('src/a.ts', join(root, 'link.ts'));
    const path = opened('link.ts');
    expect(path).toMatchObject({ display: 'link.ts', linkedTo: 'src/a.ts' });
    expect(await content(path)).toBe('inside');
  });

  test.each([
    ['src', 'PATH_NOT_FILE'],
    ['src/none.ts', 'PATH_NOT_FOUND'],
    ['/dev/zero', 'PATH_SPECIAL_FILE'],
  ])('%s: %s', async (given, code) => {
    await expect(opened(given).openFile()).rejects.toMatchObject({ code });
  });

  test('the file replaced by another', async () => {
    const path = opened('src/a.ts');
    writeFileSync(join(root, 'src/b.ts'), 'other');
    renameSync(join(root, 'src/b.ts'), join(root, 'src/a.ts'));
    await expect(path.openFile()).rejects.toMatchObject({ code: 'PATH_CHANGED' });
  });

  test('the file replaced by a link to another', async () => {
    const path = opened('src/a.ts');
    unlinkSync(join(root, 'src/a.ts'));
    symlinkSync(join(top, 'outside/a.ts'), join(root, 'src/a.ts'));
    await expect(path.openFile()).rejects.toMatchObject({ code: 'PATH_CHANGED' });
  });

  test('the file gone', async () => {
    const path = opened('src/a.ts');
    unlinkSync(join(root, 'src/a.ts'));
    await expect(path.openFile()).rejects.toMatchObject({ code: 'PATH_CHANGED' });
  });

  test('its folder replaced by a link, the file moved along: same inode, another place', async () => {
    const path = opened('src/a.ts');
    renameSync(join(root, 'src'), join(top, 'outside/src'));
    symlinkSync(join(top, 'outside/src'), join(root, 'src'));
    await expect(path.openFile()).rejects.toMatchObject({ code: 'PATH_CHANGED' });
  });

  test('no descriptor is left open', async () => {
    const before = readdirSync('/proc/self/fd').length;
    const path = opened('src/a.ts');
    await content(path);
    unlinkSync(join(root, 'src/a.ts'));
    await expect(path.openFile()).rejects.toThrow();
    await opened('src').children();
    await opened('src/new.ts', 'file_write').replace(Buffer.from('x'));
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describe('children', () => {
  const names = async (path: OpenedPath): Promise<string[]> => {
    const found: string[] = [];
    for await (const { display, kind, linkedTo } of (await path.children()).entries) {
      found.push(`${display} ${kind} ${linkedTo ?? '-'}`);
    }
    return found;
  };

  beforeEach(() => {
    writeFileSync(join(root, 'src/.env'), 'S=1');
    symlinkSync('../../outside/a.ts', join(root, 'src/out'));
    symlinkSync('deep', join(root, 'src/down'));
    symlinkSync('nowhere', join(root, 'src/void'));
    writeFileSync(join(root, 'src/bad\nname'), '');
    writeFileSync(Buffer.from(`${root}/src/bad\xff`, 'latin1'), '');
  });

  test('are judged one by one, by their real path', async () => {
    expect(await names(opened('src', 'file_read', /\.env$|outside/))).toEqual([
      'src/a.ts file -',
      'src/deep folder -',
      'src/down folder src/deep',
      'src/void missing src/nowhere',
    ]);
  });

  test('of the root are named without it', async () => {
    expect(await names(opened('.'))).toEqual(['src folder -']);
    expect(opened('.').display).toBe('.');
  });

  test('are cut at the limit of names', async () => {
    const path = opened('src', 'file_read', /$^/, { ...DEFAULT_LIMITS, searchFiles: 3 });
    expect((await path.children()).complete).toBe(false);
    expect((await names(path)).length).toBeLessThanOrEqual(3);
  });

  test('of a folder that was replaced by a link', async () => {
    const path = opened('src');
    renameSync(join(root, 'src'), join(root, 'old'));
    symlinkSync(join(top, 'outside'), join(root, 'src'));
    await expect(path.children()).rejects.toMatchObject({ code: 'PATH_CHANGED' });
  });

  test('of a file', async () => {
    await expect(opened('src/a.ts').children()).rejects.toMatchObject({ code: 'PATH_NOT_FOLDER' });
  });
});

describe('replace', () => {
  const write = (path: OpenedPath, text = 'new'): Promise<void> => path.replace(Buffer.from(text));

  test('creates a file, and the folders above it', async () => {
    await write(opened('src/x/y/z.ts', 'file_write'));
    expect(readFileSync(join(root, 'src/x/y/z.ts'), 'utf8')).toBe('new');
    expect(statSync(join(root, 'src/x/y/z.ts')).mode & 0o777).toBe(0o644 & ~process.umask());
    expect(inFolder('src/x/y')).toEqual(['z.ts']);
  });

  test('overwrites a file, keeping its mode but not its set-user-id bit', async () => {
    chmodSync(join(root, 'src/a.ts'), 0o4750);
    await write(opened('src/a.ts', 'file_write'), 'x'.repeat(100_000));
    expect(readFileSync(join(root, 'src/a.ts'), 'utf8')).toBe('x'.repeat(100_000));
    expect(statSync(join(root, 'src/a.ts')).mode & 0o7777).toBe(0o750);
    expect(inFolder('src')).toEqual(['a.ts', 'deep']);
  });

  test('through a link writes what was judged, and the link stays', async () => {
    symlinkSync('src/a.ts', join(root, 'link.ts'));
    await write(opened('link.ts', 'file_write'));
    expect(readFileSync(join(root, 'src/a.ts'), 'utf8')).toBe('new');
    expect(realpathSync(join(root, 'link.ts'))).toBe(join(root, 'src/a.ts'));
  });

  test('leaves another hard link alone', async () => {
    linkSync(join(root, 'src/a.ts'), join(root, 'hard.ts'));
    await write(opened('src/a.ts', 'file_write'));
    expect(readFileSync(join(root, 'hard.ts'), 'utf8')).toBe('inside');
  });

  test.each([
    ['src/deep', 'PATH_NOT_FILE'],
    ['/dev/null', 'PATH_NOT_FILE'],
    ['src/a.ts/x', 'PATH_NOT_FOLDER'],
    [`${'d/'.repeat(34)}x`, 'PATH_NOT_FOUND'],
  ])('%s: %s', async (given, code) => {
    const expected = given === '/dev/null' ? 'PATH_SPECIAL_FILE' : code;
    await expect(write(opened(given, 'file_write'))).rejects.toMatchObject({ code: expected });
    expect(existsSync(join(root, 'd'))).toBe(false);
  });

  test('32 missing folders are made', async () => {
    await write(opened(`${'d/'.repeat(32)}x`, 'file_write'));
    expect(readFileSync(join(root, 'd/'.repeat(32), 'x'), 'utf8')).toBe('new');
  });

  test.each<[string, string, () => void]>([
    ['a file that appeared', 'src/new.ts', () => writeFileSync(join(root, 'src/new.ts'), 'theirs')],
    ['a link that appeared', 'src/new.ts', () => symlinkSync(join(top, 'outside/a.ts'), join(root, 'src/new.ts'))],
    [
      'a file replaced by a link',
      'src/a.ts',
      () => {
        unlinkSync(join(root, 'src/a.ts'));
        symlinkSync(join(top, 'outside/a.ts'), join(root, 'src/a.ts'));
      },
    ],
    ['a file that is gone', 'src/a.ts', () => unlinkSync(join(root, 'src/a.ts'))],
    [
      'a folder replaced by a link',
      'src/a.ts',
      () => {
        renameSync(join(root, 'src'), join(root, 'old'));
        symlinkSync(join(top, 'outside'), join(root, 'src'));
      },
    ],
    [
      'a link in the place of a missing folder',
      'src/x/new.ts',
      () => symlinkSync(join(top, 'outside'), join(root, 'src/x')),
    ],
  ])('%s: PATH_CHANGED, nothing written', async (_, given, change) => {
    const path = opened(given, 'file_write');
    change();
    await expect(write(path)).rejects.toMatchObject({ code: 'PATH_CHANGED' });
    expect(readFileSync(join(top, 'outside/a.ts'), 'utf8')).toBe('outside');
    expect(readdirSync(join(top, 'outside'))).toEqual(['a.ts']);
    expect(
      inFolder('.')
        .flatMap((name) => inFolder(name))
        .filter((name) => name.endsWith('.tmp')),
    ).toEqual([]);
  });
});

// Root may do everything, so these say nothing there; CI runs as another user.
describe.skipIf(process.geteuid?.() === 0)('without the permission', () => {
  const writing = (given: string): Promise<void> => opened(given, 'file_write').replace(Buffer.from('x'));

  test('to read a file: PATH_UNREADABLE', async () => {
    chmodSync(join(root, 'src/a.ts'), 0o000);
    await expect(opened('src/a.ts').openFile()).rejects.toMatchObject({ code: 'PATH_UNREADABLE' });
  });

  test('to read a folder: PATH_UNREADABLE', async () => {
    chmodSync(join(root, 'src/deep'), 0o000);
    await expect(opened('src/deep').children()).rejects.toMatchObject({ code: 'PATH_UNREADABLE' });
    const beneath = readPath('src/deep/x', { root, use: 'file_read', control, limits: DEFAULT_LIMITS });
    expect(beneath).toHaveProperty('trouble', 'PATH_UNREADABLE');
    chmodSync(join(root, 'src/deep'), 0o755);
  });

  test('to write a file: PATH_UNWRITABLE, though its folder would let us replace it', async () => {
    chmodSync(join(root, 'src/a.ts'), 0o444);
    await expect(writing('src/a.ts')).rejects.toMatchObject({ code: 'PATH_UNWRITABLE' });
    expect(readFileSync(join(root, 'src/a.ts'), 'utf8')).toBe('inside');
  });

  test.each(['src/deep/new.ts', 'src/deep/new/new.ts'])(
    'to make entries in a folder: PATH_UNWRITABLE (%s)',
    async (given) => {
      chmodSync(join(root, 'src/deep'), 0o555);
      await expect(writing(given)).rejects.toMatchObject({ code: 'PATH_UNWRITABLE' });
      expect(inFolder('src/deep')).toEqual([]);
      chmodSync(join(root, 'src/deep'), 0o755);
    },
  );
});
