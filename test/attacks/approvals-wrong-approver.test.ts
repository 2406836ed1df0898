import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { challengeOf } from '../../src/approvals/index.ts';
import type { OperatorProof, OperatorRegistration } from '../../src/keeper/index.ts';
import { LOCAL, ONCE, UserKey } from '../support/approvals.ts';
import { CALL_SURFACES, eachStand, type SurfaceStand } from './approvals-surfaces.ts';

const POLICY = `version: 1
defaults: { isolation: none }
tools:
  file_write:
    allowedPaths: [.]
    requiresConfirmation: always
    approvers: { groups: [payments], people: 1, ownUser: false }
`;
const open = eachStand();
const CALL = ['file_write', { path: 'out.txt', content: 'new' }] as const;
const REFUSED = { code: 'APPROVER_REFUSED' };

async function register(stand: SurfaceStand, key: UserKey, codes: readonly string[]): Promise<UserKey> {
  const offer = await stand.gate.keeper.offerRegistration();
  const registration = key.registration as unknown as OperatorRegistration;
  await stand.gate.keeper.registerOperator(offer, registration, { code: codes.at(-1) ?? '' });
  return key;
}

const proofOf = async (stand: SurfaceStand, key: UserKey, request: string): Promise<OperatorProof> =>
  key.proof(challengeOf((await stand.gate.keeper.approval(request)).request, ONCE));

describe.each(CALL_SURFACES)('[T5] over %s', (surface) => {
  test('who is in no group, who asked, who proves nothing, and whose answer is replayed say no yes', async () => {
    const codes: string[] = [];
    const stand = await open({ surface, policy: POLICY, gate: { onOperatorCode: (code) => void codes.push(code) } });
    const { user } = (await stand.gate.openSession()).principal;
    const asked = await stand.ask(...CALL);
    const request = asked.request ?? '';
    const whose = (await stand.gate.keeper.approval(request)).request.binding.principal.user;
    const boss = await register(stand, new UserKey('boss', { user: 'carl', groups: ['payments'] }), codes);
    const stranger = await register(stand, new UserKey('stranger', { user: 'eve', groups: ['ops'] }), codes);
    const self = await register(stand, new UserKey('self', { user: whose, groups: ['payments'] }), codes);
    for (const key of [stranger, self])
      await expect(key.answer(stand.gate.keeper, request, ONCE)).rejects.toMatchObject(REFUSED);
    await expect(stand.answer(request, ONCE, LOCAL)).rejects.toMatchObject(REFUSED);
    const forged = new UserKey('boss');
    await expect(stand.answer(request, ONCE, await proofOf(stand, forged, request))).rejects.toMatchObject(REFUSED);
    expect(await stand.ask(...CALL)).toMatchObject({ code: 'APPROVAL_PENDING', request });
    expect([existsSync(join(stand.workspace.root, 'out.txt')), await stand.admitted()]).toEqual([false, 0]);

    const good = await proofOf(stand, boss, request);
    await stand.answer(request, ONCE, good);
    expect(await stand.ask(...CALL)).toMatchObject({ code: 'delivered' });
    await expect(stand.answer(request, ONCE, good)).rejects.toMatchObject({ code: 'APPROVAL_UNKNOWN' });
    const next = await stand.ask(...CALL);
    await expect(stand.answer(next.request ?? '', ONCE, good)).rejects.toMatchObject(REFUSED);
    expect(await stand.admitted()).toBe(1);
    expect(user).not.toBe('carl');
  });
});
