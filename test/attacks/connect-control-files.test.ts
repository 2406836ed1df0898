import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { projectPlace, userPlace } from '../../src/cli/host-place.ts';
import { HOSTS, type Host } from '../../src/cli/host-table.ts';
import { watchControlFiles } from '../../src/gate/control-files.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-')));
const home = join(base, 'home');
const root = join(home, 'work');
mkdirSync(root, { recursive: true });
afterAll(() => rmSync(base, { recursive: true, force: true }));

const files = watchControlFiles({ root, home, policyFile: null, stateFolders: [] });
const judge = (real: string): string | null => files.judge({ real, identities: [], links: 1, writing: true });

const PLATFORMS = ['linux', 'darwin', 'win32'] as const;
const places: [string, string][] = HOSTS.flatMap((host: Host) => [
  ...PLATFORMS.map((platform): [string, string] => [
    `${host.name} on ${platform}`,
    userPlace(host, { platform, home, environment: {} }),
  ]),
  ...(host.project === null ? [] : [[`${host.name} in a project`, projectPlace(host, root)] as [string, string]]),
]);

describe('every file that connect writes is a control file', () => {
  test.each(places)('%s', (_, path) => {
    expect([path, judge(path)]).toEqual([path, 'control']);
  });

  test('an ordinary file is none', () => {
    expect(judge(join(root, 'src', 'a.ts'))).toBeNull();
  });
});
