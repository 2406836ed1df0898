import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/index.ts';
import { gateUnderAttack, type UnderAttack } from './attempt.ts';
import { type AttackPlace, makeAttackPlace, PAYLOAD, SECRET, snapshot } from './path-tricks.ts';

const ROUNDS = 300;
/** Each write waits for the disk. */
const WRITE_ROUNDS = 100;
/** How a lost race may end: the path was refused as it stood, or it changed between the check and the use. */
const LOST = [
  null,
  'PATH_CHANGED',
  'PATH_NOT_ALLOWED',
  'PATH_CONTROL_FILE',
  'PATH_NOT_FOUND',
  'PATH_NOT_FILE',
  'PATH_NOT_FOLDER',
  'PATH_UNREADABLE',
  'PATH_SPECIAL_FILE',
];

let place: AttackPlace;
let gate: UnderAttack;
let flipper: ChildProcess | null = null;

beforeEach(async () => {
  place = makeAttackPlace();
  gate = await gateUnderAttack(place);
  mkdirSync(join(place.root, 'src/folder'));
  writeFileSync(join(place.root, 'src/folder/secret.txt'), 'inside');
});

afterEach(async () => {
  await stopFlipping();
  await gate.close();
  place.remove();
});

/** A process that swaps `name` with `other`, both in `src/`, until the test ends. */
async function flip(name: string, other: string): Promise<void> {
  const script = fileURLToPath(new URL('./flip-forever.mjs', import.meta.url));
  const [first, second] = [join(place.root, 'src/flip.1'), join(place.root, 'src', other)];
  flipper = spawn(process.execPath, [script, join(place.root, 'src', name), first, second], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => flipper?.stdout?.once('data', resolve));
}

async function stopFlipping(): Promise<void> {
  const running = flipper;
  flipper = null;
  if (running === null) return;
  const ended = new Promise((resolve) => running.once('exit', resolve));
  running.kill('SIGKILL');
  await ended;
}

describe('[T1.5] while another process swaps', { timeout: 120_000 }, () => {
  test('a file and a link out: no byte from outside is read', async () => {
    symlinkSync(join(place.outside, 'secret.txt'), join(place.root, 'src/other'));
    await flip('a.ts', 'other');
    for (let round = 0; round < ROUNDS; round++) {
      const { code, text } = await gate.attempt('file_read', { path: 'src/a.ts' });
      expect(LOST).toContain(code);
      if (code === null) expect(text).toBe('inside');
    }
  });

  test('a folder and a link out: no byte from outside is read, listed or found', async () => {
    symlinkSync(place.outside, join(place.root, 'src/other'));
    writeFileSync(join(place.outside, 'only-outside.txt'), SECRET);
    await flip('folder', 'other');
    for (let round = 0; round < ROUNDS; round++) {
      const results = [
        await gate.attempt('file_read', { path: 'src/folder/secret.txt' }),
        await gate.attempt('file_list', { path: 'src/folder' }),
        await gate.attempt('file_search', { path: 'src/folder', pattern: SECRET.slice(0, 10) }),
      ];
      for (const { code, text } of results) {
        expect(LOST).toContain(code);
        expect(text).not.toContain(SECRET);
        expect(text).not.toContain('only-outside');
      }
    }
  });

  test.each(['secret.txt', 'new.txt', 'deep/er/new.txt'])(
    'a folder and a link out: nothing outside is written (%s)',
    async (name) => {
      symlinkSync(place.outside, join(place.root, 'src/other'));
      const before = snapshot(place);
      await flip('folder', 'other');
      for (let round = 0; round < WRITE_ROUNDS; round++) {
        const { code } = await gate.attempt('file_write', { path: `src/folder/${name}`, content: PAYLOAD });
        expect(LOST).toContain(code);
      }
      await stopFlipping();
      expect(snapshot(place)).toEqual(before);
      expect(readdirSync(place.outside)).toEqual(['secret.txt']);
    },
  );

  test('a folder and a link to the hooks of git: no hook is written', async () => {
    symlinkSync('../.git/hooks', join(place.root, 'src/other'));
    const before = snapshot(place);
    await flip('folder', 'other');
    for (let round = 0; round < WRITE_ROUNDS; round++) {
      const path = `src/folder/${round % 2 === 0 ? 'pre-commit' : 'post-merge'}`;
      expect(LOST).toContain((await gate.attempt('file_write', { path, content: PAYLOAD })).code);
    }
    await stopFlipping();
    expect(snapshot(place)).toEqual(before);
  });

  test('a file and a link to the policy: the policy stays', async () => {
    symlinkSync('../sallyport.yaml', join(place.root, 'src/other'));
    const before = snapshot(place);
    await flip('a.ts', 'other');
    for (let round = 0; round < WRITE_ROUNDS; round++) {
      expect(LOST).toContain((await gate.attempt('file_write', { path: 'src/a.ts', content: PAYLOAD })).code);
    }
    await stopFlipping();
    expect(snapshot(place)).toEqual(before);
  });

  test('a file and a FIFO: nothing waits', async () => {
    execFileSync('mkfifo', [join(place.root, 'src/other')]);
    await flip('a.ts', 'other');
    for (let round = 0; round < ROUNDS; round++) {
      expect(LOST).toContain((await gate.attempt('file_read', { path: 'src/a.ts' })).code);
    }
  });
});

