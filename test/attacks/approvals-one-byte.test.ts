import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CALL_SURFACES, COMMAND_SURFACES, eachStand } from './approvals-surfaces.ts';

const POLICY = `version: 1
defaults: { isolation: none }
tools:
  file_write: { allowedPaths: [.], requiresConfirmation: always }
  shell: { isolation: none, allowedCommands: [cp], requiresConfirmation: { commands: [cp] } }
  file_read: { allowedPaths: [.] }
`;
const open = eachStand();

describe.each(CALL_SURFACES)('[T5] after a yes, over %s', (surface) => {
  test('a call that differs in one byte of its arguments is another call, and does not run', async () => {
    const stand = await open({ surface, policy: POLICY });
    const out = join(stand.workspace.root, 'out.txt');
    const honest = { path: 'out.txt', content: 'pay bob 10' };
    const asked = await stand.ask('file_write', honest);
    expect(asked.code).toBe('APPROVAL_PENDING');
    await stand.answer(asked.request ?? '');
    const swapped = await stand.ask('file_write', { path: 'out.txt', content: 'pay bob 90' });
    expect(swapped).toMatchObject({ code: 'APPROVAL_PENDING' });
    expect(swapped.request).not.toBe(asked.request);
    expect([existsSync(out), await stand.admitted()]).toEqual([false, 0]);
    expect(await stand.ask('file_write', honest)).toMatchObject({ code: 'delivered' });
    expect([readFileSync(out, 'utf8'), await stand.admitted()]).toEqual(['pay bob 10', 1]);
  });
});

describe.each(COMMAND_SURFACES)('[T5] after a yes to a command, over %s', (surface) => {
  test('a line that differs in one byte is another call, and does not run', async () => {
    const stand = await open({ surface, policy: POLICY, files: { 'a.txt': 'a', 'b.txt': 'b' } });
    const asked = await stand.ask('shell', { command: 'cp a.txt c.txt' });
    await stand.answer(asked.request ?? '');
    const swapped = await stand.ask('shell', { command: 'cp b.txt c.txt' });
    expect(swapped.code).toBe('APPROVAL_PENDING');
    expect([existsSync(join(stand.workspace.root, 'c.txt')), await stand.admitted()]).toEqual([false, 0]);
    expect(await stand.ask('shell', { command: 'cp a.txt c.txt' })).toMatchObject({ code: 'delivered' });
    expect(readFileSync(join(stand.workspace.root, 'c.txt'), 'utf8')).toBe('a');
  });
});

test('[T5] what a caller changes in its own object after the call began is not what runs', async () => {
  const stand = await open({ surface: 'gate.call', policy: POLICY });
  const mine = { path: 'out.txt', content: 'pay bob 10' };
  const attempt = stand.begin('file_write', mine);
  const request = await attempt.waits;
  mine.content = 'pay bob 90';
  await stand.answer(request);
  expect(await attempt.ended).toMatchObject({ code: 'delivered' });
  expect(readFileSync(join(stand.workspace.root, 'out.txt'), 'utf8')).toBe('pay bob 10');
});
