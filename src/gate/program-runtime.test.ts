import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { installFoldersOf, runtimeFor } from './program-runtime.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-runtime-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('[T2.1] an argument of a server that became a link shows nothing of its target', () => {
  const [key, data] = [join(folder, 'id_rsa'), join(folder, 'app.db')];
  writeFileSync(key, 'PRIVATE KEY');
  writeFileSync(data, 'data');
  expect(installFoldersOf(['python3', data])).toEqual([data]);
  rmSync(data);
  symlinkSync(key, data);
  expect(installFoldersOf(['python3', data])).toEqual([]);
  mkdirSync(join(folder, 'real'));
  writeFileSync(join(folder, 'real', 'server.js'), '');
  symlinkSync(join(folder, 'real'), join(folder, 'current'));
  expect(installFoldersOf(['node', join(folder, 'current', 'server.js')])).toEqual([]);
  expect(installFoldersOf(['node', join(folder, 'real', 'server.js')])).toEqual([join(folder, 'real', 'server.js')]);
});

test('[T2.1] a virtual environment is shown as the policy says, not as part of the runtime', () => {
  const environment = join(folder, '.venv');
  mkdirSync(join(environment, 'bin'), { recursive: true });
  writeFileSync(join(environment, 'pyvenv.cfg'), '');
  symlinkSync('/bin/sh', join(environment, 'bin', 'python'));
  expect(runtimeFor(join(environment, 'bin', 'python'))).toEqual({
    program: join(environment, 'bin', 'python'),
    runtime: [],
    reads: [environment],
  });
});
