import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Answer,
  challengeOf,
  type OperatorProof,
  registrationChallenge,
  removalChallenge,
  webhookSignature,
} from '../../src/approvals/index.ts';
import type { JsonObject } from '../../src/core/index.ts';
import {
  type EmbeddedKeeper,
  type OperatorRegistration,
  passkeyChallenge,
  TokenFolder,
} from '../../src/keeper/index.ts';
import { asker, askFor, LOCAL, NO, ONCE, UserKey, yesTo } from '../support/approvals.ts';
import { type SoftOptions, SoftPasskey } from '../support/soft-passkey.ts';
import { Stand } from './approvals-stand.ts';

let stand: Stand;
let keeper: EmbeddedKeeper;
let ask: Awaited<ReturnType<typeof asker>>;
beforeEach(async () => {
  stand = new Stand();
  keeper = await stand.open();
  ask = await asker(keeper);
});
afterEach(() => stand.end());

const REFUSED = { code: 'APPROVER_REFUSED' };
const claims = {
  class: 'passkey',
  name: 'phone',
  user: 'carl',
  groups: ['ops'],
  rpId: 'localhost',
  origin: 'http://localhost:7332',
} as const;

async function register(registration: OperatorRegistration): Promise<void> {
  await keeper.registerOperator(await keeper.offerRegistration(), registration, { code: keeper.offerCode() });
}
async function registerKey(key: UserKey): Promise<UserKey> {
  await register(key.registration as unknown as OperatorRegistration);
  return key;
}
async function registerPasskey(passkey = new SoftPasskey()): Promise<SoftPasskey> {
  const offer = await keeper.offerRegistration();
  const response = passkey.register(passkeyChallenge(offer, claims));
  await keeper.registerOperator(offer, { ...claims, response }, { code: keeper.offerCode() });
  return passkey;
}
const challenge = async (id: string, answer: Answer): Promise<string> =>
  challengeOf((await keeper.approval(id)).request, answer);
const passkeyProof = (response: JsonObject): OperatorProof => ({ class: 'passkey', operator: 'phone', response });

describe('[T5] a passkey', () => {
  test('answers exactly one request with exactly one scope', async () => {
    const passkey = await registerPasskey();
    const [id, other] = [await askFor(keeper, ask()), await askFor(keeper, ask({ arguments: { amount: 2 } }))];
    const proof = passkeyProof(passkey.assert(await challenge(id, ONCE)));
    await expect(keeper.answer(other, ONCE, proof)).rejects.toMatchObject(REFUSED);
    const wider = yesTo({ kind: 'until', free: [], until: Date.now() + 60_000 });
    await expect(keeper.answer(id, wider, proof)).rejects.toMatchObject(REFUSED);
    await expect(keeper.answer(id, NO, proof)).rejects.toMatchObject(REFUSED);
    expect(await keeper.answer(id, ONCE, proof)).toMatchObject({ kind: 'granted' });
    await expect(keeper.answer(id, ONCE, proof)).rejects.toMatchObject({ code: 'APPROVAL_UNKNOWN' });
  });

  test.each<[string, SoftOptions]>([
    ['of another origin', { origin: 'http://localhost:7333' }],
    ['of another rpId', { rpId: 'evil.example' }],
    ['without user verification', { verified: false }],
    ['whose counter does not rise', { counter: 1 }],
  ])('%s is refused', async (_, options) => {
    const passkey = await registerPasskey();
    const first = await askFor(keeper, ask());
    await keeper.answer(first, ONCE, passkeyProof(passkey.assert(await challenge(first, ONCE))));
    const id = await askFor(keeper, ask({ arguments: { amount: 3 } }));
    const proof = passkeyProof(passkey.assert(await challenge(id, ONCE), options));
    await expect(keeper.answer(id, ONCE, proof)).rejects.toMatchObject(REFUSED);
  });

  test('that nobody registered is refused, and the counter survives a restart', async () => {
    const passkey = await registerPasskey();
    let id = await askFor(keeper, ask());
    const stranger = passkeyProof(new SoftPasskey().assert(await challenge(id, ONCE)));
    await expect(keeper.answer(id, ONCE, stranger)).rejects.toMatchObject(REFUSED);
    await keeper.answer(id, ONCE, passkeyProof(passkey.assert(await challenge(id, ONCE), { counter: 9 })));
    keeper = await stand.open();
    ask = await asker(keeper);
    id = await askFor(keeper, ask({ arguments: { amount: 4 } }));
    const old = passkeyProof(passkey.assert(await challenge(id, ONCE), { counter: 9 }));
    await expect(keeper.answer(id, ONCE, old)).rejects.toMatchObject(REFUSED);
  });

  test('once set up, who has none says yes no more, and still says no', async () => {
    const id = await askFor(keeper, ask());
    expect((await keeper.approval(id)).advisory).toBe(true);
    await registerPasskey();
    expect((await keeper.approval(id)).advisory).toBe(false);
    await expect(keeper.answer(id, ONCE, LOCAL)).rejects.toMatchObject(REFUSED);
    expect(await keeper.answer(id, NO, LOCAL)).toEqual({ kind: 'denied' });
  });
});

