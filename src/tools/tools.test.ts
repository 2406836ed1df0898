import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileSchema, DEFAULT_LIMITS, type JsonObject, type Limits } from '../core/index.ts';
import { watchControlFiles } from '../gate/control-files.ts';
import { openPath } from '../gate/open-path.ts';
import { readPath } from '../gate/path-facts.ts';
import type { Tool, ToolOutput } from '../gate/tool.ts';
import { builtInTools, fileList, fileRead, fileSearch, fileWrite } from './index.ts';
import { readLines } from './read-lines.ts';

const top = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-tools-')));
const root = join(top, 'project');
const control = watchControlFiles({ root, home: null, policyFile: null, stateFolders: [join(top, 'state')] });

const principal = { tenant: 't', user: 'u', agent: 'a', session: 's', proof: 'local' } as const;

/** Runs a tool as the gate does, with everything allowed but what `deny` matches. */
async function run(
  tool: Tool,
  args: JsonObject,
  { deny = /\.env$|secrets|outside/, signal = new AbortController().signal } = {},
) {
  const use = tool.paths?.['path'];
  const given = typeof args['path'] === 'string' ? args['path'] : '.';
  if (use === undefined) throw new Error('the tool declares no path');
  const options = { root, use, control, limits: DEFAULT_LIMITS };
  const judged = readPath(given, options);
  if ('trouble' in judged) throw new Error(judged.trouble);
  const path = openPath(judged, {
    ...options,
    judgeChild: (child) => child.kind !== 'special' && !deny.test(child.real),
  });
  const output = await tool.execute(args, { signal, root, session: 's', principal, paths: { path } });
  return typeof output === 'string' ? ({ content: [{ type: 'text', text: output }] } satisfies ToolOutput) : output;
}

const texts = ({ content }: ToolOutput): string[] =>
  content.map((piece) => (piece.type === 'text' ? piece.text : piece.type));
const lines = (output: ToolOutput): string[] => (texts(output)[0] ?? '').split('\n');

const put = (name: string, content: string | Buffer): void => {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), content);
};

const small = (limits: Partial<Limits>) => ({ limits });

beforeAll(() => {
  put('src/a.ts', 'one\ntwo\nthree\n');
  put('src/b.tsx', 'const two = 2;\r\n// TWO');
  put('src/deep/er/c.ts', 'two');
  put('.env', 'two=secret');
  put('secrets/key.ts', 'two');
  put('node_modules/x/index.ts', 'two');
  put('outside-link-target.txt', '');
  put('bin/data', Buffer.from([0x74, 0x77, 0x6f, 0, 1, 2]));
  put('latin.txt', Buffer.from('caf\xe9 two\n', 'latin1'));
  put('empty.txt', '');
  put('big.txt', 'x'.repeat(200_000));
  put('many.txt', Array.from({ length: 5_000 }, (_, index) => `line ${index + 1}\n`).join(''));
  mkdirSync(join(top, 'outside'));
  writeFileSync(join(top, 'outside/o.ts'), 'two');
  symlinkSync('../../outside', join(root, 'src/out'));
  symlinkSync('deep', join(root, 'src/down'));
  symlinkSync('a.ts', join(root, 'src/link.ts'));
  symlinkSync('nowhere', join(root, 'src/void'));
  execFileSync('mkfifo', [join(root, 'src/fifo')]);
});

afterAll(() => rmSync(top, { recursive: true, force: true }));

describe('the built-in tools', () => {
  test('have these names', () => {
    expect(builtInTools().map(({ name }) => name)).toEqual([
      'file_read',
      'file_list',
      'file_search',
      'file_write',
      'shell',
      'api_call',
    ]);
  });

  test.each(builtInTools())('$name: a strict schema of our own dialect, over what the gate judged', (tool) => {
    expect(() => compileSchema(tool.schema)).not.toThrow();
    expect(tool.schema['additionalProperties']).toBe(false);
    // The two that take no path take a command line and a request: both are read by their names.
    expect([tool.runs, ...Object.keys(tool.paths ?? {})]).toEqual(
      { shell: ['spawned'], api_call: ['built-in'] }[tool.name] ?? ['built-in', 'path'],
    );
  });
});

