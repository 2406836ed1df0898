import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRecords } from '../../src/audit/index.ts';
import type { ApprovalStatus } from '../../src/keeper/index.ts';
import { asker, askFor, grantFor, LOCAL, NO, ONCE, run } from '../support/approvals.ts';
import { Stand } from './approvals-stand.ts';

let stand: Stand;
beforeEach(() => {
  stand = new Stand();
});
afterEach(() => stand.end());

test('[T5] a caller that asks until the person tires is told when to come again, and others are asked for', async () => {
  const keeper = await stand.open();
  const ask = await asker(keeper);
  const asked: ApprovalStatus[] = [];
  for (let amount = 0; amount < 60; amount++) asked.push(await keeper.ask(ask({ arguments: { amount } })));
  const waiting = asked.filter(({ kind }) => kind === 'waiting');
  expect(waiting.length).toBeGreaterThanOrEqual(20);
  expect(waiting.length).toBeLessThan(30);
  const last = asked.at(-1);
  expect(last).toMatchObject({ kind: 'refused', code: 'APPROVAL_FLOOD' });
  expect(last?.kind === 'refused' && last.retryAt > Date.now()).toBe(true);
  const other = { principal: { tenant: 't', user: 'bob', agent: 'b', chain: [] } };
  expect((await keeper.ask(ask(other))).kind).toBe('waiting');
  // What was refused left no record here: the gate's refusals are counted already.
  await stand.shut();
  let intents = 0;
  for await (const { record } of readRecords(stand.state)) if (record.type === 'intent') intents += 1;
  expect(intents).toBe(waiting.length + 1);
});

test('[T5] the same call again and again after a no reaches nobody', async () => {
  const keeper = await stand.open();
  const ask = await asker(keeper);
  await keeper.answer(await askFor(keeper, ask()), NO, LOCAL);
  for (let turn = 0; turn < 50; turn++) expect((await keeper.ask(ask())).kind).toBe('refused');
  expect(await keeper.approvals()).toEqual([]);
});

test('[T5] no answer in time is no; a clock that jumps ends things, and prolongs nothing', async () => {
  let wall = Date.now();
  let mono = 0;
  const clock = { now: () => wall, mono: () => mono };
  const keeper = await stand.open({ clock });
  const ask = await asker(keeper);
  const id = await askFor(keeper, ask());
  wall -= 3_600_000;
  mono += 600_001_000;
  await expect(keeper.answer(id, ONCE, LOCAL)).rejects.toMatchObject({ code: 'APPROVAL_UNKNOWN' });
  const grant = await grantFor({ gate: keeper, operator: keeper }, ask({ arguments: { amount: 2 } }));
  mono += 600_001_000;
  const expired = run(keeper, ask({ arguments: { amount: 2 } }), grant);
  await expect(expired).rejects.toMatchObject({ code: expect.stringMatching(/^GRANT_(EXPIRED|VOID)$/) });
});

test('[T5] a clock that is set back over a restart prolongs nothing', async () => {
  let wall = Date.now();
  const clock = { now: () => wall, mono: () => 0 };
  let keeper = await stand.open({ clock });
  let ask = await asker(keeper);
  const grant = await grantFor({ gate: keeper, operator: keeper }, ask());
  wall += 700_000;
  await keeper.openSession({ tenant: 't', user: 'ann', agent: 'a', proof: 'local' }, 'library');
  wall -= 700_000;
  keeper = await stand.open({ clock });
  ask = await asker(keeper);
  const expired = run(keeper, ask(), grant);
  await expect(expired).rejects.toMatchObject({ code: expect.stringMatching(/^GRANT_(EXPIRED|VOID)$/) });
});