describe('[T5] letting a credential in', () => {
  const invalid = { code: 'OPERATOR_INVALID' };

  test('needs a code that is good once, or an operator; never who shares the user id', async () => {
    const code = keeper.offerCode();
    const key = new UserKey('boss');
    const said = key.registration as unknown as OperatorRegistration;
    const again = new UserKey('other').registration as unknown as OperatorRegistration;
    await keeper.registerOperator(await keeper.offerRegistration(), said, { code });
    await expect(keeper.registerOperator(await keeper.offerRegistration(), again, { code })).rejects.toMatchObject(
      invalid,
    );
    await expect(
      keeper.registerOperator(await keeper.offerRegistration(), again, { proof: LOCAL }),
    ).rejects.toMatchObject(REFUSED);
    await expect(keeper.registerOperator('offer_x', again, { code: keeper.offerCode() })).rejects.toMatchObject(
      invalid,
    );
  });

  test('five wrong codes end the code', async () => {
    const code = keeper.offerCode();
    const said = new UserKey('boss').registration as unknown as OperatorRegistration;
    for (let wrong = 0; wrong < 5; wrong++) {
      await expect(
        keeper.registerOperator(await keeper.offerRegistration(), said, { code: 'x' }),
      ).rejects.toMatchObject(invalid);
    }
    await expect(keeper.registerOperator(await keeper.offerRegistration(), said, { code })).rejects.toMatchObject(
      invalid,
    );
  });

  test('the user id of the keeper is no other user id, and a name and a key are given once', async () => {
    const { registration } = await registerKey(new UserKey('boss'));
    const same = { ...new UserKey('me').registration, uid: process.getuid?.() ?? 0 };
    await expect(register(same as unknown as OperatorRegistration)).rejects.toMatchObject(invalid);
    for (const publicKey of ['x', Buffer.from('no key').toString('base64url')]) {
      const broken = { ...new UserKey('broken').registration, publicKey };
      await expect(register(broken as unknown as OperatorRegistration)).rejects.toMatchObject(invalid);
    }
    for (const twin of [new UserKey('boss').registration, { ...registration, name: 'twin' }]) {
      await expect(register(twin as unknown as OperatorRegistration)).rejects.toMatchObject(invalid);
    }
  });
});

describe('[T5] the wrong approver', () => {
  test('the key of another one, an unknown name, another class', async () => {
    const [boss, eve] = [await registerKey(new UserKey('boss')), new UserKey('boss')];
    const id = await askFor(keeper, ask());
    const over = await challenge(id, ONCE);
    const tries: OperatorProof[] = [eve.proof(over), { ...boss.proof(over), operator: 'nobody' } as OperatorProof];
    tries.push(boss.proof(await challenge(id, NO)), passkeyProof({ id: 'x' }));
    for (const proof of tries) await expect(keeper.answer(id, ONCE, proof)).rejects.toMatchObject(REFUSED);
    expect(await keeper.answer(id, ONCE, boss.proof(over))).toMatchObject({ kind: 'granted' });
  });

  test('two people of a group, not who asked, not one person twice, and for the same scope', async () => {
    const rule = { groups: ['ops'], people: 2, ownUser: false };
    const [ann, bob, carl] = [
      await registerKey(new UserKey('ann-key', { user: 'ann', groups: ['ops'] })),
      await registerKey(new UserKey('bob-key', { user: 'bob', groups: ['ops'] })),
      await registerKey(new UserKey('carl-key', { user: 'carl', groups: ['ops'] })),
    ];
    const bobTwo = await registerKey(new UserKey('bob-two', { user: 'bob', groups: ['ops'] }));
    const dora = await registerKey(new UserKey('dora', { groups: ['other'] }));
    const id = await askFor(keeper, ask({ approvers: rule }));
    await expect(ann.answer(keeper, id, ONCE)).rejects.toMatchObject(REFUSED);
    await expect(dora.answer(keeper, id, ONCE)).rejects.toMatchObject(REFUSED);
    expect(await bob.answer(keeper, id, ONCE)).toEqual({ kind: 'waiting', people: 2, yes: 1 });
    await expect(bob.answer(keeper, id, ONCE)).rejects.toMatchObject(REFUSED);
    await expect(bobTwo.answer(keeper, id, ONCE)).rejects.toMatchObject(REFUSED);
    const wider = yesTo({ kind: 'until', free: [], until: Date.now() + 60_000 });
    await expect(carl.answer(keeper, id, wider)).rejects.toMatchObject(REFUSED);
    expect((await keeper.ask(ask({ approvers: rule }))).kind).toBe('waiting');
    expect(await carl.answer(keeper, id, ONCE)).toMatchObject({ kind: 'granted' });
  });
});

