import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findNpm, registryOfNpm } from './npm-program.ts';

let home: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-npm-')));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test('the registry is the one that npm is set to for the user', async () => {
  writeFileSync(join(home, '.npmrc'), 'registry=https://npm.example.com/team/\n');
  expect(await registryOfNpm(home)).toBe('https://npm.example.com/team/');
});

test('no workspace chooses the registry', async () => {
  writeFileSync(join(home, '.npmrc'), 'registry=https://npm.example.com/\n');
  const work = join(home, 'work');
  mkdirSync(work);
  writeFileSync(join(work, '.npmrc'), 'registry=https://evil.example.com/\n');
  writeFileSync(join(work, 'package.json'), '{}');
  const before = process.env['npm_config_registry'];
  process.env['npm_config_registry'] = 'https://evil.example.com/';
  try {
    expect(await registryOfNpm(home)).toBe('https://npm.example.com/');
  } finally {
    if (before === undefined) delete process.env['npm_config_registry'];
    else process.env['npm_config_registry'] = before;
  }
});

test('an npm that lies first on PATH is not run', () => {
  const before = process.env['PATH'];
  const bin = join(home, 'npm', 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'npm-cli.js'), '#!/usr/bin/env node\n');
  chmodSync(join(bin, 'npm-cli.js'), 0o755);
  process.env['PATH'] = `${bin}:${before ?? ''}`;
  try {
    expect(findNpm().npm.startsWith(home)).toBe(false);
  } finally {
    process.env['PATH'] = before;
  }
});
