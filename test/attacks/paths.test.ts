import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/core/index.ts';
import { watchControlFiles } from '../../src/gate/control-files.ts';
import { readPath } from '../../src/gate/path-facts.ts';
import { gateUnderAttack, type UnderAttack } from './attempt.ts';
import {
  type AttackPlace,
  makeAttackPlace,
  PATH_ATTACKS,
  PAYLOAD,
  resetSource,
  SECRET,
  SPECIAL_PATHS,
  snapshot,
} from './path-tricks.ts';

let place: AttackPlace;
let gate: UnderAttack;

beforeAll(async () => {
  place = makeAttackPlace();
  gate = await gateUnderAttack(place);
});

afterEach(() => resetSource(place));

afterAll(async () => {
  await gate.close();
  place.remove();
});

describe('[T1.4] a path trick on what is out of reach', () => {
  test.each(PATH_ATTACKS.map((attack) => [attack.title, attack] as const))('%s', async (_, { tool, prepare }) => {
    const path = prepare(place);
    const before = snapshot(place);
    const { code, text } = await gate.attempt(tool, tool === 'file_write' ? { path, content: PAYLOAD } : { path });
    expect(code?.startsWith('APPROVAL_') ? text : code).toMatch(/PATH_[A-Z_]+/);
    expect(text).not.toContain(SECRET);
    expect(snapshot(place)).toEqual(before);
  });

  test('the list is not empty, and its tricks work on what is allowed', async () => {
    expect(PATH_ATTACKS.length).toBeGreaterThan(400);
    symlinkSync('a.ts', join(place.root, 'src/link'));
    for (const path of ['src/a.ts', 'src/link', 'src/../src/./a.ts', join(place.root, 'src/a.ts')]) {
      expect(await gate.attempt('file_write', { path, content: 'ok' })).toMatchObject({ code: null });
    }
  });
});

describe('what is no file', () => {
  test.each(SPECIAL_PATHS)('%s', async (path) => {
    const calls = { file_read: {}, file_list: {}, file_search: { pattern: 'x' }, file_write: { content: PAYLOAD } };
    for (const [tool, args] of Object.entries(calls)) {
      expect(await gate.attempt(tool, { path, ...args })).toMatchObject({ code: 'PATH_SPECIAL_FILE' });
    }
  });

  test('a FIFO, a socket and a device in the workspace are neither opened nor waited for', async () => {
    const src = join(place.root, 'src');
    execFileSync('mkfifo', [join(src, 'fifo')]);
    symlinkSync('/dev/zero', join(src, 'zero'));
    const server = createServer().listen(join(src, 'socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    for (const name of ['fifo', 'zero', 'socket']) {
      expect(await gate.attempt('file_read', { path: `src/${name}` })).toMatchObject({ code: 'PATH_SPECIAL_FILE' });
      expect(await gate.attempt('file_write', { path: `src/${name}`, content: 'x' })).toMatchObject({
        code: 'PATH_SPECIAL_FILE',
      });
    }
    expect((await gate.attempt('file_search', { pattern: 'inside' })).text).toContain('src/a.ts:1: inside');
    expect((await gate.attempt('file_list', { path: 'src' })).text).not.toMatch(/fifo|zero|socket/);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('listing and searching', () => {
  test('show nothing of the state folder or of what lies outside, by whatever link', async () => {
    const src = join(place.root, 'src');
    symlinkSync(place.state, join(src, 'state'));
    symlinkSync(join(place.state, 'tokens/cli.json'), join(src, 'token'));
    symlinkSync(place.outside, join(src, 'outside'));
    symlinkSync('/', join(src, 'everything'));
    symlinkSync('/proc/self/root', join(src, 'root'));
    linkSync(join(place.state, 'log/checkpoint'), join(src, 'checkpoint'));
    const listed = await gate.attempt('file_list', { path: 'src', depth: 10 });
    expect(listed).toEqual({ code: null, text: 'src/a.ts' });
    expect((await gate.attempt('file_search', { pattern: SECRET.slice(0, 10) })).text).toContain('No matches.');
    for (const path of ['src/state', 'src/outside', 'src/everything', 'src/root', '..', '/']) {
      expect((await gate.attempt('file_list', { path })).code).toMatch(/^PATH_/);
      expect((await gate.attempt('file_search', { path, pattern: 'BYTES' })).code).toMatch(/^PATH_/);
    }
  });
});

describe('the state folder', () => {
  test('is known when it was named relative to the working folder', () => {
    const { root, home, state } = place;
    const control = watchControlFiles({ root, home, policyFile: null, stateFolders: [relative(process.cwd(), state)] });
    const reading = readPath(join(state, 'tokens/cli.json'), {
      root,
      use: 'file_read',
      control,
      limits: DEFAULT_LIMITS,
    });
    expect(reading).toMatchObject({ stateFolder: true, controlFile: true });
  });

  test('is known inside the workspace too, should it ever lie there', () => {
    const { root, home } = place;
    mkdirSync(join(root, '.state/tokens'), { recursive: true });
    writeFileSync(join(root, '.state/tokens/x'), SECRET);
    const control = watchControlFiles({ root, home, policyFile: null, stateFolders: [join(root, '.state')] });
    for (const given of ['.state', '.state/tokens/x', '.STATE/tokens/x', '.state./tokens/new']) {
      const reading = readPath(given, { root, use: 'file_read', control, limits: DEFAULT_LIMITS });
      expect(reading).toMatchObject({ stateFolder: true });
    }
    rmSync(join(root, '.state'), { recursive: true });
  });
});

describe('a workspace that is the current folder', () => {
  test('gives the same answers', async () => {
    const [back, here] = [process.cwd(), makeAttackPlace()];
    process.chdir(here.root);
    const surface = await gateUnderAttack({
      ...here,
      policyFile: 'sallyport.yaml',
      state: relative(here.root, here.state),
    });
    try {
      const before = snapshot(here);
      for (const path of ['sallyport.yaml', './sallyport.lock', '.git/hooks/pre-commit', '/proc/self/cwd/.mcp.json']) {
        const { code } = await surface.attempt('file_write', { path, content: PAYLOAD });
        expect(code).toMatch(/^PATH_(CONTROL|SPECIAL)_FILE$/);
      }
      expect(await surface.attempt('file_read', { path: '../../state/tokens/cli.json' })).toMatchObject({
        code: 'PATH_CONTROL_FILE',
      });
      expect(snapshot(here)).toEqual(before);
    } finally {
      process.chdir(back);
      await surface.close();
      here.remove();
    }
  });
});
