import { afterEach, beforeEach, expect, test } from 'vitest';
import { TOKEN_HEADER } from '../../src/console/index.ts';
import type { JsonObject } from '../../src/core/index.ts';
import {
  type EmbeddedKeeper,
  joinKeeper,
  type Keeper,
  namesOfPolicy,
  type OperatorAct,
  readApproval,
  TokenFolder,
} from '../../src/keeper/index.ts';
import { TestConsole } from '../support/console.ts';
import { SoftPasskey } from '../support/soft-passkey.ts';
import { Stand } from './approvals-stand.ts';
import { actsOf } from './operator-plane-stand.ts';

/** Acts of operators wait in the keeper; a passkey proves them in the console; the agent has the console's token and the user id. */
const RESUME: OperatorAct = { act: 'resume', flag: { kind: 'all' } };
const AGENT_RESUME: OperatorAct = { act: 'resume', flag: { kind: 'agent', name: 'a' } };
const POLICY = 'version: 1\ntools: { file_read: { allowedPaths: [.] } }\n# \u202e end\n';
const TO = { origin: '' };

let stand: Stand;
let keeper: EmbeddedKeeper;
let site: TestConsole;
let command: Keeper;
let passkey: SoftPasskey;
beforeEach(async () => {
  stand = new Stand();
  keeper = await stand.open();
  await keeper.stop({ kind: 'all' }, 'test');
  site = await TestConsole.open(stand.state);
  TO.origin = site.origin;
  command = await joinKeeper({ state: stand.state, reachable: [], role: 'operator', environment: {} });
  passkey = await register('phone');
});
afterEach(async () => {
  await command.close();
  await site.close();
  await stand.end();
});

async function register(name: string): Promise<SoftPasskey> {
  const { offer = '' } = (await site.ask('/v1/registrations', {})).body;
  const said = { name, user: 'carl', groups: [] };
  const { rpId = '', origin = '', challenge } = (await site.ask('/v1/registrations/passkey', { offer, ...said })).body;
  const made = new SoftPasskey();
  const registration = { class: 'passkey', ...said, rpId, origin, response: made.register(String(challenge), TO) };
  const done = await site.ask('/v1/operators', { offer, registration, authority: { code: keeper.offerCode() } });
  expect(done.body).toEqual({ registered: name });
  return made;
}

const propose = async (act: OperatorAct, waitMs = 600_000): Promise<string> =>
  (await command.proposeAct(act, waitMs)).id;
const view = async (id: string): Promise<JsonObject> => (await site.ask(`/v1/acts/${id}`)).body;
const proofOver = (challenge: string, by = passkey): JsonObject => ({
  proof: { class: 'passkey', operator: 'phone', response: by.assert(challenge, TO) },
});
/** What the page sends for an act. */
const prove = async (id: string): Promise<JsonObject> => proofOver(String((await view(id))['challenge']));
const refusal = (id: string, body: JsonObject): Promise<string> => site.refusal(`/v1/acts/${id}/prove`, body);

test('[T5.6] a passkey proves each act that waits, as it was shown; it is done once, and recorded', async () => {
  const file = namesOfPolicy(`${stand.state}/sallyport.yaml`);
  const digest = 'a'.repeat(64);
  const acts: readonly OperatorAct[] = [
    RESUME,
    { act: 'policy-approve', ...file, digest, text: POLICY, rules: 1, mode: 'enforce' },
    { act: 'server-approve', server: 's', digest, lock: '/w/sallyport.lock' },
  ];
  for (const act of acts) {
    const id = await propose(act);
    expect((await site.ask('/v1/acts')).body).toMatchObject({ acts: [{ id, act: act.act }] });
    expect(await command.actOutcome(id)).toEqual({ kind: 'waiting' });
    const { body } = await site.ask(`/v1/acts/${id}/prove`, await prove(id));
    expect(body).toEqual({ done: id, by: { operator: 'phone', user: 'carl' }, advisory: false });
    expect(await command.actOutcome(id)).toMatchObject({ kind: 'done', receipt: { by: { operator: 'phone' } } });
  }
  expect(await keeper.stops()).toEqual([]);
  expect(readApproval(stand.state, file)?.text).toBe(POLICY);
  expect((await actsOf(stand.state)).map(({ act, who }) => [act, who])).toMatchObject(
    acts.map(({ act }) => [act, { operator: 'phone', class: 'passkey' }]),
  );
});

