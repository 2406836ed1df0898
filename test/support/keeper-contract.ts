import { expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/core/index.ts';
import { type IntentDraft, type Keeper, type KeeperEvent, whoIs } from '../../src/keeper/index.ts';

const ISOLATION: JsonObject = { asked: [], achieved: 'in-process' };
export const DIGEST: string = '0'.repeat(64);

/** A session, and the intent of a call in it under the policy of `scope`. */
export async function makeIntent(keeper: Keeper, scope = 'p', agent = 'a'): Promise<IntentDraft> {
  const principal = await keeper.openSession({ tenant: 't', user: 'ann', agent, proof: 'local' }, 'library');
  const epoch = await keeper.policyLoaded({ scope, digest: DIGEST, source: 'x', rules: 1, mode: 'enforce' });
  return { ...whoIs(principal), tool: 'pay', epoch, decision: 'allow', payloads: { arguments: { amount: 1 } } };
}

/** What every keeper promises, wherever it is. `open` gives two views of one keeper: an operator's, and a gate's. */
export function runKeeperContract(open: () => { operator: Keeper; gate: Keeper }): void {
  test('an admission is settled once, and by nobody who was not given it', async () => {
    const { gate } = open();
    const admission = await gate.admit(await makeIntent(gate), { isolation: ISOLATION });
    expect(admission.admittedSeq).toBeGreaterThan(admission.intentSeq);
    const { seq } = await gate.settle(admission, { outcome: 'delivered' });
    expect(seq).toBeGreaterThan(admission.admittedSeq);
    await expect(gate.settle(admission, { outcome: 'delivered' })).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(gate.settle({ ...admission, call: 'call_x' }, {})).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test('[T1.12] what a call reserved is taken at once, used by its admission, and given back only before that', async () => {
    const { operator, gate } = open();
    const claim = { key: 'a'.repeat(64), kind: 'bytes', max: 100, windowMs: 60_000, amount: 30 } as const;
    const place = { key: 'b'.repeat(64), kind: 'concurrent', max: 2, windowMs: 0, amount: 1 } as const;
    const reservation = { session: 's', claims: [claim, place], breakers: [] };
    const reserve = async (keeper: Keeper): Promise<string> => {
      const answer = await keeper.reserve(reservation);
      return answer.kind === 'reserved' ? answer.lease : `refused ${answer.which} ${answer.retryAt > Date.now()}`;
    };
    const [first, second] = [await reserve(gate), await reserve(operator)];
    expect(await reserve(gate)).toBe('refused 1 true');
    await operator.giveBack(second);
    const intent = await makeIntent(gate);
    const admission = await gate.admit(intent, { isolation: ISOLATION }, undefined, first);
    await gate.giveBack(first); // used: nothing is given back
    await expect(gate.admit(intent, { isolation: ISOLATION }, undefined, first)).rejects.toMatchObject({
      code: 'KEEPER_LOST',
    });
    const third = await reserve(gate);
    expect(await reserve(gate)).toBe('refused 1 true');
    await gate.giveBack(third);
    const outcome = { outcome: 'delivered' };
    await expect(gate.settle(admission, outcome, { bytes: 71, failed: false })).rejects.toMatchObject({
      code: 'BYTES_LIMITED',
    });
    await gate.settle(admission, outcome, { bytes: 50, failed: false });
    expect(await reserve(gate)).toBe('refused 0 true');
  });

  test('the epoch of a scope: the same digest keeps it, another one ends it, other scopes are not touched', async () => {
    const { operator, gate } = open();
    const [one, other] = [await makeIntent(gate, 'one'), await makeIntent(gate, 'other')];
    expect(one.epoch).not.toBe(other.epoch);
    const notice = { scope: 'one', digest: DIGEST, source: 'x', rules: 1, mode: 'enforce' };
    expect(await operator.policyLoaded(notice)).toBe(one.epoch);
    const epoch = await operator.policyLoaded({ ...notice, digest: '1'.repeat(64) });
    expect(epoch).toBeGreaterThan(Math.max(one.epoch ?? 0, other.epoch ?? 0));
    await expect(gate.admit(one, { isolation: ISOLATION })).rejects.toMatchObject({ code: 'EPOCH_STALE' });
    await gate.settle(await gate.admit(other, { isolation: ISOLATION }), { outcome: 'delivered' });
    await gate.settle(await gate.admit({ ...one, epoch }, { isolation: ISOLATION }), { outcome: 'delivered' });
  });

  test('what was approved first stays approved, by the name of the file, then by its real path', async () => {
    const { operator, gate } = open();
    const [file, real] = ['/w/link.yaml', '/w/real.yaml'];
    const first = { file, real, digest: DIGEST, text: '"\\n" # é', approvedAt: 5 };
    expect(await gate.approvalOf({ file, real })).toBeNull();
    await gate.approveFirst(first);
    await gate.approveFirst({ ...first, digest: '1'.repeat(64) });
    await operator.approveFirst({ ...first, file: '/w/other.yaml', digest: '1'.repeat(64) });
    const { real: _real, ...kept } = first;
    expect(await gate.approvalOf({ file, real })).toEqual(kept);
    expect(await operator.approvalOf({ file: '/w/other.yaml', real })).toEqual(kept);
    // The link is turned: only a name under which it was opened keeps what it had.
    expect(await gate.approvalOf({ file: '/w/other.yaml', real: '/w/new.yaml' })).toBeNull();
    await gate.approvalOf({ file: '/w/other.yaml', real, opening: true });
    expect(await gate.approvalOf({ file: '/w/other.yaml', real: '/w/new.yaml' })).toEqual(kept);
  });

  test('of two first approvals at once one wins, and the largest policy comes back whole', async () => {
    const { operator, gate } = open();
    const text = '"\n'.repeat(524_288);
    const names = { file: '/w/large.yaml', real: '/w/large.yaml' };
    const approved = { ...names, digest: DIGEST, text, approvedAt: 5 };
    await Promise.all([gate.approveFirst(approved), operator.approveFirst({ ...approved, digest: '1'.repeat(64) })]);
    const answers = await Promise.all([1, 2, 3, 4].map(() => gate.approvalOf(names)));
    expect(answers.map((answer) => answer?.text === text)).toEqual([true, true, true, true]);
    expect(new Set(answers.map((answer) => answer?.digest)).size).toBe(1);
    const tooLong = { ...approved, file: '/w/x', real: '/w/x', text: `${text}x` };
    await expect(gate.approveFirst(tooLong)).rejects.toMatchObject({
      code: expect.stringMatching(/^INPUT_(TOO_LARGE|SCHEMA_MISMATCH)$/),
    });
    expect(await gate.approvalOf({ file: '/w/x', real: '/w/x' })).toBeNull();
  });

  test('a stop covers its calls and no others, until it is taken back; who watches is told', async () => {
    const { operator, gate } = open();
    const events: KeeperEvent[] = [];
    const unwatch = gate.watch((event) => events.push(event));
    const [stopped, other] = [await makeIntent(gate, 'p', 'bad'), await makeIntent(gate, 'p', 'good')];
    const flag = { kind: 'agent', name: 'bad' } as const;
    await operator.stop(flag, 'test');
    expect(await gate.stops()).toEqual([flag]);
    await expect(gate.admit(stopped, { isolation: ISOLATION })).rejects.toMatchObject({ code: 'STOPPED' });
    await gate.settle(await gate.admit(other, { isolation: ISOLATION }), { outcome: 'delivered' });
    await operator.resume(flag);
    await gate.settle(await gate.admit(stopped, { isolation: ISOLATION }), { outcome: 'delivered' });
    await operator.stop({ kind: 'session', id: other.session ?? '' }, 'test');
    await expect(gate.admit(other, { isolation: ISOLATION })).rejects.toMatchObject({ code: 'STOPPED' });
    await operator.stop({ kind: 'all' }, 'test');
    await expect(gate.admit(stopped, { isolation: ISOLATION })).rejects.toMatchObject({ code: 'STOPPED' });
    await operator.resume({ kind: 'all' });
    await operator.resume({ kind: 'session', id: other.session ?? '' });
    expect(await gate.stops()).toEqual([]);
    unwatch();
    await operator.stop(flag, 'test');
    await operator.resume(flag);
    expect(events.filter(({ type }) => type !== 'policy').map(({ type }) => type)).toEqual([
      ...['stop', 'resume', 'stop', 'stop', 'resume', 'resume'],
    ]);
  });

  test('a key is claimed once, whoever asks', async () => {
    const { operator, gate } = open();
    const expiresAt = Date.now() + 60_000;
    const claims = await Promise.all([operator, gate, operator, gate].map((one) => one.claim('n', 'k', expiresAt)));
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await gate.claim('n', 'past', Date.now() - 1)).toBe(false);
  });

  test('what only one keeper could answer is answered: tokens, uncertainty, refusals', async () => {
    const { gate } = open();
    const intent = await makeIntent(gate);
    expect(await gate.authenticate(`sp_${'A'.repeat(43)}`)).toBeNull();
    const principal = { tenant: 't', user: 'ann', agent: 'a', session: 's', proof: 'local' } as const;
    expect(await gate.isUncertain({ principal, tool: 'pay', arguments: { amount: 1 } })).toBe(false);
    const { seq } = await gate.refuse({ ...intent, decision: 'deny', code: 'TOOL_NOT_ALLOWED' });
    expect(seq).toBeGreaterThan(0);
  });

  test('what goes out is read by whoever keeps the secrets; a call gets none that it was not admitted with', async () => {
    const { gate } = open();
    const principal = { tenant: 't', user: 'ann', agent: 'a', session: 's', proof: 'local' } as const;
    const value = { text: ['plain', { n: 1 }] };
    expect(await gate.redact(value, principal)).toEqual({ value, found: [], blocked: false });
    const result = { principal, tool: 'pay', digest: '0'.repeat(64) };
    expect(await gate.isReleased(result)).toBe(false);
    const admission = await gate.admit(await makeIntent(gate), { isolation: ISOLATION });
    const use = { reference: 'env:PATH', destination: 'https://a.example' };
    await expect(gate.secret(admission, use)).rejects.toMatchObject({ code: 'SECRET_NOT_GRANTED' });
    await gate.settle(admission, { outcome: 'delivered' });
    await expect(gate.secret(admission, use)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test('many calls at once, each with its own outcome, and a result of 8 MiB', async () => {
    const { gate } = open();
    const intent = await makeIntent(gate);
    const call = async (amount: number): Promise<number> => {
      const draft = { ...intent, payloads: { arguments: { amount } } };
      const admission = await gate.admit(draft, { isolation: ISOLATION });
      return (await gate.settle(admission, { outcome: 'delivered', payloads: { result: { amount } } })).seq;
    };
    const seqs = await Promise.all(Array.from({ length: 300 }, (_, amount) => call(amount)));
    expect(new Set(seqs).size).toBe(300);
    const admission = await gate.admit(intent, { isolation: ISOLATION });
    await gate.settle(admission, { outcome: 'delivered', payloads: { result: 'x'.repeat(8_388_608) } });
  });

  test.each<[string, JsonValue]>([
    ['a lone surrogate', '\ud800'],
    ['a number beyond 2^53', 2 ** 60],
    ['a key __proto__', JSON.parse('{"__proto__":1}') as JsonObject],
  ])('a result with %s costs that call its record, and no other', async (_, result) => {
    const { gate } = open();
    const intent = await makeIntent(gate);
    const [one, other] = await Promise.all([
      gate.admit(intent, { isolation: ISOLATION }),
      gate.admit(intent, { isolation: ISOLATION }),
    ]);
    const settled = gate.settle(one, { outcome: 'delivered', payloads: { result } });
    await expect(settled).rejects.toMatchObject({ code: expect.stringMatching(/^INPUT_/) });
    await gate.settle(other, { outcome: 'delivered' });
    await gate.settle(one, { outcome: 'failed' });
  });
}
