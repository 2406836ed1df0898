import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CALL_SURFACES, eachStand, type SurfaceStand } from './approvals-surfaces.ts';

const policy = (more: string): string => `version: 1
defaults: { isolation: none }
tools:
  file_write: { allowedPaths: [.], requiresConfirmation: always${more} }
`;
const open = eachStand();
const CALL = ['file_write', { path: 'out.txt', content: 'new' }] as const;

async function putInForce(stand: SurfaceStand, text: string): Promise<void> {
  const changed = new Promise<void>((resolve) => {
    const stop = stand.gate.onPolicyChanged(() => {
      stop();
      resolve();
    });
  });
  stand.workspace.write({ 'sallyport.yaml': text });
  await changed;
}

describe.each(CALL_SURFACES)('[T5] a policy swapped after a yes, over %s', (surface) => {
  test('the yes was given under another one: the call asks anew, or is refused, and does not run', async () => {
    const stand = await open({ surface, policy: policy('') });
    const asked = await stand.ask(...CALL);
    await stand.answer(asked.request ?? '');
    await putInForce(stand, policy(', deniedPaths: [secrets/]'));
    const again = await stand.ask(...CALL);
    expect(again).toMatchObject({ code: 'APPROVAL_PENDING' });
    expect(again.request).not.toBe(asked.request);
    expect([existsSync(join(stand.workspace.root, 'out.txt')), await stand.admitted()]).toEqual([false, 0]);
    await stand.answer(again.request ?? '');
    expect(await stand.ask(...CALL)).toMatchObject({ code: 'delivered' });
    expect(await stand.admitted()).toBe(1);
  });

  test('a call that waits while the policy changes is over, and its yes opens nothing', async () => {
    const stand = await open({ surface, policy: policy('') });
    const attempt = stand.begin(...CALL);
    const request = await attempt.waits;
    await putInForce(stand, policy(', deniedPaths: ["out.*"]'));
    expect(['POLICY_CHANGED', 'PATH_DENIED']).toContain((await attempt.ended).code);
    await stand.answer(request).catch((error: unknown) => expect(error).toMatchObject({ code: 'APPROVAL_UNKNOWN' }));
    expect(await stand.ask(...CALL)).toMatchObject({ code: 'PATH_DENIED' });
    expect([existsSync(join(stand.workspace.root, 'out.txt')), await stand.admitted()]).toEqual([false, 0]);
  });
});
