import { chmodSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CALL_SURFACES, COMMAND_SURFACES, eachStand, type Surface } from './approvals-surfaces.ts';

const POLICY = `version: 1
defaults: { isolation: none }
tools:
  file_read: { allowedPaths: [.], requiresConfirmation: always }
  file_write: { allowedPaths: [.], requiresConfirmation: always }
  shell: { isolation: none, allowedCommands: [./tool], requiresConfirmation: { commands: [./tool] } }
`;
const TIME = new Date('2026-01-01T00:00:00Z');
const open = eachStand();

/** What somebody puts behind a path while its call waits. */
const SWAPS: readonly [name: string, swap: (path: string, other: string) => void][] = [
  [
    'other content in the same file, with its size and its times',
    (path, other) => {
      writeFileSync(path, readFileSync(other));
      utimesSync(path, TIME, TIME);
    },
  ],
  [
    'a link to another file',
    (path, other) => {
      rmSync(path);
      symlinkSync(other, path);
    },
  ],
  ['another inode', (path, other) => renameSync(other, path)],
];
/** Each swap on every surface that shares this process; of the commands of their own process, the first. */
const swapsOf = (surface: Surface): typeof SWAPS => (surface.startsWith('sallyport') ? SWAPS.slice(0, 1) : SWAPS);

describe.each(CALL_SURFACES)('[T5] a file swapped while its call waits, over %s', (surface) => {
  test.each(swapsOf(surface))('%s: the yes is void, and nothing is read', async (_, swap) => {
    const stand = await open({ surface, policy: POLICY, files: { 'a.txt': 'the good one', 'b.txt': 'the evil one' } });
    const [path, other] = [join(stand.workspace.root, 'a.txt'), join(stand.workspace.root, 'b.txt')];
    utimesSync(path, TIME, TIME);
    const attempt = stand.begin('file_read', { path: 'a.txt' });
    const request = await attempt.waits;
    swap(path, other);
    await stand.answer(request);
    const outcome = await attempt.ended;
    expect(outcome).toMatchObject({ code: 'GRANT_VOID' });
    expect(outcome.text).not.toContain('the evil one');
    expect(await stand.admitted()).toBe(0);
    expect((await stand.runsOnceWithAnHonestYes('file_read', { path: 'a.txt' })).text).toContain('the evil one');
  });
});

describe.each(COMMAND_SURFACES)('[T5] a program swapped while its command waits, over %s', (surface) => {
  test.each(swapsOf(surface))('%s: the yes is void, and nothing runs', async (_, swap) => {
    const files = { tool: '#!/bin/sh\necho good > out.txt\n', evil: '#!/bin/sh\necho evil > out.txt\n' };
    const stand = await open({ surface, policy: POLICY, files });
    const { root } = stand.workspace;
    const [path, other, out] = [join(root, 'tool'), join(root, 'evil'), join(root, 'out.txt')];
    for (const program of [path, other]) chmodSync(program, 0o755);
    utimesSync(path, TIME, TIME);
    const attempt = stand.begin('shell', { command: './tool' });
    const request = await attempt.waits;
    swap(path, other);
    await stand.answer(request);
    expect(await attempt.ended).toMatchObject({ code: 'GRANT_VOID' });
    expect(await stand.admitted()).toBe(0);
    expect(() => readFileSync(out)).toThrow('ENOENT');
    await stand.runsOnceWithAnHonestYes('shell', { command: './tool' });
    expect(readFileSync(out, 'utf8')).toBe('evil\n');
  });
});
