import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NO_ACTIONS } from '../../test/e2e/stand.ts';
import type { ServerRule } from '../policy/index.ts';
import { approveServer } from './approvals.ts';
import type { ServerDefinitions } from './definitions.ts';
import {
  formatLock,
  type Lock,
  lockedServer,
  lockPathOf,
  NO_LOCK,
  parseLock,
  readLock,
  readLockToApprove,
  sourceDigest,
  writeLock,
} from './lock.ts';
import type { LockedPackage } from './package-entry.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-lock-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const NOTHING_SAID: ServerRule['spawn'] = {
  limits: { memoryBytes: null, processes: null, outputBytes: null, openFiles: null, fileBytes: null, diskBytes: null },
  egress: null,
};
const rule = (more: Partial<ServerRule> = {}): ServerRule => ({
  ...{
    name: 's',
    command: ['/bin/server'],
    package: null,
    url: null,
    isolation: [],
    protocol: 'auto',
    env: {},
    timeoutMs: null,
  },
  ...{
    spawn: NOTHING_SAID,
    paths: null,
    maxOutput: null,
    actions: NO_ACTIONS,
    breaker: null,
    expose: 'prefixed',
    allowSuspicious: [],
    rule: { id: 'servers.s' },
  },
  ...more,
});
const definitions: ServerDefinitions = {
  protocol: '2025-11-25',
  capabilities: { tools: {} },
  serverInfo: { name: 's', version: '1' },
  instructions: 'hi',
  tools: [{ name: 'a', inputSchema: { type: 'object' }, annotations: { x: 1 } }],
  prompts: [{ name: 'p', title: 'P' }],
  resourceTemplates: [{ uriTemplate: 'x:{a}', name: 't' }],
};
const entry = lockedServer(rule(), definitions, new Date(0));
const installed: LockedPackage = {
  ...{ name: '@a/b', version: '1.0.0', integrity: `sha512-${'A'.repeat(86)}==`, registry: 'https://r.example/' },
  ...{ tree: `sha256:${'0'.repeat(64)}`, npmLock: { lockfileVersion: 3 }, installedAt: '1970-01-01T00:00:00.000Z' },
};
const lock: Lock = { servers: new Map([['s', entry]]), packages: new Map() };
const withPackage: Lock = { ...lock, packages: new Map([['p', installed]]) };

