import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { webhookSignature } from '../../src/approvals/index.ts';
import { TOKEN_HEADER } from '../../src/console/index.ts';
import type { JsonObject, JsonValue } from '../../src/core/index.ts';
import { type EmbeddedKeeper, TokenFolder } from '../../src/keeper/index.ts';
import { asker, askFor } from '../support/approvals.ts';
import { TestConsole } from '../support/console.ts';
import { SoftPasskey } from '../support/soft-passkey.ts';
import { Stand } from './approvals-stand.ts';

let stand: Stand;
let keeper: EmbeddedKeeper;
let site: TestConsole;
let ask: Awaited<ReturnType<typeof asker>>;
beforeEach(async () => {
  stand = new Stand();
  keeper = await stand.open();
  ask = await asker(keeper);
  site = await TestConsole.open(stand.state);
});
afterEach(async () => {
  await site.close();
  await stand.end();
});

const YES = { kind: 'approve', scope: { kind: 'once' }, full: true };
const NO = { kind: 'deny', reason: 'no' };
const asks = (amount: number): Promise<string> => askFor(keeper, ask({ arguments: { amount } }));
const seenOf = async (id: string): Promise<string> => String((await site.ask(`/v1/requests/${id}/whole`)).body['seen']);

/** Registers a passkey as the page does: offer, challenge, code. */
async function registerPasskey(): Promise<SoftPasskey> {
  const { offer = '' } = (await site.ask('/v1/registrations', {})).body;
  const said = { name: 'phone', user: 'carl', groups: [] };
  const place = (await site.ask('/v1/registrations/passkey', { offer, ...said })).body;
  const passkey = new SoftPasskey();
  const response = passkey.register(String(place['challenge']), { origin: site.origin });
  const { rpId = '', origin = '' } = place;
  const registration = { class: 'passkey', ...said, rpId, origin, response };
  const done = await site.ask('/v1/operators', { offer, registration, authority: { code: keeper.offerCode() } });
  expect(done).toMatchObject({ status: 200, body: { registered: 'phone' } });
  return passkey;
}

/** What the page sends for an answer. */
async function prove(
  passkey: SoftPasskey,
  id: string,
  answer: JsonObject,
): Promise<JsonObject & { proof: JsonObject }> {
  const seen = await seenOf(id);
  const { challenge } = (await site.ask(`/v1/requests/${id}/challenge`, { answer, seen })).body;
  const response = passkey.assert(String(challenge), { origin: site.origin });
  return { answer, seen, proof: { class: 'passkey', operator: 'phone', response } };
}

describe('[T5.4] a proof of a passkey', () => {
  test('is good for its request, its scope and its answer, once', async () => {
    const passkey = await registerPasskey();
    const [id, other] = [await asks(1), await asks(2)];
    const proven = await prove(passkey, id, YES);
    const path = `/v1/requests/${id}/answer`;
    const wider = { kind: 'approve', scope: { kind: 'until', free: [], until: Date.now() + 60_000 }, full: true };
    const elsewhere = { ...proven, seen: await seenOf(other) };
    expect(await site.refusal(`/v1/requests/${other}/answer`, elsewhere)).toBe('APPROVER_REFUSED');
    expect(await site.refusal(path, { ...proven, answer: wider })).toBe('APPROVER_REFUSED');
    expect(await site.refusal(path, { ...proven, answer: NO })).toBe('APPROVER_REFUSED');
    expect(await site.refusal(path, { ...proven, proof: { ...proven.proof, operator: 'x' } })).toBe('APPROVER_REFUSED');
    const { seen } = proven;
    expect(await site.refusal(path, { answer: YES, seen: seen ?? '', proof: { class: 'local' } })).toBe(
      'APPROVER_REFUSED',
    );
    expect((await site.ask(path, proven)).body).toMatchObject({ kind: 'granted' });
    expect(await site.refusal(path, proven)).toBe('APPROVAL_UNKNOWN');
    // The same arguments, asked for again: another request, with another nonce.
    await keeper.answer(other, { kind: 'deny', reason: '' }, { class: 'local' });
    const third = await asks(3);
    expect(await site.refusal(`/v1/requests/${third}/answer`, { ...proven, seen: await seenOf(third) })).toBe(
      'APPROVER_REFUSED',
    );
  });

  test('of another origin is neither registered nor taken', async () => {
    const passkey = await registerPasskey();
    const id = await asks(1);
    const seen = await seenOf(id);
    const { challenge } = (await site.ask(`/v1/requests/${id}/challenge`, { answer: YES, seen })).body;
    const response = passkey.assert(String(challenge), { origin: 'http://localhost:7332' });
    const proof = { class: 'passkey', operator: 'phone', response };
    expect(await site.refusal(`/v1/requests/${id}/answer`, { answer: YES, seen, proof })).toBe('APPROVER_REFUSED');
    const { offer = '' } = (await site.ask('/v1/registrations', {})).body;
    const place = { rpId: 'evil.example', origin: 'https://evil.example' };
    const registration = { class: 'passkey', name: 'eve', user: 'eve', groups: [], ...place, response: {} };
    const authority = { code: keeper.offerCode() };
    expect(await site.refusal('/v1/operators', { offer, registration, authority })).toBe('OPERATOR_INVALID');
  });
});

