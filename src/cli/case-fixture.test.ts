import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../core/index.ts';
import { type BuiltFixture, type FixtureBuilder, openFixtures } from './case-fixture.ts';

const [ROOT, OUT] = ['$' + '{ROOT}', '$' + '{OUT}'];
let fixtures: FixtureBuilder;
let elsewhere = '';
beforeEach(() => {
  fixtures = openFixtures();
  elsewhere = mkdtempSync(join(tmpdir(), 'sallyport-elsewhere-'));
});
afterEach(() => {
  fixtures.remove();
  rmSync(elsewhere, { recursive: true, force: true });
});

const build = (fixture: JsonObject, base: JsonObject = {}): Promise<BuiltFixture> => fixtures.build(fixture, base);

describe('openFixtures', () => {
  it('makes every kind of thing that a fixture can name', async () => {
    const { root, fill } = await build({
      ...{ files: { 'a/b.txt': 'x' }, outside: { 'o.txt': 'y' }, dirs: ['c'], fifos: ['f'], sockets: ['s'] },
      ...{ symlinks: { l: `${OUT}/o.txt` }, hardlinks: { h: 'a/b.txt' } },
    });
    expect(readFileSync(join(root, 'a', 'b.txt'), 'utf8')).toBe('x');
    expect(readFileSync(join(root, 'l'), 'utf8')).toBe('y');
    expect(readFileSync(fill(`${OUT}/o.txt`), 'utf8')).toBe('y');
    expect(statSync(join(root, 'h')).nlink).toBe(2);
    const kinds = ['c', 'f', 's'].map((name) => lstatSync(join(root, name)));
    expect([kinds[0]?.isDirectory(), kinds[1]?.isFIFO(), kinds[2]?.isSocket()]).toEqual([true, true, true]);
  });

  it('starts from the base only when asked', async () => {
    const base = { files: { '.env': 'x' } };
    expect(existsSync(join((await build({ base: true }, base)).root, '.env'))).toBe(true);
    expect(existsSync(join((await build({}, base)).root, '.env'))).toBe(false);
  });

  it('names the project by a link when the fixture wants one', async () => {
    const { root, fill } = await build({ rootSymlink: true, files: { a: 'x' } });
    expect(realpathSync(root)).not.toBe(root);
    expect(readFileSync(fill(`${ROOT}/a`), 'utf8')).toBe('x');
  });

  it.each<[string, (target: string) => JsonObject]>([
    ['a file', (target) => ({ files: { [`${target}/x`]: 'x' } })],
    ['a file, by dots', () => ({ files: { '../../../x': 'x' } })],
    ['a folder', (target) => ({ dirs: [`${target}/x`] })],
    ['a link behind a link', (target) => ({ symlinks: { a: target, 'a/x': 'y' } })],
    ['a folder behind a link', (target) => ({ symlinks: { a: target, 'a/b/c': 'y' } })],
    ['a hard link to a stranger', (target) => ({ hardlinks: { h: `${target}/../x` } })],
    ['a pipe', (target) => ({ fifos: [`${target}/x`] })],
    ['a socket', (target) => ({ sockets: [`${target}/x`] })],
  ])('makes nothing outside of its folder: %s', async (_what, fixtureFor) => {
    await expect(build(fixtureFor(elsewhere))).rejects.toMatchObject({ code: 'CASES_INVALID' });
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  it('takes everything away', async () => {
    const { root } = await build({ files: { a: 'x' }, sockets: ['s'] });
    fixtures.remove();
    expect(existsSync(dirname(root))).toBe(false);
  });
});
