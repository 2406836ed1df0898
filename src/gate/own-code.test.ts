import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownCodePlaces } from './own-code.ts';

const top = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-own-')));
const put = (path: string, content: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
};
const manifest = JSON.stringify({ name: 'sallyport', dependencies: { yaml: '1', '@scope/lib': '1', absent: '1' } });

beforeAll(() => {
  put(join(top, 'app/package.json'), '{"name":"app"}');
  put(join(top, 'app/node_modules/sallyport/package.json'), manifest);
  put(join(top, 'app/node_modules/sallyport/dist/gate/a.js'), '');
  put(join(top, 'store/yaml/node_modules/yaml/package.json'), '{}');
  put(join(top, 'checkout/lib/package.json'), '{}');
  symlinkSync(join(top, 'store/yaml/node_modules/yaml'), join(top, 'app/node_modules/yaml'));
  mkdirSync(join(top, 'app/node_modules/@scope'));
  symlinkSync(join(top, 'checkout/lib'), join(top, 'app/node_modules/@scope/lib'));
  put(join(top, 'bundled/package.json'), '{"name":"bundled"}');
  put(join(top, 'broken/package.json'), '{');
});

afterAll(() => rmSync(top, { recursive: true, force: true }));

describe('the places that our code is loaded from', () => {
  test('installed: our package, the folders that its imports are found in, and where linked packages lie', () => {
    const places = ownCodePlaces(join(top, 'app/node_modules/sallyport/dist'));
    expect(places.filter((place) => place.startsWith(top))).toEqual([
      join(top, 'app/node_modules/sallyport/dist'),
      join(top, 'app/node_modules/sallyport'),
      join(top, 'app/node_modules/sallyport/node_modules'),
      join(top, 'app/node_modules'),
      join(top, 'node_modules'),
      join(top, 'store/yaml/node_modules'),
      join(top, 'checkout/lib'),
    ]);
    expect(places).toContain('/node_modules');
  });

  test.each(['bundled', 'broken'])('%s: not the whole of another package', (name) => {
    const places = ownCodePlaces(join(top, name, 'dist'));
    expect(places).toContain(join(top, name, 'dist'));
    expect(places).toContain(join(top, name, 'node_modules'));
    expect(places).not.toContain(join(top, name));
  });
});
