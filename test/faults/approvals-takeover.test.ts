import { afterEach, beforeEach, expect, test } from 'vitest';
import { joinKeeper, type Keeper } from '../../src/keeper/index.ts';
import { Stand } from '../attacks/approvals-stand.ts';
import { asker, askFor, LOCAL, ONCE, run, yesTo } from '../support/approvals.ts';

let stand: Stand;
let keepers: Keeper[];
beforeEach(() => {
  stand = new Stand();
  keepers = [];
});
afterEach(async () => {
  for (const keeper of keepers) await keeper.close();
  await stand.end();
});

async function join(role: 'gate' | 'operator' = 'gate'): Promise<Keeper> {
  const { state, runtime } = stand;
  const keeper = await joinKeeper({ state, reachable: [], runtime, role, environment: {}, adoptionMs: 100 });
  keepers.push(keeper);
  return keeper;
}

test('[T5] a call that waits is answered after its owner went, and the yes is spent once over all of them', async () => {
  const [first, second] = [await join(), await join()];
  const ask = await asker(second);
  const [id, other] = [await askFor(second, ask()), await askFor(second, ask({ arguments: { amount: 2 } }))];
  const twice = yesTo({ kind: 'times', free: [], times: 2, until: Date.now() + 60_000 });
  const receipt = await first.answer(other, twice, LOCAL);
  const grant = receipt.kind === 'granted' ? receipt.grant : '';
  await run(second, ask({ arguments: { amount: 2 } }), grant);
  await first.close();

  expect(await askFor(second, ask())).toBe(id);
  const operator = await join('operator');
  expect(await operator.answer(id, ONCE, LOCAL)).toMatchObject({ kind: 'granted' });
  const status = await second.ask(ask());
  await run(second, ask(), status.kind === 'granted' ? status.grant : '');
  await run(second, ask({ arguments: { amount: 2 } }), grant);
  await expect(run(second, ask({ arguments: { amount: 2 } }), grant)).rejects.toMatchObject({ code: 'GRANT_SPENT' });
});