test('[T5.6] the screen has the whole of it, and nothing in it turns direction or begins a line of ours', async () => {
  const file = namesOfPolicy(`${stand.state}/sallyport.yaml`);
  const tail = `${'# x\n'.repeat(5_000)}tools: { shell: {} } # the tail\u202e\r\nDone`;
  const id = await propose({ act: 'policy-approve', ...file, digest: 'a'.repeat(64), text: tail, rules: 1, mode: 'x' });
  const { lines = [] } = await view(id);
  expect(lines).toContain('  │ tools: { shell: {} } # the tail\\u{202e}\\u{d}');
  expect(lines).toContain('  │ Done');
  expect(JSON.stringify(lines)).not.toContain('\u202e');
});

test('[T5.6] forged: another key, another origin, another operator, no user verified, local, and no proof at all', async () => {
  const id = await propose(RESUME);
  const challenge = String((await view(id))['challenge']);
  const asserted = (options: object): JsonObject => ({
    proof: { class: 'passkey', operator: 'phone', response: passkey.assert(challenge, { ...TO, ...options }) },
  });
  const forged = [
    proofOver(challenge, new SoftPasskey()),
    asserted({ origin: 'http://localhost:1' }),
    asserted({ rpId: 'evil.example' }),
    asserted({ verified: false }),
    { proof: { ...(asserted({})['proof'] as JsonObject), operator: 'boss' } },
    { proof: { class: 'local' } },
  ];
  for (const body of forged) expect(await refusal(id, body)).toBe('APPROVER_REFUSED');
  expect(await refusal(id, {})).toBe('INPUT_SCHEMA_MISMATCH');
  expect(await keeper.stops()).toEqual([{ kind: 'all' }]);
  // Control: it still waits, and the right proof does it.
  expect((await site.ask(`/v1/acts/${id}/prove`, await prove(id))).status).toBe(200);
});

test('[T5.6] replayed: a proof is good once, also for the same act proposed again, and of many at once one is taken', async () => {
  const id = await propose(RESUME);
  const proof = await prove(id);
  const all = await Promise.all([1, 2, 3, 4].map(() => site.ask(`/v1/acts/${id}/prove`, proof)));
  expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
  await keeper.stop({ kind: 'all' }, 'again');
  expect(await refusal(id, proof)).toBe('APPROVAL_UNKNOWN');
  const again = await propose(RESUME);
  expect(await refusal(again, proof)).toBe('APPROVER_REFUSED');
  const offer = await command.offerAct();
  for (const named of [id, again, offer.offer]) {
    const authority = { offer: named, ...(proof as { proof: never }) };
    await expect(command.perform(RESUME, authority)).rejects.toMatchObject({ code: 'APPROVER_REFUSED' });
  }
  expect(await keeper.stops()).toEqual([{ kind: 'all' }]);
  expect(await actsOf(stand.state)).toHaveLength(1);
});

test('[T5.6] a proof for another act, and one for a call or a resume of the API, does nothing', async () => {
  const [id, other] = [await propose(RESUME), await propose(AGENT_RESUME)];
  expect(await refusal(id, await prove(other))).toBe('APPROVER_REFUSED');
  const named = (await site.ask('/v1/stops/resume/challenge', { flag: { kind: 'all' } })).body;
  expect(await refusal(id, proofOver(String(named['challenge'])))).toBe('APPROVER_REFUSED');
  // And the other way round: what was proven of a waiting act is no authority for the direct way.
  const authority = { offer: named['offer'] ?? '', ...(await prove(id)) };
  expect(await site.refusal('/v1/stops/resume', { flag: { kind: 'all' }, authority })).toBe('APPROVER_REFUSED');
  expect(await keeper.stops()).toEqual([{ kind: 'all' }]);
});

