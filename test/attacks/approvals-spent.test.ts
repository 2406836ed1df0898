import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CALL_SURFACES, COMMAND_SURFACES, eachStand } from './approvals-surfaces.ts';

const POLICY = `version: 1
defaults: { isolation: none }
tools:
  file_read: { allowedPaths: [.] }
  file_write: { allowedPaths: [.], requiresConfirmation: always }
  shell: { isolation: none, allowedCommands: [cp], requiresConfirmation: { commands: [cp] } }
`;
const open = eachStand();
const COPY = ['shell', { command: 'cp a.txt out.txt' }] as const;

describe.each(COMMAND_SURFACES)('[T5] over %s', (surface) => {
  test('one yes for calls that wait side by side, also in processes of their own, runs one of them', async () => {
    const stand = await open({ surface, policy: POLICY, files: { 'a.txt': 'a' } });
    const attempts = Array.from({ length: surface.startsWith('sallyport') ? 2 : 5 }, () => stand.begin(...COPY));
    const requests = new Set(await Promise.all(attempts.map(({ waits }) => waits)));
    expect(requests.size).toBe(1);
    await stand.answer([...requests][0] ?? '');
    const codes = (await Promise.all(attempts.map(({ ended }) => ended))).map(({ code }) => code).sort();
    expect(codes.filter((code) => code === 'delivered')).toHaveLength(1);
    expect(new Set(codes)).toEqual(new Set(['delivered', 'GRANT_SPENT']));
    expect(await stand.admitted()).toBe(1);
    expect(existsSync(join(stand.workspace.root, 'out.txt'))).toBe(true);
  });
});

describe.each(CALL_SURFACES)('[T5] a restored backup, over %s', (surface) => {
  test('gives no yes back that was used; a restart alone takes none away', async () => {
    const call = ['file_write', { path: 'out.txt', content: 'new' }] as const;
    const stand = await open({ surface, policy: POLICY });
    const { base, state, root } = stand.workspace;
    const backup = join(base, 'backup');
    const asked = await stand.ask(...call);
    await stand.answer(asked.request ?? '');
    await stand.stop();
    cpSync(state, backup, { recursive: true, preserveTimestamps: true });
    await stand.start();
    expect(await stand.ask(...call)).toMatchObject({ code: 'delivered' }); // the control: the same yes, after a restart
    await stand.stop();
    rmSync(state, { recursive: true });
    rmSync(join(root, 'out.txt'));
    cpSync(backup, state, { recursive: true, preserveTimestamps: true });
    await stand.start();
    expect((await stand.ask(...call)).code).toMatch(/^(?:APPROVAL_PENDING|GRANT_VOID|GRANT_SPENT)$/);
    expect([existsSync(join(root, 'out.txt')), await stand.admitted()]).toEqual([false, 0]);
  });
});
