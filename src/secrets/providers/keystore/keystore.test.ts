import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseReference } from '../../../core/index.ts';
import { fileProvider } from '../file.ts';
import { readKey } from './key-source.ts';
import { Keystore } from './keystore.ts';
import { readKeystoreFile, replaceKeystoreFile } from './keystore-file.ts';
import { keystoreProvider } from './provider.ts';
import type { KeystoreKey } from './unlock.ts';

const signal = new AbortController().signal;
const bytes = (text: string): Buffer => Buffer.from(text);
// A key file where the key is not what is tested: a passphrase costs half a second.
const KEY: KeystoreKey = { kind: 'key-file', bytes: bytes('k'.repeat(48)) };

let root = '';
let made = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'sallyport-keystore-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const freshPath = (): string => join(root, `k${made++}`, 'keystore.json');
const openAt = (path: string, key: KeystoreKey = KEY): Keystore => new Keystore({ path, key: async () => key });
const fetchFrom = async (keystore: Keystore, text: string): Promise<string> => {
  const { value, version } = await keystoreProvider(keystore).resolve(parseReference(text), { signal });
  return `${value}@${version}`;
};

test('values come back by name and version, also from another process (a new object)', async () => {
  const path = freshPath();
  const keystore = openAt(path);
  expect(await keystore.set('stripe/live', bytes('value-1'))).toBe(1);
  expect(await keystore.set('stripe/live', bytes('value-2'))).toBe(2);
  const again = openAt(path);
  expect(await fetchFrom(again, 'keystore:stripe/live')).toBe('value-2@2');
  expect(await fetchFrom(again, 'keystore:stripe/live?version=1')).toBe('value-1@1');
  await expect(fetchFrom(again, 'keystore:stripe/live?version=3')).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND' });
  await expect(fetchFrom(again, 'keystore:other')).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND' });
  expect(await again.list()).toMatchObject([{ name: 'stripe/live', versions: [{ version: 1 }, { version: 2 }] }]);
  expect(await again.remove('stripe/live')).toBe(true);
  expect(await again.remove('stripe/live')).toBe(false);
  expect(await keystore.list()).toEqual([]);
});

test('there is nothing to fetch and nothing to list before the first set, and no file', async () => {
  const path = freshPath();
  await expect(fetchFrom(openAt(path), 'keystore:a')).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND' });
  expect(await openAt(path).list()).toEqual([]);
  expect(existsSync(path)).toBe(false);
});

test('the file is 0600, has no value in it, and nothing else lies beside it', async () => {
  const path = freshPath();
  await openAt(path).set('a', bytes('plain-text-value'));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(path, '..'))).toEqual(['keystore.json']);
  const text = readFileSync(path, 'utf8');
  for (const form of ['utf8', 'base64', 'hex'] as const)
    expect(text).not.toContain(bytes('plain-text-value').toString(form).slice(0, 12));
});

test('only the last five versions are kept', async () => {
  const keystore = openAt(freshPath());
  for (let at = 1; at <= 7; at++) await keystore.set('a', bytes(`value-${at}`));
  expect((await keystore.list())[0]?.versions.map(({ version }) => version)).toEqual([3, 4, 5, 6, 7]);
});

test('changes at once are all there', async () => {
  const keystore = openAt(freshPath());
  await Promise.all(Array.from({ length: 30 }, (_, at) => keystore.set(`n${at % 10}`, bytes(`value-${at}`))));
  const names = await keystore.list();
  expect(names).toHaveLength(10);
  expect(names.every(({ versions }) => versions.length === 3)).toBe(true);
});

test('a passphrase opens it, another one and an empty one do not (scrypt, N = 2^17)', async () => {
  const path = freshPath();
  await openAt(path, { kind: 'passphrase', bytes: bytes('correct horse') }).set('a', bytes('value-1'));
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ stretch: { name: 'scrypt', n: 131_072, r: 8, p: 1 } });
  expect(await fetchFrom(openAt(path, { kind: 'passphrase', bytes: bytes('correct horse') }), 'keystore:a')).toBe(
    'value-1@1',
  );
  for (const wrong of ['correct horsf', '']) {
    const keystore = openAt(path, { kind: 'passphrase', bytes: bytes(wrong) });
    await expect(fetchFrom(keystore, 'keystore:a')).rejects.toMatchObject({ code: 'KEYSTORE_LOCKED' });
  }
  await expect(fetchFrom(openAt(path), 'keystore:a')).rejects.toMatchObject({ code: 'KEYSTORE_LOCKED' });
});

