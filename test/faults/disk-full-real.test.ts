import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from './log-fixture.ts';

const program = fileURLToPath(new URL('disk-full-keeper.mjs', import.meta.url));

/** A shell in namespaces of its own, where it may mount a small disk that goes with it. */
const MOUNT = 'mount -t tmpfs -o size="$2",mode=0700 none "$1" && shift 2 && exec "$@"';
const onSmallDisk = (folder: string, size: string, command: readonly string[]): string[] => [
  ...['--user', '--map-root-user', '--mount', 'sh', '-c', MOUNT, 'sh', folder, size],
  ...command,
];
const mayMount = (): boolean => spawnSync('unshare', onSmallDisk(temporaryFolder(), '1m', ['true'])).status === 0;

it('[T7.1] a keeper on a real full disk refuses calls, records the refusal and its end, and goes on with space', ({
  skip,
}) => {
  if (!mayMount()) skip('this system lets nobody mount a disk of their own');
  const command = [process.execPath, program];
  const folder = temporaryFolder();
  const said = execFileSync('unshare', onSmallDisk(folder, '6m', [...command, folder]), { encoding: 'utf8' });
  const { types, ...codes } = JSON.parse(said) as { types: string[] };
  expect(codes).toEqual({
    refusedWith: 'DISK_FULL',
    again: 'DISK_FULL',
    refusal: 'fine',
    outcome: 'fine',
    stopped: ['all'],
    stillStopped: 1,
    closed: 'fine',
    reopenedFull: 'DISK_FULL',
    findings: 0,
  });
  expect(types).toContain('intent deny');
  expect(types).toContain('outcome delivered');
  expect(types).toContain('shutdown');
});