test('[T5] an operator does not make the second person, also not over a third', async () => {
  const rule = { groups: [], people: 2, ownUser: true };
  const bob = await registerKey(new UserKey('bob'));
  const letIn = async (by: UserKey, key: UserKey): Promise<UserKey> => {
    const offer = await keeper.offerRegistration();
    const registration = key.registration as unknown as OperatorRegistration;
    const proof = by.proof(registrationChallenge(offer, key.registration));
    await keeper.registerOperator(offer, registration, { proof });
    return key;
  };
  const puppet = await letIn(bob, new UserKey('puppet'));
  const third = await letIn(puppet, new UserKey('third'));
  const id = await askFor(keeper, ask({ approvers: rule }));
  expect(await bob.answer(keeper, id, ONCE)).toMatchObject({ kind: 'waiting' });
  for (const key of [puppet, third]) await expect(key.answer(keeper, id, ONCE)).rejects.toMatchObject(REFUSED);
  const other = await askFor(keeper, ask({ approvers: rule, arguments: { amount: 5 } }));
  expect(await third.answer(keeper, other, ONCE)).toMatchObject({ kind: 'waiting' });
  await expect(puppet.answer(keeper, other, ONCE)).rejects.toMatchObject(REFUSED);
});

test('[T5] a yes of somebody whose credential was taken away since counts no more', async () => {
  const [bob, carl] = [await registerKey(new UserKey('bob')), await registerKey(new UserKey('carl'))];
  const id = await askFor(keeper, ask({ approvers: { groups: [], people: 2, ownUser: true } }));
  expect(await bob.answer(keeper, id, ONCE)).toEqual({ kind: 'waiting', people: 2, yes: 1 });
  const offer = await keeper.offerRegistration();
  const removed = keeper.removeOperator(offer, 'bob', { proof: carl.proof(removalChallenge(offer, 'bob')) });
  expect(await removed).toEqual({ advisory: false });
  expect(await carl.answer(keeper, id, ONCE)).toEqual({ kind: 'waiting', people: 2, yes: 1 });
});

describe('[T5] a webhook', () => {
  const secret = randomBytes(32).toString('base64url');
  beforeEach(() => register({ class: 'webhook', name: 'chat', user: 'carl', groups: [], secret }));

  const sign = (body: string, more: { timestamp?: number; nonce?: string; key?: string } = {}): OperatorProof => {
    const { timestamp = Date.now(), nonce = randomBytes(16).toString('base64url'), key = secret } = more;
    const signature = webhookSignature(key, { timestamp, nonce, body });
    return { class: 'webhook', operator: 'chat', timestamp, nonce, body, signature };
  };

  test('answers once; its nonce, its body and its time count', async () => {
    const [id, other] = [await askFor(keeper, ask()), await askFor(keeper, ask({ arguments: { amount: 2 } }))];
    const body = JSON.stringify({ challenge: await challenge(id, ONCE) });
    for (const proof of [
      sign(body, { timestamp: Date.now() - 61_000 }),
      sign(body, { timestamp: Date.now() + 61_000 }),
      sign(body, { key: randomBytes(32).toString('base64url') }),
      sign(body, { nonce: 'short' }),
      sign(JSON.stringify({ challenge: await challenge(other, ONCE) })),
      sign('{"challenge":1}'),
      sign('no json'),
      { ...sign(body), body: `${body} ` } as OperatorProof,
    ]) {
      await expect(keeper.answer(id, ONCE, proof)).rejects.toMatchObject(REFUSED);
    }
    const nonce = randomBytes(16).toString('base64url');
    expect(await keeper.answer(id, ONCE, sign(body, { nonce }))).toMatchObject({ kind: 'granted' });
    const next = JSON.stringify({ challenge: await challenge(other, ONCE) });
    await expect(keeper.answer(other, ONCE, sign(next, { nonce }))).rejects.toMatchObject(REFUSED);
  });

  test('whose secret was presented as the token of a client is an approver no more, also over a restart', async () => {
    expect(await keeper.authenticate(secret)).toBeNull();
    keeper = await stand.open();
    ask = await asker(keeper);
    const id = await askFor(keeper, ask());
    const body = JSON.stringify({ challenge: await challenge(id, ONCE) });
    await expect(keeper.answer(id, ONCE, sign(body))).rejects.toMatchObject(REFUSED);
  });

  test('cannot have a secret that is the token of a client, also of one that was revoked', async () => {
    const tokens = new TokenFolder(stand.state);
    const token = tokens.add({ name: 'client', user: 'ann', now: Date.now() });
    expect(await keeper.authenticate(token)).toMatchObject({ name: 'client' });
    tokens.revoke('client');
    const again = register({ class: 'webhook', name: 'chat-two', user: 'carl', groups: [], secret: token });
    await expect(again).rejects.toMatchObject({ code: 'OPERATOR_INVALID' });
  });
});
