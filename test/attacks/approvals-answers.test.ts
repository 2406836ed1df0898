import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { NO } from '../support/approvals.ts';
import { CALL_SURFACES, eachStand } from './approvals-surfaces.ts';

const POLICY = `version: 1
defaults: { isolation: none }
tools:
  file_write: { allowedPaths: [.], requiresConfirmation: always }
`;
const open = eachStand();
const CALL = ['file_write', { path: 'out.txt', content: 'new' }] as const;

/** A clock of which time passes when it is told to. */
function steppingClock() {
  let passed = 0;
  return {
    now: () => Date.now() + passed,
    mono: () => Math.round((performance.now() + passed) * 1_000),
    pass: (milliseconds: number) => {
      passed += milliseconds;
    },
  };
}

describe.each(CALL_SURFACES)('[T5] over %s', (surface) => {
  test('a no ends the call, and the same call again reaches nobody', async () => {
    const stand = await open({ surface, policy: POLICY });
    const attempt = stand.begin(...CALL);
    await stand.answer(await attempt.waits, NO);
    expect(await attempt.ended).toMatchObject({ code: 'APPROVAL_DENIED' });
    expect(await stand.ask(...CALL)).toMatchObject({ code: 'APPROVAL_DENIED' });
    expect(await stand.gate.keeper.approvals()).toEqual([]);
    expect([existsSync(join(stand.workspace.root, 'out.txt')), await stand.admitted()]).toEqual([false, 0]);
  });

  test('a yes that came too late, or was not used in time, opens nothing', async () => {
    const clock = steppingClock();
    const stand = await open({ surface, policy: POLICY, gate: { clock } });
    const late = await stand.ask(...CALL);
    clock.pass(600_001);
    await expect(stand.answer(late.request ?? '')).rejects.toMatchObject({ code: 'APPROVAL_UNKNOWN' });
    await vi.waitFor(async () => expect(await stand.gate.keeper.approvals()).toEqual([]), 10_000); // looked at twice a second
    const asked = await stand.ask(...CALL);
    expect(asked).toMatchObject({ code: 'APPROVAL_PENDING' });
    expect(asked.request).not.toBe(late.request);
    await stand.answer(asked.request ?? '');
    clock.pass(600_001);
    const again = await stand.ask(...CALL);
    expect(again).toMatchObject({ code: 'APPROVAL_PENDING' });
    expect(again.request).not.toBe(asked.request);
    expect([existsSync(join(stand.workspace.root, 'out.txt')), await stand.admitted()]).toEqual([false, 0]);
    await stand.answer(again.request ?? '');
    expect(await stand.ask(...CALL)).toMatchObject({ code: 'delivered' });
  });
});