describe('a lock', () => {
  it('reads what it wrote, every field of it', () => {
    expect(parseLock(formatLock(lock))).toEqual(lock);
    expect(parseLock(formatLock(withPackage))).toEqual(withPackage);
  });

  it('has sorted keys and a line for each value', () => {
    expect(formatLock(lock).split('\n').slice(0, 9)).toEqual([
      '{',
      '  "packages": {},',
      '  "servers": {',
      '    "s": {',
      '      "approvedAt": "1970-01-01T00:00:00.000Z",',
      '      "capabilities": {',
      '        "tools": {}',
      '      },',
      `      "digest": "${entry.digest}",`,
    ]);
  });

  it('is written beside the policy, readable by all, and leaves no other file', async () => {
    const path = lockPathOf(join(folder, 'sallyport.yaml'));
    await writeLock(path, lock);
    await writeLock(path, lock);
    expect((await stat(path)).mode & 0o777).toBe(0o644);
    expect(await readdir(folder)).toEqual(['sallyport.lock']);
    expect(await readLock(path)).toEqual(lock);
  });

  it('that is not there is empty', async () => {
    expect(await readLock(join(folder, 'none'))).toEqual(NO_LOCK);
  });

  it.each([
    ['no JSON', '{'],
    ['another version', '{"version":4,"servers":{}}'],
    ['a server twice', '{"version":2,"servers":{"s":{},"s":{}}}'],
    ['a name beyond the letters', '{"version":2,"servers":{"S!":{}}}'],
    ['an entry without fields', '{"version":2,"servers":{"s":{}}}'],
    ['a definition that was edited', formatLock(lock).replace('"x": 1', '"x": 2')],
    ['instructions that were edited', formatLock(lock).replace('"hi"', '"ho"')],
    ['a prompt that was edited', formatLock(lock).replace('"P"', '"Q"')],
    ['a prompt without a name', formatLock(lock).replace('"name": "p"', '"title": "p"')],
    ['a template that was edited', formatLock(lock).replace('x:{a}', 'x:{b}')],
    ['a package with a weak integrity', formatLock(withPackage).replace('sha512-', 'sha1-')],
    ['a package whose tree is a path', formatLock(withPackage).replace(/sha256:0+"/, 'sha256:../x"')],
    ['a package of no server', formatLock(withPackage).replace('"p": {', '"../p": {')],
    ['no capabilities', formatLock(lock).replace('"capabilities"', '"other"')],
  ])('with %s is refused', async (_, text) => {
    const path = join(folder, 'bad');
    await writeFile(path, text);
    await expect(readLock(path)).rejects.toMatchObject({ code: 'LOCK_INVALID' });
  });

  it('of version 1 is refused with its remedy, and is empty for a new approval', async () => {
    const path = join(folder, 'old');
    await writeFile(path, '{"version":1,"servers":{"s":{}}}');
    await expect(readLock(path)).rejects.toMatchObject({
      code: 'LOCK_INVALID',
      message: expect.stringContaining('approve each server again'),
    });
    expect(await readLockToApprove(path)).toEqual(NO_LOCK);
    await approveServer(rule(), definitions, { lockPath: path, now: new Date(0) });
    expect(await readLock(path)).toEqual(lock);
  });

  it('of version 2 is read: it pins the same, and no packages', () => {
    const old = formatLock(lock).replace('"version": 3', '"version": 2').replace('  "packages": {},\n', '');
    expect(parseLock(old)).toEqual(lock);
  });

  it('that is not UTF-8 is refused, also where a digest would not see the difference', async () => {
    const path = join(folder, 'latin1');
    const replaced = lockedServer(rule(), { ...definitions, instructions: 'h\ufffd' }, new Date(0));
    const [before, after] = formatLock({ ...lock, servers: new Map([['s', replaced]]) }).split('\ufffd');
    await writeFile(path, Buffer.concat([Buffer.from(before ?? ''), Buffer.from([0xe9]), Buffer.from(after ?? '')]));
    await expect(readLock(path)).rejects.toMatchObject({ code: 'LOCK_INVALID' });
  });

  it('that is a folder is refused', async () => {
    await expect(readLock(folder)).rejects.toMatchObject({ code: 'LOCK_INVALID' });
  });

  it('that cannot be written stays as it was', async () => {
    const missing = join(folder, 'missing', 'sallyport.lock');
    await expect(writeLock(missing, lock)).rejects.toMatchObject({ code: 'LOCK_INVALID' });
    expect(await readFile(join(folder, 'sallyport.lock'), 'utf8')).toBe(formatLock(lock));
  });
});

describe('sourceDigest', () => {
  it.each([
    ['an argument', rule({ command: ['/bin/server', '--all'] })],
    ['a variable', rule({ env: { A: '1' } })],
    ['a URL', rule({ command: null, url: 'https://example.com/mcp' })],
  ])('changes with %s', (_, other) => {
    expect(sourceDigest(other)).not.toBe(sourceDigest(rule()));
  });

  const pinned = { name: '@a/b', version: '1.0.0', integrity: null, bin: null, args: [] };
  const ofPackage = (more: object = {}) => rule({ command: null, package: { ...pinned, ...more } });
  it.each([
    ['another version', sourceDigest(ofPackage({ version: '1.0.1' }), installed)],
    ['an argument', sourceDigest(ofPackage({ args: ['--all'] }), installed)],
    ['another program', sourceDigest(ofPackage({ bin: 'b' }), installed)],
    ['other files', sourceDigest(ofPackage(), { ...installed, tree: `sha256:${'1'.repeat(64)}` })],
    ['no files', sourceDigest(ofPackage())],
  ])('of a package changes with %s', (_, digest) => {
    expect(digest).not.toBe(sourceDigest(ofPackage(), installed));
  });
});
