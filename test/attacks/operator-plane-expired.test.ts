import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EmbeddedKeeper } from '../../src/keeper/index.ts';
import type { UserKey } from '../support/approvals.ts';
import { Stand } from './approvals-stand.ts';
import { authorityOf, letIn, REFUSED, RESUME } from './operator-plane-stand.ts';

let stand: Stand;
let keeper: EmbeddedKeeper;
let boss: UserKey;
/** Milliseconds; and what the clock on the wall says beside it. */
let [passed, wall] = [0, Date.now()];
beforeEach(async () => {
  [passed, wall] = [0, Date.now()];
  stand = new Stand();
  keeper = await stand.open({ clock: { now: () => wall, mono: () => passed * 1_000 } });
  boss = await letIn(keeper);
  await keeper.stop({ kind: 'all' }, 'test');
});
afterEach(() => stand.end());

test('[T5.6] a challenge holds for a minute, whatever the clock on the wall says', async () => {
  const early = await authorityOf(keeper, boss, RESUME);
  passed += 59_999;
  expect(await keeper.perform(RESUME, early)).toMatchObject({ by: { operator: 'boss' } });
  await keeper.stop({ kind: 'all' }, 'test');
  const late = await authorityOf(keeper, boss, RESUME);
  passed += 60_000;
  wall -= 3_600_000;
  await expect(keeper.perform(RESUME, late)).rejects.toMatchObject(REFUSED);
  expect(await keeper.stops()).toEqual([{ kind: 'all' }]);
});