test('a short key file is refused', async () => {
  const keystore = openAt(freshPath(), { kind: 'key-file', bytes: bytes('short') });
  await expect(keystore.set('a', bytes('value-1'))).rejects.toMatchObject({ code: 'KEYSTORE_LOCKED' });
});

test('with another key every value is encrypted anew, and the first key opens nothing', async () => {
  const path = freshPath();
  const keystore = openAt(path);
  await keystore.set('a', bytes('value-1'));
  const before = JSON.parse(readFileSync(path, 'utf8'));
  const next: KeystoreKey = { kind: 'key-file', bytes: bytes('n'.repeat(48)) };
  await keystore.rekey(next);
  const after = JSON.parse(readFileSync(path, 'utf8'));
  expect(after.entries.a[0].box).not.toBe(before.entries.a[0].box);
  expect(await fetchFrom(keystore, 'keystore:a')).toBe('value-1@1');
  expect(await fetchFrom(openAt(path, next), 'keystore:a')).toBe('value-1@1');
  await expect(fetchFrom(openAt(path), 'keystore:a')).rejects.toMatchObject({ code: 'KEYSTORE_LOCKED' });
});

type Edit = (document: {
  entries: Record<string, { version: number; created: number; box: string }[]>;
  [key: string]: unknown;
}) => void;
const flip = (box: string): string => {
  const raw = Buffer.from(box, 'base64');
  raw[raw.length - 1] = (raw.at(-1) ?? 0) ^ 1;
  return raw.toString('base64');
};

test.each<[string, Edit]>([
  ['two values exchanged', ({ entries }) => ([entries['a'], entries['b']] = [entries['b'] ?? [], entries['a'] ?? []])],
  ['an older version as the newest', ({ entries }) => entries['a']?.pop()],
  ['a name taken out', ({ entries }) => delete entries['b']],
  [
    'a bit of a value',
    ({ entries }) => entries['a']?.splice(0, 1, { ...entries['a'][0]!, box: flip(entries['a'][0]!.box) }),
  ],
  ['a number of a version', ({ entries }) => entries['a']?.splice(1, 1, { ...entries['a'][1]!, version: 9 })],
  ['a time', ({ entries }) => entries['a']?.splice(0, 1, { ...entries['a'][0]!, created: 1 })],
  ['the count of changes', (document) => (document['changes'] = 99)],
  ['the seal', (document) => (document['seal'] = flip(String(document['seal'])))],
  ['another field', (document) => (document['more'] = 1)],
  ['another format', (document) => (document['format'] = 2)],
])('a keystore with %s changed is refused', async (_, edit) => {
  const path = freshPath();
  const keystore = openAt(path);
  for (const [name, value] of [
    ['a', 'value-1'],
    ['a', 'value-2'],
    ['b', 'value-3'],
  ] as const)
    await keystore.set(name, bytes(value));
  const document = JSON.parse(readFileSync(path, 'utf8'));
  edit(document);
  writeFileSync(path, JSON.stringify(document));
  for (const one of [keystore, openAt(path)])
    await expect(fetchFrom(one, 'keystore:a')).rejects.toMatchObject({ code: 'KEYSTORE_CORRUPT' });
});

test('every byte of the file counts', async () => {
  const path = freshPath();
  await openAt(path).set('a', bytes('value-1'));
  const whole = readFileSync(path);
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 1;
    writeFileSync(path, changed);
    await expect(fetchFrom(openAt(path), 'keystore:a'), `byte ${at}`).rejects.toMatchObject({
      code: expect.stringMatching(/^KEYSTORE_|^SECRET_NOT_FOUND/),
    });
  }
});

