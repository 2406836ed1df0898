import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { realProgram, systemProgram } from './system-program.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-program-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(path: string): string {
  writeFileSync(path, '#!/bin/sh\nexit 0\n');
  chmodSync(path, 0o755);
  return path;
}

test('the programs of the system are found, by their real path', () => {
  expect(systemProgram('sh')).toBe(realpathSync('/bin/sh'));
  expect(systemProgram('no-such-program')).toBeNull();
});

test('PATH chooses nothing: what a workspace puts first on it is not taken', () => {
  const before = process.env['PATH'];
  program(join(folder, 'bwrap'));
  process.env['PATH'] = `${folder}:${before ?? ''}`;
  try {
    expect(systemProgram('bwrap')?.startsWith(folder) ?? false).toBe(false);
  } finally {
    process.env['PATH'] = before;
  }
});

test.skipIf(process.getuid?.() === 0)('a program of another user than root is not taken', () => {
  program(join(folder, 'tool'));
  expect(systemProgram('tool', [folder])).toBeNull();
});

test('a program, or a folder of one, that others may write is not taken, also behind a link', () => {
  const open = join(folder, 'open');
  mkdirSync(open);
  chmodSync(open, 0o777);
  program(join(open, 'tool'));
  chmodSync(program(join(folder, 'shared')), 0o775);
  symlinkSync(join(open, 'tool'), join(folder, 'linked'));
  for (const name of ['shared', 'linked']) expect(systemProgram(name, [folder])).toBeNull();
  expect(systemProgram('tool', [open])).toBeNull();
});

test('only files that can be started are programs', () => {
  const path = join(folder, 'text');
  writeFileSync(path, 'text');
  chmodSync(path, 0o644);
  expect([realProgram(path), realProgram(folder), realProgram(join(folder, 'none'))]).toEqual([null, null, null]);
});