describe('file_read', () => {
  test('gives a file as it is', async () => {
    expect(texts(await run(fileRead(), { path: 'src/a.ts' }))).toEqual(['one\ntwo\nthree\n']);
    expect(texts(await run(fileRead(), { path: 'src/b.tsx' }))).toEqual(['const two = 2;\r\n// TWO']);
  });

  test('gives the lines asked for, and says how to go on', async () => {
    expect(texts(await run(fileRead(), { path: 'src/a.ts', offset: 2, limit: 1 }))).toEqual([
      'two\n',
      'Lines 2 to 2 of a file of 14 bytes. Go on with offset 3.',
    ]);
    expect(texts(await run(fileRead(), { path: 'src/a.ts', offset: 3 }))).toEqual(['three\n']);
    expect(texts(await run(fileRead(), { path: 'many.txt' }))[1]).toBe(
      'Lines 1 to 2000 of a file of 48893 bytes. Go on with offset 2001.',
    );
    expect(lines(await run(fileRead(), { path: 'many.txt', offset: 4_999 }))).toEqual(['line 4999', 'line 5000', '']);
  });

  test('goes on from cut to cut without losing a byte', async () => {
    const tool = fileRead(small({ fileReadBytes: 1_000 }));
    let [offset, whole] = [1, ''];
    for (let note: string | undefined = ''; note !== undefined; ) {
      const [text, next] = texts(await run(tool, { path: 'many.txt', offset }));
      whole += text;
      note = next;
      offset = Number(/offset (\d+)/.exec(next ?? '')?.[1] ?? 0);
    }
    expect(whole).toBe(readFileSync(join(root, 'many.txt'), 'utf8'));
  });

  test('cuts a line that is longer than the limit, and says so', async () => {
    const [text, note] = texts(await run(fileRead(small({ fileReadBytes: 1_000 })), { path: 'big.txt' }));
    expect(text).toBe('x'.repeat(1_000));
    expect(note).toBe('Line 1 is cut: it is longer than 1000 bytes.');
  });

  test('cuts between characters', async () => {
    put('wide.txt', 'é'.repeat(1_000));
    const [text] = texts(await run(fileRead(small({ fileReadBytes: 1_001 })), { path: 'wide.txt' }));
    expect(text).toBe('é'.repeat(500));
  });

  test.each([
    ['empty.txt', {}, ['', 'The file is empty.']],
    ['src/a.ts', { offset: 9 }, ['', 'The file has 3 complete lines: there is no line 9.']],
    ['bin/data', {}, ['', '"bin/data" is a binary file of 6 bytes and is not shown.']],
    [
      'latin.txt',
      {},
      ['caf\ufffd two\n', 'Bytes that are not UTF-8 stand as U+FFFD: writing this text back would change the file.'],
    ],
  ])('%s %j', async (path, args, expected) => {
    expect(texts(await run(fileRead(), { path, ...args }))).toEqual(expected);
  });

  test('bytes that would grow beyond the limit when replaced are a binary file', async () => {
    put('noise', Buffer.alloc(900, 0xff));
    const [text, note] = texts(await run(fileRead(small({ fileReadBytes: 1_000 })), { path: 'noise' }));
    expect([text, note]).toEqual(['', '"noise" is a binary file of 900 bytes and is not shown.']);
  });

  test('a sparse giant costs no more than its window', async () => {
    put('giant', 'begin\n');
    truncateSync(join(root, 'giant'), 1e12);
    expect(texts(await run(fileRead(), { path: 'giant', limit: 1 }))[0]).toBe('begin\n');
    expect(texts(await run(fileRead(), { path: 'giant', offset: 3 }))[1]).toContain('too far inside');
  });

  test('a file that grows is read as far as it went when it was opened', async () => {
    put('growing.log', 'x\n'.repeat(100_000));
    const file = await open(join(root, 'growing.log'));
    const { size } = await file.stat();
    appendFileSync(join(root, 'growing.log'), 'new\n'.repeat(50_000));
    const { signal } = new AbortController();
    const read = await readLines(file, size, { offset: 1, limit: 1_000_000, maxBytes: 1_000_000, signal });
    await file.close();
    expect(read).toMatchObject({ count: 100_000, stop: 'end' });
    expect(read.bytes.toString()).toBe('x\n'.repeat(100_000));
  });

  test.each([
    ['src', 'PATH_NOT_FILE'],
    ['none.txt', 'PATH_NOT_FOUND'],
    ['src/fifo', 'PATH_SPECIAL_FILE'],
  ])('%s: %s', async (path, code) => {
    await expect(run(fileRead(), { path })).rejects.toMatchObject({ code });
  });

  test('stops when told', async () => {
    const stopped = AbortSignal.abort(new Error('stop'));
    await expect(run(fileRead(), { path: 'many.txt' }, { signal: stopped })).rejects.toThrow('stop');
  });
});

