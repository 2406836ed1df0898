import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isSallyportError } from '../core/index.ts';
import { defaultStateFolder, openStateFolder } from './index.ts';

let base: string;
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-state-')));
  mkdirSync(join(base, 'work'));
});
afterEach(() => rmSync(base, { recursive: true }));

const codeOf = (folder: string, reachable: string[]): string => {
  try {
    openStateFolder(folder, reachable);
  } catch (error) {
    return isSallyportError(error) ? error.code : String(error);
  }
  return 'opened';
};

describe('openStateFolder', () => {
  test('makes a folder for its owner alone', () => {
    expect(openStateFolder(join(base, 'a', 'state'), [join(base, 'work')])).toBe(join(base, 'a', 'state'));
    expect(statSync(join(base, 'a', 'state')).mode & 0o777).toBe(0o700);
  });

  test('refuses to lie in, around or behind a link into a folder that tools reach', () => {
    symlinkSync(join(base, 'work'), join(base, 'elsewhere'));
    expect(codeOf(join(base, 'work', 'state'), [join(base, 'work')])).toBe('STATE_EXPOSED');
    expect(codeOf(join(base, 'work'), [join(base, 'work')])).toBe('STATE_EXPOSED');
    expect(codeOf(base, [join(base, 'work')])).toBe('STATE_EXPOSED');
    expect(codeOf(join(base, 'elsewhere', 'state'), [join(base, 'work')])).toBe('STATE_EXPOSED');
    expect(statSync(join(base, 'work', 'state'), { throwIfNoEntry: false })).toBeUndefined();
    expect(codeOf(join(base, 'workshop'), [join(base, 'work')])).toBe('opened');
  });

  test('refuses a folder that others can read', () => {
    mkdirSync(join(base, 'open'));
    chmodSync(join(base, 'open'), 0o755);
    expect(codeOf(join(base, 'open'), [])).toBe('STATE_PERMISSIONS');
  });

  test('a path through a file cannot be made', () => {
    expect(codeOf('/dev/null/state', [])).toBe('STATE_UNWRITABLE');
  });
});

test('defaultStateFolder follows the XDG rule that a relative path counts as unset', () => {
  expect(defaultStateFolder({ XDG_STATE_HOME: '/x' })).toBe('/x/sallyport');
  expect(defaultStateFolder({ XDG_STATE_HOME: 'x' })).toMatch(/\/\.local\/state\/sallyport$/);
});
