import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isSallyportError } from '../core/index.ts';
import { openStore, type Store } from './index.ts';

let folder: string;
let file: string;
let open: Store[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-store-'));
  file = join(folder, 'state.db');
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((store) => store.close()));
  rmSync(folder, { recursive: true });
});

async function openHere(options: { maxBytes?: number } = {}): Promise<Store> {
  const store = await openStore({ file, ...options });
  open.push(store);
  return store;
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'fine',
    (error: unknown) => (isSallyportError(error) ? error.code : String(error)),
  );

const later = (): number => Date.now() + 3_600_000;

test('the file and its journal are for this user only', async () => {
  const store = await openHere();
  await store.put('labels', 'key', 1);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(`${file}-journal`).mode & 0o777).toBe(0o600);
});

test('a file that others may read is closed to them', async () => {
  writeFileSync(file, '', { mode: 0o644 });
  await openHere();
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('the library keeps the settings that durability rests on', async () => {
  await (await openHere()).close();
  const connection = new Database(file);
  const value = (pragma: string): unknown => connection.prepare(`PRAGMA ${pragma}`).raw().get();
  expect(value('journal_mode')).not.toEqual(['wal']);
  expect(value('user_version')).toEqual([1]);
  expect(value('application_id')).toEqual([0x53707274]);
  connection.close();
});

test('a store has one opener, in this process and in others', async () => {
  const store = await openHere();
  expect(await codeOf(openHere())).toBe('STORE_OWNED');
  const script = `
    const { openStore } = await import(${JSON.stringify(new URL('../../dist/store/index.js', import.meta.url).href)});
    try { await openStore({ file: ${JSON.stringify(file)} }); console.log('open'); } catch (error) { console.log(error.code); }
    process.exit(0);`;
  const say = async (): Promise<string> => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return String((await once(child.stdout, 'data'))[0]).trim();
  };
  expect(await say()).toBe('STORE_OWNED');
  // The refused openers have not taken the lock away.
  expect(await codeOf(openHere())).toBe('STORE_OWNED');
  await store.put('labels', 'key', 1);
  await store.close();
  expect(await say()).toBe('open');
});

test('a file that is damaged is refused and left as it is', async () => {
  const store = await openHere();
  for (let index = 0; index < 200; index++) await store.put('labels', `key-${index}`, 'v'.repeat(500));
  await store.close();
  const bytes = readFileSync(file);
  bytes.fill(0xa5, 20_000, 60_000);
  writeFileSync(file, bytes);
  expect(await codeOf(openHere())).toBe('STORE_CORRUPT');
  expect(readFileSync(file).equals(bytes)).toBe(true);
});

test.each([
  ['no database', (path: string) => writeFileSync(path, 'not a database '.repeat(500))],
  [
    "another program's database",
    (path: string) => {
      const connection = new Database(path);
      connection.exec('CREATE TABLE claim (space, key, expires)');
      connection.close();
    },
  ],
])('%s is refused and left as it is', async (_name, write) => {
  write(file);
  const bytes = readFileSync(file);
  expect(await codeOf(openHere())).toBe('STORE_CORRUPT');
  expect(readFileSync(file).equals(bytes)).toBe(true);
});

test('a store of a newer version is refused', async () => {
  await (await openHere()).close();
  const connection = new Database(file);
  connection.exec('PRAGMA user_version = 2');
  connection.close();
  expect(await codeOf(openHere())).toBe('STORE_VERSION');
});

test('a link or a folder in place of the file is refused', async () => {
  await (await openHere()).close();
  copyFileSync(file, join(folder, 'other.db'));
  rmSync(file);
  symlinkSync(join(folder, 'other.db'), file);
  expect(await codeOf(openHere())).toBe('STORE_FAILED');
  file = folder;
  expect(await codeOf(openHere())).toBe('STORE_FAILED');
  file = join(folder, 'missing', 'state.db');
  expect(await codeOf(openHere())).toBe('STORE_FAILED');
});

test('a full store refuses what grows, keeps what it has, and goes on', async () => {
  const store = await openHere({ maxBytes: 262_144 });
  await store.put('labels', 'kept', 1);
  let code = 'fine';
  let stored = 0;
  for (; code === 'fine' && stored < 100; stored++) {
    code = await codeOf(store.put('labels', `key-${stored}`, 'v'.repeat(10_000)));
  }
  expect(code).toBe('STORE_FULL');
  const batch = Array.from({ length: 30 }, (_, index) => ({
    kind: 'put' as const,
    space: 'batch',
    key: `key-${index}`,
    value: 'v'.repeat(10_000),
  }));
  expect(await codeOf(store.batch(batch))).toBe('STORE_FULL');
  expect((await store.list('batch', { limit: 10 })).entries).toEqual([]);
  expect(await store.get('labels', 'kept')).toBe(1);
  expect(await store.delete('labels', 'key-0')).toBe(true);
  expect(await store.claim('nonces', 'one', later())).toBe(true);
});

test('too much that waits is refused, and what was accepted is done', async () => {
  const store = await openHere();
  const asked = Array.from({ length: 10_050 }, (_, index) => codeOf(store.claim('nonces', `key-${index}`, later())));
  const codes = await Promise.all(asked);
  expect(codes.filter((code) => code === 'STORE_BUSY')).toHaveLength(50);
  expect(codes.filter((code) => code === 'fine')).toHaveLength(10_000);
});

test('what is deleted does not stay in the file', async () => {
  const store = await openHere();
  await store.put('labels', 'key', 'find-me-'.repeat(2_000));
  await store.delete('labels', 'key');
  await store.close();
  expect(readFileSync(file).includes('find-me-')).toBe(false);
});

test('an open store keeps no process alive', async () => {
  const script = `
    const { openStore } = await import(${JSON.stringify(new URL('../../dist/store/index.js', import.meta.url).href)});
    const store = await openStore({ file: ${JSON.stringify(file)} });
    console.log(await store.claim('nonces', 'one', Date.now() + 60000));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  expect(String((await once(child.stdout, 'data'))[0])).toBe('true\n');
  const [status] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
  expect(status).toBe(0);
  expect(await (await openHere()).claim('nonces', 'one', later())).toBe(false);
});
