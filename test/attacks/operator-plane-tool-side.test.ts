import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { webhookSignature } from '../../src/approvals/index.ts';
import {
  type ActAuthority,
  actChallenge,
  type EmbeddedKeeper,
  joinKeeper,
  type Keeper,
} from '../../src/keeper/index.ts';
import { Stand } from './approvals-stand.ts';
import { authorityOf, letIn, REFUSED, RESUME } from './operator-plane-stand.ts';

let stand: Stand;
let keeper: EmbeddedKeeper;
beforeEach(async () => {
  stand = new Stand();
  keeper = await stand.open();
  await keeper.stop({ kind: 'all' }, 'test');
});
afterEach(() => stand.end());

const secret = randomBytes(32).toString('base64url');

async function signed(): Promise<ActAuthority> {
  const { offer } = await keeper.offerAct();
  const parts = {
    ...{ timestamp: Date.now(), nonce: randomBytes(16).toString('base64url') },
    body: JSON.stringify({ challenge: actChallenge(offer, RESUME) }),
  };
  return { offer, proof: { class: 'webhook', operator: 'chat', ...parts, signature: webhookSignature(secret, parts) } };
}

test('[T5.6] a secret that was presented as the token of a client proves no act any more', async () => {
  const boss = await letIn(keeper);
  const chat = { class: 'webhook', name: 'chat', user: 'chat', groups: [], secret } as const;
  await keeper.registerOperator(await keeper.offerRegistration(), chat, { code: keeper.offerCode() });
  expect(await keeper.perform(RESUME, await signed())).toMatchObject({ by: { operator: 'chat' } });
  await keeper.stop({ kind: 'all' }, 'test');
  await keeper.authenticate(secret);
  await expect(keeper.perform(RESUME, await signed())).rejects.toMatchObject(REFUSED);
  expect(await keeper.stops()).toEqual([{ kind: 'all' }]);
  await keeper.perform(RESUME, await authorityOf(keeper, boss, RESUME));
});

test('[T5.6] a connection that opened a session performs nothing, with whatever proof; a gate never does', async () => {
  const boss = await letIn(keeper);
  const join = (role: 'gate' | 'operator'): Promise<Keeper> =>
    joinKeeper({ state: stand.state, reachable: [], role, environment: {} });
  const [used, gate, fresh] = [await join('operator'), await join('gate'), await join('operator')];
  await used.openSession({ tenant: 't', user: 'u', agent: 'a', proof: 'local' }, 'library');
  await expect(used.perform(RESUME, await authorityOf(keeper, boss, RESUME))).rejects.toMatchObject(REFUSED);
  await expect(gate.perform(RESUME, await authorityOf(keeper, boss, RESUME))).rejects.toMatchObject({
    code: 'PEER_REFUSED',
  });
  await expect(gate.offerAct()).rejects.toMatchObject({ code: 'PEER_REFUSED' });
  expect(await keeper.stops()).toEqual([{ kind: 'all' }]);
  await fresh.perform(RESUME, await authorityOf(fresh, boss, RESUME));
  expect(await keeper.stops()).toEqual([]);
  for (const one of [used, gate, fresh]) await one.close();
});
