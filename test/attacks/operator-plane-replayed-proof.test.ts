import { afterEach, beforeEach, expect, test } from 'vitest';
import { type EmbeddedKeeper, joinKeeper, type Keeper } from '../../src/keeper/index.ts';
import type { UserKey } from '../support/approvals.ts';
import { Stand } from './approvals-stand.ts';
import { authorityOf, letIn, REFUSED, RESUME } from './operator-plane-stand.ts';

let stand: Stand;
let keeper: EmbeddedKeeper;
let agent: Keeper;
let boss: UserKey;
beforeEach(async () => {
  stand = new Stand();
  keeper = await stand.open();
  boss = await letIn(keeper);
  await keeper.stop({ kind: 'all' }, 'test');
  agent = await joinKeeper({ state: stand.state, reachable: [], role: 'operator', environment: {} });
});
afterEach(async () => {
  await agent.close();
  await stand.end();
});

test('[T5.6] a proof that was used once does nothing again, also after another stop', async () => {
  const authority = await authorityOf(keeper, boss, RESUME);
  expect(await keeper.perform(RESUME, authority)).toMatchObject({ by: { operator: 'boss' }, advisory: false });
  expect(await keeper.stops()).toEqual([]);
  await keeper.stop({ kind: 'all' }, 'again');
  await expect(agent.perform(RESUME, authority)).rejects.toMatchObject(REFUSED);
  await expect(keeper.perform(RESUME, authority)).rejects.toMatchObject(REFUSED);
  expect(await agent.stops()).toEqual([{ kind: 'all' }]);
});

test('[T5.6] of two that use one proof at once, one gets through', async () => {
  const authority = await authorityOf(keeper, boss, RESUME);
  const ends = await Promise.allSettled([agent.perform(RESUME, authority), keeper.perform(RESUME, authority)]);
  expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('[T5.6] an offer is used up by a proof that is wrong, and ends with the process that made it', async () => {
  const { offer, proof } = await authorityOf(keeper, boss, RESUME);
  const wrong = { ...proof, signature: 'A'.repeat(86) };
  await expect(agent.perform(RESUME, { offer, proof: wrong as typeof proof })).rejects.toMatchObject(REFUSED);
  await expect(agent.perform(RESUME, { offer, proof })).rejects.toMatchObject(REFUSED);
  const before = await authorityOf(keeper, boss, RESUME);
  await agent.close();
  keeper = await stand.open();
  agent = await joinKeeper({ state: stand.state, reachable: [], role: 'operator', environment: {} });
  await expect(agent.perform(RESUME, before)).rejects.toMatchObject(REFUSED);
  expect(await agent.stops()).toEqual([{ kind: 'all' }]);
  await agent.perform(RESUME, await authorityOf(agent, boss, RESUME));
  expect(await agent.stops()).toEqual([]);
});
