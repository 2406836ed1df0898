import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CALL_SURFACES, COMMAND_SURFACES, eachStand, type SurfaceStand } from './approvals-surfaces.ts';

const POLICY = `version: 1
defaults: { isolation: none }
tools:
  file_read: { allowedPaths: [.], requiresConfirmation: always }
  file_write: { allowedPaths: [.], requiresConfirmation: always }
  shell: { isolation: none, allowedCommands: [cat, cp], requiresConfirmation: { commands: [cat, cp] } }
`;
const open = eachStand();
const WITHHELD = expect.stringMatching(/^PATH_(?:CONTROL_FILE|NOT_ALLOWED)$/);
const SECRET = 'spc_a-token-of-the-console';

function withSecrets(stand: SurfaceStand): { readonly token: string; readonly link: string; readonly key: string } {
  const { state, root } = stand.workspace;
  const token = join(state, 'console.token');
  writeFileSync(token, SECRET, { mode: 0o600 });
  symlinkSync(token, join(root, 'notes.txt'));
  expect(readdirSync(join(state, 'keys'))).toContain('grants.key');
  return { token, link: 'notes.txt', key: join(state, 'keys', 'grants.key') };
}

describe.each(CALL_SURFACES)('[T5] the state, over %s', (surface) => {
  test('is neither read nor written by a tool of files, and nobody is asked whether it may be', async () => {
    const stand = await open({ surface, policy: POLICY, files: { 'a.txt': 'mine' } });
    const { token, link, key } = withSecrets(stand);
    const { state } = stand.workspace;
    const paths = surface === 'sallyport call' ? [token] : [token, link, key, `${state}/../state/console.token`];
    for (const path of paths) {
      const outcome = await stand.ask('file_read', { path });
      expect(outcome, path).toMatchObject({ code: WITHHELD, request: null });
      expect(outcome.text).not.toContain(SECRET);
    }
    const forged = { path: join(state, 'owner', '9999'), content: 'mine' };
    expect(await stand.ask('file_write', forged)).toMatchObject({ code: WITHHELD });
    expect([await stand.gate.keeper.approvals(), await stand.admitted()]).toEqual([[], 0]);
    const honest = await stand.runsOnceWithAnHonestYes('file_read', { path: 'a.txt' });
    expect(honest.text).toContain('mine');
  });
});

describe.each(COMMAND_SURFACES)('[T5] the state, by a command over %s', (surface) => {
  test('is no file that a command names', async () => {
    const stand = await open({ surface, policy: POLICY, files: { 'a.txt': 'mine' } });
    const { token, link } = withSecrets(stand);
    mkdirSync(join(stand.workspace.root, 'out'));
    const lines = surface.startsWith('sallyport')
      ? [`cat ${link}`]
      : [`cat ${token}`, `cat ${link}`, `cp ${token} out/x`];
    for (const command of lines) {
      expect(await stand.ask('shell', { command }), command).toMatchObject({ code: WITHHELD, request: null });
    }
    expect(await stand.admitted()).toBe(0);
    await stand.runsOnceWithAnHonestYes('shell', { command: 'cat a.txt' });
  });
});

test('[T5] a policy that lets tools reach the state opens no gate', async () => {
  const careless = POLICY.replaceAll('allowedPaths: [.]', 'allowedPaths: [/]');
  await expect(open({ surface: 'gate.call', policy: careless })).rejects.toMatchObject({ code: 'STATE_EXPOSED' });
});