describe('[T5.4] a yes to what was not shown', () => {
  const long = { text: `${'a'.repeat(400)} and then the tail` };

  test('a cut screen has no receipt, and without one there is no challenge and no yes', async () => {
    const id = await askFor(keeper, ask({ arguments: long }));
    const { body } = await site.ask(`/v1/requests/${id}`);
    expect([body['complete'], body['seen']]).toEqual([false, null]);
    expect(JSON.stringify(body)).not.toContain('and then the tail');
    const local = { proof: { class: 'local' } };
    for (const seen of ['', 'x'.repeat(64), await seenOf(await asks(1))]) {
      expect(await site.refusal(`/v1/requests/${id}/challenge`, { answer: YES, seen })).toBe('APPROVAL_INCOMPLETE');
      expect(await site.refusal(`/v1/requests/${id}/answer`, { answer: YES, seen, ...local })).toBe(
        'APPROVAL_INCOMPLETE',
      );
    }
    expect(await site.refusal(`/v1/requests/${id}/answer`, { answer: YES, ...local })).toBe('APPROVAL_INCOMPLETE');
    const whole = (await site.ask(`/v1/requests/${id}/whole`)).body;
    expect(JSON.stringify(whole)).toContain('and then the tail');
    const answer = { answer: YES, seen: String(whole['seen']), ...local };
    expect((await site.ask(`/v1/requests/${id}/answer`, answer)).body).toMatchObject({ kind: 'granted' });
  });
});

describe('[T5.4] what was used on the tool side', () => {
  const present = (text: string): Promise<string>[] => [
    site.refusal('/v1/requests', undefined, { [TOKEN_HEADER]: text }),
    site.refusal('/v1/requests', undefined, { authorization: `Bearer ${text}` }),
    site.refusal('/v1/requests', undefined, { [TOKEN_HEADER]: undefined, authorization: `Bearer ${text}` }),
  ];
  const registerWebhook = async (secret: string): Promise<JsonValue> => {
    const { offer = '' } = (await site.ask('/v1/registrations', {})).body;
    const registration = { class: 'webhook', name: 'chat', user: 'carl', groups: [], secret };
    return (await site.ask('/v1/operators', { offer, registration, authority: { code: keeper.offerCode() } })).body;
  };

  test("a client's token opens nothing here, and is remembered as one of the tool side", async () => {
    const tokens = new TokenFolder(stand.state);
    const token = tokens.add({ name: 'client', user: 'ann', now: Date.now() });
    for (const refused of present(token)) expect(await refused).toBe('CONSOLE_TOKEN');
    tokens.revoke('client');
    expect(await registerWebhook(token)).toMatchObject({ error: { code: 'OPERATOR_INVALID' } });
  });

  test('the secret of a webhook that was presented as a token signs nothing any more', async () => {
    const secret = randomBytes(32).toString('base64url');
    expect(await registerWebhook(secret)).toEqual({ registered: 'chat' });
    const id = await asks(1);
    expect((await Promise.all(present(secret)))[0]).toBe('CONSOLE_TOKEN');
    expect(await signedRefusal(id, secret)).toBe('APPROVER_REFUSED');
  });

  test("the console's own token, presented as a client's, opens nothing any more, and the next start makes another", async () => {
    expect((await site.ask('/v1/requests')).status).toBe(200);
    const { text } = site.token;
    site.token.presentedAsToken(text);
    expect(await site.refusal('/v1/requests')).toBe('CONSOLE_TOKEN');
    await site.close();
    site = await TestConsole.open(stand.state);
    expect(site.token.text).not.toBe(text);
    expect((await site.ask('/v1/requests')).status).toBe(200);
  });
});

