import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isSallyportError } from '../core/index.ts';
import { readHostFile, removeHostFile, replaceHostFile } from './host-file.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const codeOf = (action: () => void): string => {
  try {
    action();
  } catch (error) {
    return isSallyportError(error) ? error.code : String(error);
  }
  return 'none';
};

test('replaceHostFile: in one step, with the mode asked for, and nothing left beside it', () => {
  const path = join(folder, 'a', 'b.json');
  replaceHostFile(readHostFile(path, null), 'one', 0o600);
  chmodSync(path, 0o644);
  const file = readHostFile(path, null);
  replaceHostFile(file, 'two', 0o640);
  expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777, file.mode]).toEqual(['two', 0o640, 0o644]);
  expect(readdirSync(join(folder, 'a'))).toEqual(['b.json']);
});

test.each([
  ['another text', (path: string) => writeFileSync(path, 'theirs')],
  [
    'a link in its place',
    (path: string) => {
      rmSync(path);
      writeFileSync(`${path}.2`, 'mine');
      symlinkSync(`${path}.2`, path);
    },
  ],
])('what another program wrote meanwhile is not lost: %s', (_, change) => {
  const path = join(folder, 'b.json');
  writeFileSync(path, 'mine');
  const file = readHostFile(path, null);
  change(path);
  const now = readFileSync(path, 'utf8');
  expect(codeOf(() => replaceHostFile(file, 'new', 0o600))).toBe('CONNECT_CHANGED');
  expect(codeOf(() => removeHostFile(file))).toBe('CONNECT_CHANGED');
  expect(readFileSync(path, 'utf8')).toBe(now);
  expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('a file that appeared meanwhile is not overwritten', () => {
  const path = join(folder, 'b.json');
  const file = readHostFile(path, null);
  writeFileSync(path, 'theirs');
  expect(codeOf(() => replaceHostFile(file, 'new', 0o600))).toBe('CONNECT_CHANGED');
  expect(readFileSync(path, 'utf8')).toBe('theirs');
});

test('a folder of the project that became a link meanwhile is not followed', () => {
  const project = join(folder, 'project');
  mkdirSync(join(project, '.cursor'), { recursive: true });
  const file = readHostFile(join(project, '.cursor', 'mcp.json'), project);
  rmSync(join(project, '.cursor'), { recursive: true });
  mkdirSync(join(folder, 'secrets'));
  symlinkSync(join(folder, 'secrets'), join(project, '.cursor'));
  expect(codeOf(() => replaceHostFile(file, 'new', 0o600))).toBe('CONNECT_CHANGED');
  expect(readdirSync(join(folder, 'secrets'))).toEqual([]);
});

test('a folder above that is a file is refused by name', () => {
  writeFileSync(join(folder, 'a'), '');
  expect(codeOf(() => void readHostFile(join(folder, 'a', 'b.json'), null))).toBe('CONNECT_FILE');
});
