import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { LogFiles } from '../../src/audit/log-files.ts';
import { isSallyportError, systemClock } from '../../src/core/index.ts';
import { openKeeper } from '../../src/keeper/index.ts';
import { ALL_OK, appendCall, openLog, quickFiles, statuses, temporaryFolder, verify } from './log-fixture.ts';

const KEEPER = new URL('../../dist/keeper/index.js', import.meta.url).href;
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'fine',
    (error: unknown) => (isSallyportError(error) ? error.code : String(error)),
  );

it('[T7.1] without file descriptors nothing runs, and nothing is lost', () => {
  const program = fileURLToPath(new URL('scarce-files.mjs', import.meta.url));
  const command = ['-c', 'ulimit -n 128 && exec "$@"', 'sh', process.execPath, program, temporaryFolder()];
  const said = JSON.parse(execFileSync('sh', command, { encoding: 'utf8' })) as Record<string, unknown>;
  expect(said).toMatchObject({
    before: 'fine',
    scarcity: 'EMFILE',
    after: 'AUDIT_WRITE_FAILED',
    again: 'fine',
    findings: 0,
  });
  expect(said['codes']).toContain('AUDIT_WRITE_FAILED');
});

it('[T7.1] a state folder that cannot be written is refused with its code', ({ skip }) => {
  const folder = temporaryFolder();
  const script = `
    const { openKeeper } = await import(${JSON.stringify(KEEPER)});
    const open = (state) => openKeeper({ state, reachable: [] }).then(() => 'open', (error) => error.code);
    console.log(await open(process.argv[1] + '/new'), await open(process.argv[1] + '/old'));`;
  mkdirSync(join(folder, 'old'), { mode: 0o700 });
  const mount = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" --input-type=module -e "$3" "$1"';
  const wrapped = ['--user', '--map-root-user', '--mount', 'sh', '-c', mount, 'sh', folder, process.execPath];
  if (spawnSync('unshare', [...wrapped, '0']).status !== 0) skip('this system lets nobody mount a folder');
  expect(execFileSync('unshare', [...wrapped, script], { encoding: 'utf8' })).toBe(
    'STATE_UNWRITABLE STATE_UNWRITABLE\n',
  );
});

it('[T7.1] a folder that belongs to nobody who may write it is refused with its code', async ({ skip }) => {
  if (process.getuid?.() === 0) skip('permissions do not stop root');
  const folder = temporaryFolder();
  chmodSync(folder, 0o500);
  expect(await codeOf(openKeeper({ state: join(folder, 'state'), reachable: [] }))).toBe('STATE_UNWRITABLE');
  chmodSync(folder, 0o700);
});

it('[T7.1] a slow disk: what waits shares a sync, nothing is acknowledged before it, and nothing is lost', async () => {
  const directory = temporaryFolder();
  let syncs = 0;
  let synced: (() => void)[] = [];
  const slowFiles: LogFiles = {
    ...quickFiles,
    open: async (file, mode) => {
      const opened = await quickFiles.open(file, mode);
      if (!file.endsWith('.wal')) return opened;
      return {
        ...opened,
        sync: async () => {
          syncs += 1;
          await new Promise<void>((resolve) => synced.push(resolve));
        },
      };
    },
  };
  const release = (): void => {
    for (const resolve of synced.splice(0)) resolve();
  };
  const log = await openLog(directory, { files: slowFiles, checkpointMs: 1e9 });
  let acknowledged = 0;
  const calls = Array.from({ length: 500 }, (_, call) =>
    appendCall(log, call).durable.then(() => {
      acknowledged += 1;
    }),
  );
  while (synced.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(acknowledged).toBe(0);
  const pump = setInterval(release, 5);
  await Promise.all(calls);
  expect(syncs).toBeLessThan(20);
  log.append({ type: 'shutdown' });
  await log.close();
  clearInterval(pump);
  synced = [];
  expect(statuses(await verify(directory))).toBe(ALL_OK);
});

it('[T7.1] a clock that steps back: calls go on, the log verifies, and nothing that holds once is granted again', async () => {
  const state = join(temporaryFolder(), 'state');
  let now = Date.now();
  const clock = { ...systemClock, now: () => now };
  const keeper = await openKeeper({ state, reachable: [], clock });
  const expiresAt = now + 60_000;
  expect(await keeper.claim('nonce', 'one', expiresAt)).toBe(true);
  now += 120_000;
  expect(await keeper.claim('nonce', 'other', now + 60_000)).toBe(true);
  await keeper.close();
  now -= 100_000;
  const again = await openKeeper({ state, reachable: [], clock });
  expect(await codeOf(again.claim('nonce', 'one', expiresAt).then((granted) => expect(granted).toBe(false)))).toMatch(
    /^(fine|STORE_CLOCK)$/,
  );
  await again.openSession({ tenant: 'local', user: 'test', agent: 'test', proof: 'local' }, 'library');
  await again.close();
  expect((await verify(state)).findings).toEqual([]);
});
