import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isSallyportError } from '../core/index.ts';
import { joinKeeper, openKeeper, takeOwnership } from './index.ts';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'sallyport-owner-'));
});
afterEach(() => rmSync(state, { recursive: true }));

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return isSallyportError(error) ? error.code : String(error);
  }
  return 'taken';
};

/** What the kernel says of a process that is dead: a pid that was ours a moment ago. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid ?? 0;
}

function pretendOwner(changes: Record<string, unknown>): void {
  const ownership = takeOwnership(state);
  const file = join(state, 'owner', String(ownership.generation));
  const owner = { pid: process.pid, started: null, place: '- - -', released: false, ...changes };
  writeFileSync(file, JSON.stringify(owner));
}

test('a folder has one owner at a time, and can be taken after release', () => {
  const first = takeOwnership(state);
  expect(codeOf(() => takeOwnership(state))).toBe('STATE_OWNED');
  first.release();
  first.release();
  expect(codeOf(() => takeOwnership(state))).toBe('taken');
});

test('the error names the owner', () => {
  takeOwnership(state);
  try {
    takeOwnership(state);
  } catch (error) {
    expect(isSallyportError(error, 'STATE_OWNED') && error.detail).toEqual({ pid: process.pid });
    return;
  }
  expect.unreachable();
});

test('a killed owner is succeeded', async () => {
  const script = `
    const { takeOwnership } = await import(${JSON.stringify(new URL('../../dist/keeper/index.js', import.meta.url).href)});
    takeOwnership(${JSON.stringify(state)});
    console.log('taken');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  expect(codeOf(() => takeOwnership(state))).toBe('STATE_OWNED');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(codeOf(() => takeOwnership(state))).toBe('taken');
});

test('a reused pid is not mistaken for the owner', () => {
  const ownership = takeOwnership(state);
  const [file] = readdirSync(join(state, 'owner'));
  expect(file).toBe(String(ownership.generation));
  const place = JSON.parse(readOwner()) as { place: string };
  writeFileSync(
    join(state, 'owner', '1'),
    JSON.stringify({ pid: 1, started: '1', place: place.place, released: false }),
  );
  expect(codeOf(() => takeOwnership(state))).toBe('taken');
});

test('an owner elsewhere, or one that cannot be read, is not judged dead', async () => {
  pretendOwner({ pid: await deadPid(), place: 'another-machine boot pid:[1]' });
  expect(codeOf(() => takeOwnership(state))).toBe('STATE_OWNED');
  writeFileSync(join(state, 'owner', '1'), '');
  expect(codeOf(() => takeOwnership(state))).toBe('STATE_OWNED');
});

test('of many processes that race for a dead owner, one gets the folder', async () => {
  pretendOwner({ released: true });
  const script = `
    const { takeOwnership } = await import(${JSON.stringify(new URL('../../dist/keeper/index.js', import.meta.url).href)});
    try { takeOwnership(${JSON.stringify(state)}); console.log('taken'); } catch (error) { console.log(error.code); }
    process.stdin.on('end', () => process.exit(0)).resume();`;
  const children = Array.from({ length: 8 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const said = await Promise.all(children.map(async ({ stdout }) => String((await once(stdout, 'data'))[0]).trim()));
  for (const child of children) child.stdin.end();
  await Promise.all(children.map((child) => child.exitCode ?? once(child, 'exit')));
  expect(said.filter((word) => word === 'taken')).toHaveLength(1);
  expect(said.filter((word) => word === 'STATE_OWNED')).toHaveLength(7);
});

test("whoever was slow to take a dead owner's place leaves it to those who were faster", async () => {
  pretendOwner({ released: true });
  const faster = JSON.stringify({ pid: process.pid, started: null, place: '- - -', released: false });
  const script = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { linkSync } = fs;
    fs.linkSync = (from, to) => {
      // Others took and released 2, and took 3, which removed what is below.
      fs.writeFileSync(${JSON.stringify(join(state, 'owner', '3'))}, ${JSON.stringify(faster)});
      fs.rmSync(${JSON.stringify(join(state, 'owner', '1'))});
      linkSync(from, to);
    };
    syncBuiltinESMExports();
    const { takeOwnership } = await import(${JSON.stringify(new URL('../../dist/keeper/index.js', import.meta.url).href)});
    try { takeOwnership(${JSON.stringify(state)}); console.log('taken'); } catch (error) { console.log(error.code); }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  expect(String((await once(child.stdout, 'data'))[0]).trim()).toBe('STATE_OWNED');
  expect(readdirSync(join(state, 'owner'))).toEqual(['3']);
});

test('a keeper whose mark of ownership was removed keeps the state all the same', async () => {
  chmodSync(state, 0o700);
  const script = `
    const { openKeeper } = await import(${JSON.stringify(new URL('../../dist/keeper/index.js', import.meta.url).href)});
    await openKeeper({ state: ${JSON.stringify(state)}, reachable: [], stayAlive: true });
    console.log('open');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  rmSync(join(state, 'owner'), { recursive: true });
  await expect(openKeeper({ state, reachable: [] })).rejects.toMatchObject({ code: 'STATE_OWNED' });
  const stops = await joinKeeper({ state, reachable: [], environment: {} });
  expect(await stops.stops()).toEqual([]);
  await stops.close();
  child.kill('SIGKILL');
  await once(child, 'exit');
});

function readOwner(): string {
  return readFileSync(join(state, 'owner', '1'), 'utf8');
}
