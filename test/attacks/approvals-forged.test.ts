import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Grant, grantAsJson, signGrant, verifyGrant } from '../../src/approvals/index.ts';
import { isJsonObject, type JsonObject, type JsonValue, sha256Hex, systemClock } from '../../src/core/index.ts';
import { joinKeeper, PeerFolder } from '../../src/keeper/index.ts';
import { findSocket } from '../../src/keeper/socket-place.ts';
import { openStore } from '../../src/store/index.ts';
import { asker, askFor, grantFor, LOCAL, ONCE, run } from '../support/approvals.ts';
import { askRaw, enterRaw } from '../support/raw-entry.ts';
import { Stand } from './approvals-stand.ts';

let stand: Stand;
beforeEach(() => {
  stand = new Stand();
});
afterEach(() => stand.end());

/** Changes what the store holds of a grant, while nobody has it open. */
async function alter(id: string, change: (grant: JsonObject, open: JsonObject) => JsonObject): Promise<void> {
  await stand.shut();
  const store = await openStore({ file: join(stand.state, 'state.db'), clock: systemClock });
  const open = await store.get('grant', sha256Hex(id));
  if (!isJsonObject(open) || !isJsonObject(open['signed'] ?? null)) throw new Error('no grant in the store');
  const signed = open['signed'] as JsonObject;
  await store.put('grant', sha256Hex(id), change(signed['grant'] as JsonObject, open));
  await store.close();
}

const altered =
  (more: JsonObject) =>
  (grant: JsonObject, open: JsonObject): JsonObject => ({
    ...open,
    signed: { ...(open['signed'] as JsonObject), grant: { ...grant, ...more } },
  });

describe('[T5] a grant in the store', () => {
  test.each<[string, JsonObject]>([
    ['a later end', { expiresAt: Date.now() + 86_000_000 }],
    ['more uses', { scope: { kind: 'times', free: [], times: 100, until: Date.now() + 86_000_000 } }],
    ['another principal', { principal: '["t","eve","a"]' }],
    ['another digest', { digest: 'e'.repeat(64) }],
    ['another approver', { by: [{ operator: 'x', user: 'x', class: 'passkey' }] }],
  ])('that was given %s is void', async (_, more) => {
    const keeper = await stand.open();
    const ask = await asker(keeper);
    const id = await grantFor({ gate: keeper, operator: keeper }, ask());
    await alter(id, altered(more));
    const next = await stand.open();
    await expect(run(next, (await asker(next))(), id)).rejects.toMatchObject({ code: 'GRANT_VOID' });
  });

  test('whose count was set back is as used as the log says', async () => {
    const keeper = await stand.open();
    const ask = await asker(keeper);
    const id = await grantFor({ gate: keeper, operator: keeper }, ask());
    await run(keeper, ask(), id);
    await alter(id, (_grant, open) => ({ ...open, used: 0 }));
    const next = await stand.open();
    await expect(run(next, (await asker(next))(), id)).rejects.toMatchObject({ code: 'GRANT_SPENT' });
  });

  test('that nobody gave is void, also with a good signature of another key', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const { publicKey } = generateKeyPairSync('ed25519');
    const grant: Grant = {
      ...{ v: 1, id: 'grant_x', request: 'ask_x', generation: 'gen_x', principal: '[]', tool: 'pay', session: '' },
      ...{ scope: { kind: 'once' }, digest: 'x', policy: 'x', definition: '', issuedAt: 0, expiresAt: 9, by: [] },
    };
    const forged: JsonValue = grantAsJson(signGrant(grant, privateKey));
    expect(() => verifyGrant(forged, publicKey)).toThrow(expect.objectContaining({ code: 'GRANT_VOID' }));
    const keeper = await stand.open();
    await expect(run(keeper, (await asker(keeper))(), 'grant_x')).rejects.toMatchObject({ code: 'GRANT_VOID' });
  });
});

describe('[T5] a hijacked gate', () => {
  test('sees and answers no request, whatever it sends', async () => {
    const keeper = await stand.open();
    const id = await askFor(keeper, (await asker(keeper))());
    const peer = await enterRaw(findSocket(stand.state) ?? '', new PeerFolder(stand.state).add('worker', 'gate'));
    for (const [name, input] of Object.entries({
      answer: { id, answer: ONCE, proof: LOCAL },
      approval: { id },
      ...{ approvals: {}, operators: {}, offerRegistration: {} },
      registerOperator: { offer: 'x', registration: {}, authority: { code: 'x' } },
    })) {
      expect([name, await askRaw(peer, name, input)]).toEqual([name, { code: 'PEER_REFUSED' }]);
    }
    expect(await keeper.approvals()).toHaveLength(1);
    peer.socket.destroy();
  });

  test('cannot name a grant in its records', async () => {
    const keeper = await stand.open();
    const { intent } = (await asker(keeper))();
    const peer = await enterRaw(findSocket(stand.state) ?? '', new PeerFolder(stand.state).add('worker', 'gate'));
    const call = `call_${'x'.repeat(22)}`;
    const bad = { code: 'INPUT_SCHEMA_MISMATCH' };
    const allowed = { ...intent, decision: 'allow' };
    expect(await askRaw(peer, 'admit', { call, intent: { ...allowed, grant: 'g' }, admitted: {} })).toEqual(bad);
    expect(await askRaw(peer, 'admit', { call, intent: allowed, admitted: { grant: 'g' } })).toEqual(bad);
    expect(await askRaw(peer, 'admit', { call, intent, admitted: {} })).toEqual({ code: 'APPROVAL_NEEDED' });
    peer.socket.destroy();
  });
});

test('[T5] an operator whose connection was used as a gate answers nothing any more', async () => {
  const keeper = await stand.open();
  const id = await askFor(keeper, (await asker(keeper))());
  const operator = await joinKeeper({ state: stand.state, reachable: [], role: 'operator', environment: {} });
  expect(await operator.approvals()).toHaveLength(1);
  await asker(operator);
  await expect(operator.answer(id, ONCE, LOCAL)).rejects.toMatchObject({ code: 'APPROVER_REFUSED' });
  await operator.close();
});