test('[T5.6] expired and declined: nothing is done any more', async () => {
  const brief = await propose(RESUME, 1_000);
  const proof = await prove(brief);
  const until = performance.now() + 1_100;
  while (performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await refusal(brief, proof)).toBe('APPROVAL_UNKNOWN');
  expect(await command.actOutcome(brief)).toMatchObject({ kind: 'refused', code: 'APPROVAL_EXPIRED' });
  const declined = await propose(RESUME);
  const second = await prove(declined);
  expect((await site.ask(`/v1/acts/${declined}/decline`, {})).body).toEqual({ declined });
  expect(await refusal(declined, second)).toBe('APPROVAL_UNKNOWN');
  expect(await command.actOutcome(declined)).toMatchObject({ kind: 'refused', code: 'APPROVAL_DENIED' });
  expect(await keeper.stops()).toEqual([{ kind: 'all' }]);
});

test('[T5.6] changed after the offer: the act that is done is the one that was shown, whatever became of it elsewhere', async () => {
  const file = namesOfPolicy(`${stand.state}/sallyport.yaml`);
  const said = {
    act: 'policy-approve' as const,
    ...file,
    digest: 'a'.repeat(64),
    text: POLICY,
    rules: 1,
    mode: 'enforce',
  };
  const own = { ...said };
  const { id } = await keeper.proposeAct(own, 600_000);
  const proof = await prove(id);
  own.text = 'version: 1\nmode: observe\n';
  expect((await site.ask(`/v1/acts/${id}/prove`, proof)).status).toBe(200);
  expect(readApproval(stand.state, file)?.text).toBe(POLICY);
  // Proposed again with one byte that differs: what was proven is none of it.
  const first = await propose(said);
  const old = await prove(first);
  const swapped = await propose({ ...said, text: `${POLICY} ` });
  expect(await refusal(swapped, old)).toBe('APPROVER_REFUSED');
  expect(readApproval(stand.state, file)?.text).toBe(POLICY);
});

test("[T5.6] an agent's token opens no act; a gate, and a connection of the tool side, proposes and answers none", async () => {
  const id = await propose(RESUME);
  const proof = await prove(id);
  const token = new TokenFolder(stand.state).add({ name: 'agent', user: 'ann', now: Date.now() });
  for (const path of ['/v1/acts', `/v1/acts/${id}`]) {
    expect(await site.refusal(path, undefined, { [TOKEN_HEADER]: token })).toBe('CONSOLE_TOKEN');
  }
  expect(await site.refusal(`/v1/acts/${id}/prove`, proof, { [TOKEN_HEADER]: token })).toBe('CONSOLE_TOKEN');
  expect(await site.refusal(`/v1/acts/${id}/prove`, proof, { origin: 'http://evil.example' })).toBe('ORIGIN_REFUSED');
  const gate = await joinKeeper({ state: stand.state, reachable: [], role: 'gate', environment: {} });
  const asked = [gate.proposeAct(RESUME, 1_000), gate.proposedActs(), gate.proposedAct(id), gate.actOutcome(id)];
  for (const one of [...asked, gate.proveAct(id, { class: 'local' }), gate.declineAct(id)]) {
    await expect(one).rejects.toMatchObject({ code: 'PEER_REFUSED' });
  }
  await gate.close();
  const caller = { tenant: 'local', user: 'ann', agent: 'a', proof: 'local' } as const;
  const used = await joinKeeper({ state: stand.state, reachable: [], role: 'operator', environment: {} });
  await used.openSession(caller, 'cli');
  for (const one of [used.proposeAct(RESUME, 1_000), used.declineAct(id), used.proveAct(id, { class: 'local' })]) {
    await expect(one).rejects.toMatchObject({ code: 'APPROVER_REFUSED' });
  }
  await used.close();
  expect(await keeper.stops()).toEqual([{ kind: 'all' }]);
  // Control: it waits all the same.
  expect((await site.ask(`/v1/acts/${id}/prove`, proof)).status).toBe(200);
});

test('[T5.6] of one connection two acts wait, and none for longer than ten minutes', async () => {
  await propose(RESUME);
  await propose(RESUME);
  await expect(propose(RESUME)).rejects.toMatchObject({ code: 'KEEPER_BUSY' });
  await expect(command.proposeAct(RESUME, 600_001)).rejects.toMatchObject({ code: 'INPUT_SCHEMA_MISMATCH' });
});
