import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isSallyportError } from '../core/index.ts';
import { TokenFolder } from './token-folder.ts';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'sallyport-token-'));
});
afterEach(() => rmSync(state, { recursive: true }));

const holder = (name: string) => ({ name, user: 'ann', now: 0 });

test('a token is found by itself alone, and what is kept is not the token', () => {
  const tokens = new TokenFolder(state);
  const token = tokens.add(holder('cursor'));
  expect(tokens.find(token)?.name).toBe('cursor');
  for (const wrong of ['', 'sp_', `${token}x`, token.slice(0, -1), token.toUpperCase(), ` ${token}`]) {
    expect(tokens.find(wrong)).toBeNull();
  }
  expect(readFileSync(join(state, 'tokens', 'cursor.json'), 'utf8')).not.toContain(token);
  expect(statSync(join(state, 'tokens', 'cursor.json')).mode & 0o777).toBe(0o600);
  expect(statSync(join(state, 'tokens')).mode & 0o777).toBe(0o700);
});

test('another process sees what is added and revoked', () => {
  const running = new TokenFolder(state);
  expect(running.list()).toEqual([]);
  const token = new TokenFolder(state).add(holder('a'));
  expect(running.find(token)?.name).toBe('a');
  expect(new TokenFolder(state).revoke('a')).toBe(true);
  expect(running.find(token)).toBeNull();
  expect(new TokenFolder(state).revoke('a')).toBe(false);
});

test.each(['', 'A', '../x', 'a/b', 'x'.repeat(41), 'a.json'])('the name %j is refused', (name) => {
  try {
    new TokenFolder(state).add(holder(name));
  } catch (error) {
    expect(isSallyportError(error, 'TOKEN_NAME')).toBe(true);
    return;
  }
  expect.unreachable();
});

test('a name is given once', () => {
  const tokens = new TokenFolder(state);
  tokens.add(holder('a'));
  expect(() => tokens.add(holder('a'))).toThrow(/exists/);
});

test('the first client keeps its token over restarts, until it is revoked', () => {
  const token = new TokenFolder(state).keptInClear(holder('local'));
  expect(new TokenFolder(state).keptInClear(holder('local'))).toBe(token);
  new TokenFolder(state).revoke('local');
  expect(readdirSync(join(state, 'tokens'))).toEqual([]);
  expect(new TokenFolder(state).keptInClear(holder('local'))).not.toBe(token);
});