describe('[T1.5] a swap between the check and the use', () => {
  /** Runs the call up to the moment before the tool opens anything, swaps, and lets it go on. */
  const swapped = async (tool: string, args: JsonObject, swap: () => void): Promise<string | null> => {
    await gate.close();
    gate = await gateUnderAttack(place, swap);
    return (await gate.attempt(tool, args)).code;
  };
  const asLink = (name: string, target: string) => (): void => {
    renameSync(join(place.root, 'src', name), join(place.root, 'src/moved'));
    symlinkSync(target, join(place.root, 'src', name));
  };

  test.each<[string, string, string, () => void]>([
    ['file_read', 'a file for a link', 'src/a.ts', () => asLink('a.ts', join(place.outside, 'secret.txt'))()],
    ['file_read', 'a folder for a link', 'src/folder/secret.txt', () => asLink('folder', place.outside)()],
    ['file_list', 'a folder for a link', 'src/folder', () => asLink('folder', place.outside)()],
    ['file_search', 'a folder for a link', 'src/folder', () => asLink('folder', place.outside)()],
    ['file_write', 'a file for a link', 'src/a.ts', () => asLink('a.ts', join(place.outside, 'secret.txt'))()],
    ['file_write', 'a folder for a link', 'src/folder/secret.txt', () => asLink('folder', place.outside)()],
    ['file_write', 'a folder for a link, new file', 'src/folder/new.txt', () => asLink('folder', place.outside)()],
    [
      'file_write',
      'nothing for a link',
      'src/none',
      () => symlinkSync('../.git/hooks/post-merge', join(place.root, 'src/none')),
    ],
    [
      'file_write',
      'a missing folder for a link',
      'src/none/post-merge',
      () => symlinkSync('../.git/hooks', join(place.root, 'src/none')),
    ],
    [
      'file_write',
      'a file for another file',
      'src/a.ts',
      () => {
        writeFileSync(join(place.root, 'src/theirs'), 'theirs');
        renameSync(join(place.root, 'src/theirs'), join(place.root, 'src/a.ts'));
      },
    ],
  ])('%s, %s: PATH_CHANGED', async (tool, _, path, swap) => {
    const before = snapshot(place);
    const more = { file_write: { content: PAYLOAD }, file_search: { pattern: 'BYTES' } }[tool] ?? {};
    expect(await swapped(tool, { path, ...more }, swap)).toBe('PATH_CHANGED');
    expect(snapshot(place)).toEqual(before);
    expect(readFileSync(join(place.outside, 'secret.txt'), 'utf8')).toBe(SECRET);
  });
});
