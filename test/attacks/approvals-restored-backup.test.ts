import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { challengeOf } from '../../src/approvals/index.ts';
import type { JsonObject } from '../../src/core/index.ts';
import { asker, askFor, grantFor, LOCAL, ONCE, run, UserKey, yesTo } from '../support/approvals.ts';
import { Stand } from './approvals-stand.ts';

let stand: Stand;
beforeEach(() => {
  stand = new Stand();
});
afterEach(() => stand.end());

const backup = (): string => join(stand.base, 'backup');
const keep = (): void => cpSync(stand.state, backup(), { recursive: true, preserveTimestamps: true });
function restoreWhole(): void {
  rmSync(stand.state, { recursive: true });
  cpSync(backup(), stand.state, { recursive: true, preserveTimestamps: true });
}
function restoreStore(): void {
  for (const name of ['state.db', 'state.db-journal']) {
    rmSync(join(stand.state, name), { force: true });
    cpSync(join(backup(), name), join(stand.state, name), { force: true, errorOnExist: false, recursive: true });
  }
}

describe('[T5] a restart', () => {
  test('keeps what waits and what is open, and knows what was used', async () => {
    let keeper = await stand.open();
    let ask = await asker(keeper);
    const two = { kind: 'times', free: [], times: 2, until: Date.now() + 60_000 } as const;
    const grant = await grantFor({ gate: keeper, operator: keeper }, ask(), yesTo(two));
    await run(keeper, ask(), grant);
    const id = await askFor(keeper, ask({ arguments: { amount: 2 } }));
    keeper = await stand.open();
    ask = await asker(keeper);
    expect(await askFor(keeper, ask({ arguments: { amount: 2 } }))).toBe(id);
    expect(await keeper.answer(id, ONCE, LOCAL)).toMatchObject({ kind: 'granted' });
    await run(keeper, ask(), grant);
    await expect(run(keeper, ask(), grant)).rejects.toMatchObject({ code: 'GRANT_SPENT' });
  });

  test('without a folder outside the state ends every grant, and what waits goes on waiting', async () => {
    let keeper = await stand.open({ runtime: null });
    let ask = await asker(keeper);
    const grant = await grantFor({ gate: keeper, operator: keeper }, ask());
    const id = await askFor(keeper, ask({ arguments: { amount: 2 } }));
    keeper = await stand.open({ runtime: null });
    ask = await asker(keeper);
    await expect(run(keeper, ask(), grant)).rejects.toMatchObject({ code: 'GRANT_VOID' });
    expect(await askFor(keeper, ask({ arguments: { amount: 2 } }))).toBe(id);
  });
});

describe.each([
  ['the store', restoreStore, 'GRANT_SPENT'],
  ['the whole state folder', restoreWhole, 'GRANT_VOID'],
] as const)('[T5] a restored backup of %s', (_, restore, code) => {
  test('does not give a grant back that was used', async () => {
    let keeper = await stand.open();
    let ask = await asker(keeper);
    const grant = await grantFor({ gate: keeper, operator: keeper }, ask());
    await stand.shut();
    keep();
    keeper = await stand.open();
    ask = await asker(keeper);
    await run(keeper, ask(), grant);
    await stand.shut();
    restore();
    keeper = await stand.open();
    ask = await asker(keeper);
    await expect(run(keeper, ask(), grant)).rejects.toMatchObject({ code });
    expect((await keeper.ask(ask())).kind).toBe('waiting');
  });

  test('does not make an answer good for the request that waits again', async () => {
    let keeper = await stand.open();
    const key = new UserKey('boss');
    const offer = await keeper.offerRegistration();
    await keeper.registerOperator(offer, key.registration as never, { code: keeper.offerCode() });
    let ask = await asker(keeper);
    const id = await askFor(keeper, ask());
    await stand.shut();
    keep();
    keeper = await stand.open();
    ask = await asker(keeper);
    const proof = key.proof(challengeOf((await keeper.approval(id)).request, ONCE));
    const receipt = await keeper.answer(id, ONCE, proof);
    await run(keeper, ask(), receipt.kind === 'granted' ? receipt.grant : '');
    await stand.shut();
    restore();
    keeper = await stand.open();
    const replayed = keeper.answer(id, ONCE, proof);
    await expect(replayed).rejects.toMatchObject({
      code: expect.stringMatching(/^(APPROVAL_UNKNOWN|APPROVER_REFUSED)$/),
    });
  });
});

test('[T5] the file outside the state, taken away or turned back, ends grants and opens none', async () => {
  const keeper = await stand.open();
  const ask = await asker(keeper);
  const grant = await grantFor({ gate: keeper, operator: keeper }, ask());
  await stand.shut();
  rmSync(join(stand.runtime, 'sallyport'), { recursive: true });
  const next = await stand.open();
  const again: JsonObject = { ...(await next.ask((await asker(next))())) };
  expect(again['kind']).toBe('waiting');
  await expect(run(next, (await asker(next))(), grant)).rejects.toMatchObject({ code: 'GRANT_VOID' });
});