describe('file_list', () => {
  test('shows what the policy allows, links with their target, no special files', async () => {
    expect(lines(await run(fileList(), { path: 'src' }))).toEqual([
      'src/a.ts',
      'src/b.tsx',
      'src/deep/',
      'src/down -> src/deep/',
      'src/link.ts -> src/a.ts',
      'src/void -> src/nowhere (missing)',
    ]);
  });

  test('goes deeper on request, but not through links', async () => {
    const listed = lines(await run(fileList(), { path: 'src', depth: 3 }));
    expect(listed.filter((line) => line.includes('deep'))).toEqual([
      'src/deep/',
      'src/deep/er/',
      'src/deep/er/c.ts',
      'src/down -> src/deep/',
    ]);
  });

  test('the workspace is the default, and withheld names do not show', async () => {
    const listed = lines(await run(fileList(), { depth: 10 }));
    expect(listed).toContain('src/');
    expect(listed.filter((line) => /\.env|secrets|outside\//.test(line))).toEqual([]);
  });

  test('is cut at the limit of entries, and says so', async () => {
    const [text, note] = texts(await run(fileList(small({ listEntries: 2 })), { path: 'src' }));
    expect(text).toBe('src/a.ts\nsrc/b.tsx');
    expect(note).toBe('Cut after 2 entries: list a folder further down, or fewer levels.');
  });

  test('a file: PATH_NOT_FOLDER', async () => {
    await expect(run(fileList(), { path: 'src/a.ts' })).rejects.toMatchObject({ code: 'PATH_NOT_FOLDER' });
  });

  test('an empty folder', async () => {
    mkdirSync(join(root, 'void'));
    expect(texts(await run(fileList(), { path: 'void' }))).toEqual(['', 'Nothing to show here.']);
  });
});

describe('file_search', () => {
  const search = async (args: JsonObject, options: { limits?: Partial<Limits> } = {}): Promise<string[]> =>
    lines(await run(fileSearch(options), args));

  test('finds lines in what the policy allows, links not followed', async () => {
    expect(await search({ pattern: 'two' })).toEqual([
      'latin.txt:1: caf\ufffd two',
      'src/a.ts:2: two',
      'src/b.tsx:1: const two = 2;',
      'src/deep/er/c.ts:1: two',
    ]);
  });

  test.each<[string, JsonObject, string[]]>([
    ['a literal that looks like a pattern', { pattern: 't.o' }, ['']],
    [
      'a regular expression',
      { pattern: '^t.o$', regex: true, path: 'src' },
      ['src/a.ts:2: two', 'src/deep/er/c.ts:1: two'],
    ],
    ['a glob on names', { pattern: 'two', glob: '*.tsx' }, ['src/b.tsx:1: const two = 2;']],
    ['a glob on paths', { pattern: 'two', glob: 'src/*/**/*.{ts,js}' }, ['src/deep/er/c.ts:1: two']],
    ['a glob relative to the folder', { pattern: 'two', path: 'src/deep', glob: 'er/*' }, ['src/deep/er/c.ts:1: two']],
    [
      'a glob relative to a linked folder',
      { pattern: 'two', path: 'src/down', glob: 'er/*' },
      ['src/deep/er/c.ts:1: two'],
    ],
    ['one file', { pattern: 'TWO', path: 'src/b.tsx' }, ['src/b.tsx:2: // TWO']],
    [
      'a folder that is passed over unless named',
      { pattern: 'two', path: 'node_modules' },
      ['node_modules/x/index.ts:1: two'],
    ],
  ])('%s', async (_, args, expected) => {
    expect(await search(args)).toEqual(expected);
  });

  test('ends at the number of matches asked for, and says so', async () => {
    const [text, note] = texts(await run(fileSearch(), { pattern: 'line', path: 'many.txt', maxMatches: 2 }));
    expect(text).toBe('many.txt:1: line 1\nmany.txt:2: line 2');
    expect(note).toBe('Ended after 2 matches: narrow path, glob or pattern.');
  });

  test('ends at the number of files', async () => {
    const notes = texts(await run(fileSearch(small({ searchFiles: 1 })), { pattern: 'nothing' }))[1];
    expect(notes).toContain('Ended after 1 files');
  });

  test('says what was not searched', async () => {
    const [, note] = texts(await run(fileSearch(small({ fileReadBytes: 1_000 })), { pattern: 'qqq', path: '.' }));
    expect(note).toMatch(/^No matches\. Not searched: \d+ binary, \d+ too large\.$/);
  });

  test('shows the part of a long line around the match', async () => {
    put('long.txt', `${'a'.repeat(5_000)}needle${'b'.repeat(5_000)}`);
    const [line] = await search({ pattern: 'needle', path: 'long.txt' });
    expect(line).toHaveLength('long.txt:1: '.length + 302);
    expect(line).toContain('aneedleb');
  });

  test('a catastrophic pattern is only a pattern', async () => {
    put('evil.txt', `${'a'.repeat(3_000)}!`);
    expect(await search({ pattern: '^(a+)+$', regex: true, path: 'evil.txt' })).toEqual(['']);
  });

  test('a pattern for the engine of another language: SCHEMA_INVALID', async () => {
    await expect(search({ pattern: '(?<=a)b', regex: true })).rejects.toMatchObject({ code: 'SCHEMA_INVALID' });
  });

  test('refuses patterns of several lines and globs that multiply', async () => {
    expect(await run(fileSearch(), { pattern: 'a\nb' })).toMatchObject({ isError: true });
    expect(await run(fileSearch(), { pattern: 'a', glob: '{a,b}'.repeat(10) })).toMatchObject({ isError: true });
  });

  test('stops when told', async () => {
    const controller = new AbortController();
    const searching = run(fileSearch(), { pattern: 'two' }, { signal: controller.signal });
    controller.abort(new Error('stop'));
    await expect(searching).rejects.toThrow('stop');
  });
});

describe('file_write', () => {
  test('creates and replaces', async () => {
    expect(texts(await run(fileWrite(), { path: 'new/x.txt', content: 'é\n' }))).toEqual([
      'Created "new/x.txt", 3 bytes.',
    ]);
    expect(readFileSync(join(root, 'new/x.txt'), 'utf8')).toBe('é\n');
    expect(texts(await run(fileWrite(), { path: 'new/x.txt', content: '' }))).toEqual([
      'Replaced "new/x.txt", 0 bytes.',
    ]);
    expect(readFileSync(join(root, 'new/x.txt'), 'utf8')).toBe('');
  });

  test('mode create leaves an existing file alone', async () => {
    const output = await run(fileWrite(), { path: 'src/a.ts', content: 'x', mode: 'create' });
    expect(output.isError).toBe(true);
    expect(readFileSync(join(root, 'src/a.ts'), 'utf8')).toBe('one\ntwo\nthree\n');
  });

  test('more than the limit: CONTENT_TOO_LARGE, nothing written', async () => {
    const tool = fileWrite(small({ fileWriteBytes: 3 }));
    await expect(run(tool, { path: 'large.txt', content: 'éé' })).rejects.toMatchObject({ code: 'CONTENT_TOO_LARGE' });
    expect(existsSync(join(root, 'large.txt'))).toBe(false);
  });

  test('a folder: PATH_NOT_FILE', async () => {
    await expect(run(fileWrite(), { path: 'src', content: 'x' })).rejects.toMatchObject({ code: 'PATH_NOT_FILE' });
  });
});
