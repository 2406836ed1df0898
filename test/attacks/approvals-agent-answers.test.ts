import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { OperatorRegistration } from '../../src/keeper/index.ts';
import { ONCE, UserKey } from '../support/approvals.ts';
import { MAIN } from '../support/cli.ts';
import { COMMAND_SURFACES, eachStand, type SurfaceStand } from './approvals-surfaces.ts';

const POLICY = `version: 1
defaults: { isolation: none }
tools:
  file_read: { allowedPaths: [.] }
  file_write: { allowedPaths: [.], requiresConfirmation: always }
  shell: { isolation: none, allowedCommands: [node, cp], requiresConfirmation: { commands: [cp] } }
`;
const open = eachStand();

/** A program of the agent that answers a request; with the mark of what a gate started, or without. */
const answering = (state: string, request: string, marked: boolean): string => `
const { spawnSync } = require('node:child_process');
const { SALLYPORT_INSIDE, ...bare } = process.env;
const words = ${JSON.stringify([MAIN, 'approvals', 'approve', request, '--yes', '--json', '--state', state])};
const { stdout, stderr } = spawnSync(process.execPath, words, { env: ${marked ? 'process.env' : 'bare'} });
require('node:fs').writeFileSync('answer.log', String(stdout) + String(stderr));
`;

async function registerBoss(stand: SurfaceStand, codes: readonly string[]): Promise<UserKey> {
  const boss = new UserKey('boss', { user: 'carl' });
  const offer = await stand.gate.keeper.offerRegistration();
  const registration = boss.registration as unknown as OperatorRegistration;
  await stand.gate.keeper.registerOperator(offer, registration, { code: codes.at(-1) ?? '' });
  return boss;
}

describe.each(COMMAND_SURFACES)('[T5] over %s', (surface) => {
  test('an agent that runs `sallyport approvals approve` by a tool answers nothing', async () => {
    const codes: string[] = [];
    const stand = await open({
      ...{ surface, policy: POLICY, files: { 'a.txt': 'a' } },
      gate: { onOperatorCode: (code) => void codes.push(code) },
    });
    const { root, state } = stand.workspace;
    const waiting = await stand.ask('shell', { command: 'cp a.txt out.txt' });
    const request = waiting.request ?? '';
    // With the mark: refused, whoever may answer. Without it: refused as soon as somebody has a credential.
    stand.workspace.write({ 'marked.cjs': answering(state, request, true) });
    expect(await stand.ask('shell', { command: 'node marked.cjs' })).toMatchObject({ code: 'delivered' });
    expect(readFileSync(join(root, 'answer.log'), 'utf8')).toContain('OPERATOR_ONLY');
    const boss = await registerBoss(stand, codes);
    stand.workspace.write({ 'bare.cjs': answering(state, request, false) });
    expect(await stand.ask('shell', { command: 'node bare.cjs' })).toMatchObject({ code: 'delivered' });
    expect(readFileSync(join(root, 'answer.log'), 'utf8')).toContain('APPROVER_REFUSED');
    const ran = await stand.admitted();
    expect(await stand.ask('shell', { command: 'cp a.txt out.txt' })).toMatchObject({
      code: 'APPROVAL_PENDING',
      request,
    });
    expect([existsSync(join(root, 'out.txt')), await stand.admitted()]).toEqual([false, ran]);
    await boss.answer(stand.gate.keeper, request, ONCE);
    expect(await stand.ask('shell', { command: 'cp a.txt out.txt' })).toMatchObject({ code: 'delivered' });
    expect(existsSync(join(root, 'out.txt'))).toBe(true);
  });
});