test('an older copy that is put back is noticed by the process that saw the newer one', async () => {
  const path = freshPath();
  const keystore = openAt(path);
  await keystore.set('a', bytes('value-1'));
  const older = readFileSync(path);
  await keystore.set('a', bytes('value-2'));
  writeFileSync(path, older);
  await expect(fetchFrom(keystore, 'keystore:a')).rejects.toMatchObject({ code: 'KEYSTORE_CORRUPT' });
});

test('a cheaper or a ruinous stretch is refused before it is tried', async () => {
  const path = freshPath();
  await openAt(path).set('a', bytes('value-1'));
  const document = JSON.parse(readFileSync(path, 'utf8'));
  for (const n of [2, 131_073, 2 ** 30]) {
    writeFileSync(path, JSON.stringify({ ...document, stretch: { name: 'scrypt', n, r: 8, p: 1, salt: 'AAAA' } }));
    await expect(
      fetchFrom(openAt(path, { kind: 'passphrase', bytes: bytes('a') }), 'keystore:a'),
    ).rejects.toMatchObject({ code: 'KEYSTORE_CORRUPT' });
  }
});

test('a keystore that others can read, or that is a link, is refused', async () => {
  const path = freshPath();
  await openAt(path).set('a', bytes('value-1'));
  const link = `${path}.link`;
  symlinkSync(path, link);
  await expect(fetchFrom(openAt(link), 'keystore:a')).rejects.toMatchObject({ code: 'SECRET_FILE_UNSAFE' });
  chmodSync(path, 0o640);
  await expect(fetchFrom(openAt(path), 'keystore:a')).rejects.toMatchObject({ code: 'SECRET_FILE_UNSAFE' });
});

test('what another program wrote since the file was read is not overwritten, and its change is not lost', async () => {
  const path = freshPath();
  const [mine, theirs] = [openAt(path), openAt(path)];
  await mine.set('a', bytes('value-1'));
  const read = await readKeystoreFile(path);
  await theirs.set('b', bytes('value-2'));
  await expect(replaceKeystoreFile(path, '{}', read)).rejects.toMatchObject({ code: 'KEYSTORE_CHANGED' });
  await expect(replaceKeystoreFile(path, '{}', null)).rejects.toMatchObject({ code: 'KEYSTORE_CHANGED' });
  expect(readdirSync(join(path, '..'))).toEqual(['keystore.json']);
  await mine.set('c', bytes('value-3'));
  expect((await theirs.list()).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
});

test.each(['', 'A', '../a', 'a//b', '__proto__'])(
  'a value under the name %j is refused, and so is an empty one',
  async (name) => {
    await expect(openAt(freshPath()).set(name, bytes('value-1'))).rejects.toMatchObject({
      code: 'SECRET_REFERENCE_INVALID',
    });
    await expect(openAt(freshPath()).set('a', bytes(''))).rejects.toMatchObject({ code: 'SECRET_EMPTY' });
  },
);

test('the key comes from a file that is our own, or from a program that asks a keyring (a stand-in here)', async () => {
  const path = join(root, 'passphrase');
  writeFileSync(path, 'correct horse\n', { mode: 0o600 });
  const files = fileProvider();
  expect(String((await readKey({ kind: 'passphrase-file', path, files }, signal)).bytes)).toBe('correct horse');
  chmodSync(path, 0o644);
  await expect(readKey({ kind: 'key-file', path, files }, signal)).rejects.toMatchObject({
    code: 'SECRET_FILE_UNSAFE',
  });
  const program = join(root, 'secret-tool');
  writeFileSync(
    program,
    '#!/bin/sh\n[ "$*" = "lookup service sallyport keystore main" ] && echo "from the keyring"\n',
    { mode: 0o700 },
  );
  const keyring = { kind: 'keyring', program, environment: {} } as const;
  expect(String((await readKey({ ...keyring, item: 'main' }, signal)).bytes)).toBe('from the keyring');
  await expect(readKey({ ...keyring, item: 'other' }, signal)).rejects.toMatchObject({ code: 'KEYSTORE_LOCKED' });
});