interface Forgery {
  readonly key?: string;
  readonly timestamp?: number;
  readonly nonce?: string;
  readonly challenge?: string;
  readonly sent?: (body: string) => string;
}

/** An answer as a server signs it; null: it was taken. */
async function signed(id: string, secret: string, forgery: Forgery = {}): Promise<JsonObject> {
  const { key = secret, timestamp = Date.now(), nonce = randomBytes(16).toString('base64url') } = forgery;
  const { request } = await keeper.approval(id);
  const { challengeOf } = await import('../../src/approvals/index.ts');
  const answer = { kind: 'approve', scope: { kind: 'once' }, full: true } as const;
  const body = JSON.stringify({ request: id, answer, challenge: forgery.challenge ?? challengeOf(request, answer) });
  const headers = {
    ...{ [TOKEN_HEADER]: undefined, origin: undefined, 'x-sallyport-operator': 'chat' },
    ...{ 'x-sallyport-time': String(timestamp), 'x-sallyport-nonce': nonce },
    'x-sallyport-signature': webhookSignature(key, { timestamp, nonce, body }),
  };
  return (await site.ask('/v1/webhook/answers', forgery.sent?.(body) ?? body, headers)).body;
}
const signedRefusal = async (id: string, secret: string, forgery: Forgery = {}): Promise<string> =>
  String(((await signed(id, secret, forgery))['error'] as JsonObject | undefined)?.['code']);

test('[T5.4] a signed answer: its key, time, nonce, body and challenge count, and it is good once', async () => {
  const secret = randomBytes(32).toString('base64url');
  const { offer = '' } = (await site.ask('/v1/registrations', {})).body;
  const registration = { class: 'webhook', name: 'chat', user: 'carl', groups: [], secret };
  await site.ask('/v1/operators', { offer, registration, authority: { code: keeper.offerCode() } });
  const [id, other] = [await asks(1), await asks(2)];
  const forgeries: Forgery[] = [
    { key: randomBytes(32).toString('base64url') },
    { timestamp: Date.now() - 61_000 },
    { timestamp: Date.now() + 61_000 },
    { nonce: 'short' },
    { challenge: 'x'.repeat(43) },
    { sent: (body) => body.replace(id, other) },
    { sent: (body) => `${body} ` },
  ];
  for (const forgery of forgeries) expect(await signedRefusal(id, secret, forgery)).toBe('APPROVER_REFUSED');
  const nonce = randomBytes(16).toString('base64url');
  expect(await signed(id, secret, { nonce })).toMatchObject({ kind: 'granted' });
  expect(await signedRefusal(other, secret, { nonce })).toBe('APPROVER_REFUSED');
});

test('[T5.4] a credential is taken away by proof only, and the last one makes answers advisory again', async () => {
  const passkey = await registerPasskey();
  const take = async (authority: (challenge: string) => JsonValue): Promise<JsonObject> => {
    const { offer = '' } = (await site.ask('/v1/registrations', {})).body;
    const { challenge } = (await site.ask('/v1/operators/phone/removal', { offer })).body;
    return (await site.ask('/v1/operators/phone/remove', { offer, authority: authority(String(challenge)) })).body;
  };
  expect(await take(() => ({ proof: { class: 'local' } }))).toMatchObject({ error: { code: 'APPROVER_REFUSED' } });
  expect(await take(() => ({ code: 'x' }))).toMatchObject({ error: { code: 'OPERATOR_INVALID' } });
  const id = await asks(1);
  const proven = await prove(passkey, id, NO);
  expect(await take(() => ({ proof: proven.proof }))).toMatchObject({ error: { code: 'APPROVER_REFUSED' } });
  const proof = (challenge: string): JsonObject => ({
    proof: { class: 'passkey', operator: 'phone', response: passkey.assert(challenge, { origin: site.origin }) },
  });
  expect(await take(proof)).toEqual({ removed: 'phone', advisory: true });
  expect((await site.ask(`/v1/requests/${id}`)).body['advisory']).toBe(true);
  expect(await site.refusal(`/v1/requests/${id}/answer`, proven)).toBe('APPROVER_REFUSED');
});
