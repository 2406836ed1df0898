import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { SandboxProfile } from './contract.ts';
import { mountPoints } from './mount-points.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-points-')));
mkdirSync(join(root, 'a/b/c'), { recursive: true });
writeFileSync(join(root, 'a/b/file'), '');
afterAll(() => rmSync(root, { recursive: true }));

const limits = { wallMs: 0, memoryBytes: 0, processes: 0, fileBytes: 0, openFiles: 0, outputBytes: 0, diskBytes: 0 };
const EMPTY: SandboxProfile = { mounts: [], covers: [], reserved: [], runtime: [], limits, egress: null };
const at = (path: string): string => join(root, path);

/** Kind and path, in the order in which they are mounted. */
const plan = (profile: Partial<SandboxProfile>): readonly string[] =>
  mountPoints({ ...EMPTY, ...profile }).map(({ path, kind }) => `${kind} ${path.slice(root.length)}`);

test.each<[string, Partial<SandboxProfile>, readonly string[]]>([
  ['a mount alone', { mounts: [{ path: root, access: 'write' }] }, ['write ']],
  [
    'the folders above a cover are pinned, up to the writable mount',
    { mounts: [{ path: root, access: 'write' }], covers: [{ path: at('a/b/file'), kind: 'hidden' }] },
    ['write ', 'pin /a', 'pin /a/b', 'hidden-file /a/b/file'],
  ],
  [
    'nothing needs a pin in a read-only mount',
    { mounts: [{ path: root, access: 'read' }], covers: [{ path: at('a/b/file'), kind: 'hidden' }] },
    ['read ', 'hidden-file /a/b/file'],
  ],
  [
    'a mount in a mount keeps its place',
    {
      mounts: [
        { path: root, access: 'write' },
        { path: at('a/b'), access: 'read' },
      ],
    },
    ['write ', 'pin /a', 'read /a/b'],
  ],
  [
    'below a hidden folder there is nothing, also no mount',
    {
      mounts: [
        { path: root, access: 'write' },
        { path: at('a/b'), access: 'write' },
      ],
      covers: [{ path: at('a'), kind: 'hidden' }],
      reserved: [at('a/b/new')],
    },
    ['write ', 'hidden-folder /a'],
  ],
  [
    'below a read-only cover nothing is writable, and nothing needs to be reserved',
    {
      mounts: [
        { path: root, access: 'write' },
        { path: at('a/b'), access: 'write' },
      ],
      covers: [{ path: at('a'), kind: 'read-only' }],
      reserved: [at('a/new')],
    },
    ['write ', 'read /a', 'read /a/b'],
  ],
  [
    'hidden counts more than read-only, whatever comes first',
    {
      mounts: [{ path: root, access: 'write' }],
      covers: [
        { path: at('a'), kind: 'hidden' },
        { path: at('a'), kind: 'read-only' },
      ],
    },
    ['write ', 'hidden-folder /a'],
  ],
  [
    'a reserved path is pinned like a cover, and the runtime is read-only in a writable mount',
    { mounts: [{ path: root, access: 'write' }], reserved: [at('a/new')], runtime: [at('a/b/c')] },
    ['write ', 'pin /a', 'pin /a/b', 'reserved /a/new', 'read /a/b/c'],
  ],
])('mountPoints: %s', (_, profile, expected) => {
  expect(plan(profile)).toEqual(expected);
});
