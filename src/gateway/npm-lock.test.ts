import { expect, it } from 'vitest';
import { integrityIn, readNpmLock } from './npm-lock.ts';
import { readRegistry } from './package-install.ts';

const SHA = `sha512-${'A'.repeat(86)}==`;
const registry = readRegistry('https://r.example/npm');
const lockOf = (entry: object, path = 'node_modules/a'): string =>
  JSON.stringify({ lockfileVersion: 3, packages: { '': {}, [path]: entry } });
const good = { version: '1.0.0', resolved: 'https://r.example/npm/a/-/a-1.0.0.tgz', integrity: SHA };

it.each<[string, string]>([
  ['of the registry', lockOf(good)],
  ['in the tarball of another one', lockOf({ version: '1.0.0', inBundle: true }, 'node_modules/b/node_modules/a')],
])('[T2.4] readNpmLock takes a package %s', (_title, text) => {
  expect(readNpmLock(text, registry)).toMatchObject({ lockfileVersion: 3 });
});

it.each<[string, string]>([
  ['from elsewhere', lockOf({ ...good, resolved: 'https://other.example/a.tgz' })],
  ['from another port', lockOf({ ...good, resolved: 'https://r.example:8443/npm/a.tgz' })],
  ['without TLS', lockOf({ ...good, resolved: 'http://r.example/npm/a.tgz' })],
  ['from git', lockOf({ ...good, resolved: 'git+ssh://git@r.example/a.git#abc' })],
  ['from a file', lockOf({ ...good, resolved: 'file:../a' })],
  ['with a user in the address', lockOf({ ...good, resolved: 'https://x:y@r.example/npm/a.tgz' })],
  ['that is a link', lockOf({ ...good, link: true })],
  ['without integrity', lockOf({ ...good, integrity: undefined })],
  ['with a weak integrity', lockOf({ ...good, integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' })],
  ['with two integrities', lockOf({ ...good, integrity: `${SHA} ${SHA}` })],
  ['that is called bundled and comes from elsewhere', lockOf({ inBundle: true, resolved: 'https://o.example/a.tgz' })],
  ['outside of node_modules', lockOf(good, '../a')],
  ['in a lock of an older version', lockOf(good).replace('"lockfileVersion":3', '"lockfileVersion":1')],
  [
    'in a lock with a key twice',
    lockOf(good).replace('"lockfileVersion":3', '"lockfileVersion":3,"lockfileVersion":3'),
  ],
])('[T2.4] readNpmLock refuses a package %s', (_title, text) => {
  expect(() => readNpmLock(text, registry)).toThrow(expect.objectContaining({ code: 'PACKAGE_REFUSED' }));
});

it('integrityIn gives that of the very version', () => {
  const lock = readNpmLock(lockOf(good), registry);
  expect(integrityIn(lock, { name: 'a', version: '1.0.0' })).toBe(SHA);
  expect(() => integrityIn(lock, { name: 'a', version: '1.0.1' })).toThrow();
  expect(() => integrityIn(lock, { name: 'b', version: '1.0.0' })).toThrow();
});
