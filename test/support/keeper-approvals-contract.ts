import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { screenOf } from '../../src/approvals/index.ts';
import type { Keeper, KeeperEvent } from '../../src/keeper/index.ts';
import { asker, askFor, grantFor, LOCAL, NO, ONCE, run, yesTo } from './approvals.ts';

const soon = (): number => Date.now() + 60_000;

/** What every keeper promises of approvals, wherever it is. */
export function runApprovalsContract(open: () => { operator: Keeper; gate: Keeper }): void {
  test('[T5] a call waits, is approved, and runs once', async () => {
    const { gate, operator } = open();
    const ask = await asker(gate);
    const id = await askFor(gate, ask());
    expect(await operator.approvals()).toMatchObject([
      { id, tool: 'pay', user: 'ann', agent: 'a', people: 1, yes: [] },
    ]);
    const view = await operator.approval(id);
    expect(view.advisory).toBe(true);
    expect(screenOf(view.request.binding, view.last).lines.map(({ name, value }) => [name, value])).toEqual([
      ['amount', '1'],
      ['to', '"bob"'],
    ]);
    await expect(gate.admit(ask().intent, {})).rejects.toMatchObject({ code: 'APPROVAL_NEEDED' });
    const receipt = await operator.answer(id, ONCE, LOCAL);
    const status = await gate.ask(ask());
    expect(status).toEqual({ kind: 'granted', grant: receipt.kind === 'granted' ? receipt.grant : '' });
    await run(gate, ask(), status.kind === 'granted' ? status.grant : '');
    await expect(run(gate, ask(), status.kind === 'granted' ? status.grant : '')).rejects.toMatchObject({
      code: 'GRANT_SPENT',
    });
    expect((await gate.ask(ask())).kind).toBe('waiting');
  });

  test('a retry joins, also at the same moment; a call that differs in anything does not', async () => {
    const { gate, operator } = open();
    const ask = await asker(gate);
    const other = await asker(gate);
    const ids = await Promise.all([askFor(gate, ask()), askFor(gate, ask()), askFor(gate, other())]);
    expect(new Set(ids).size).toBe(1);
    expect(await askFor(gate, ask({ arguments: { amount: 1, to: 'bab' } }))).not.toBe(ids[0]);
    expect(await askFor(gate, ask({ obligations: {} }))).not.toBe(ids[0]);
    expect(await operator.approvals()).toHaveLength(3);
  });

  test('a no holds for the same call, and who watches is told', async () => {
    const { gate, operator } = open();
    const events: KeeperEvent[] = [];
    const unwatch = gate.watch((event) => events.push(event));
    const ask = await asker(gate);
    const id = await askFor(gate, ask());
    expect(await operator.answer(id, NO, LOCAL)).toEqual({ kind: 'denied' });
    expect(await gate.ask(ask())).toMatchObject({ kind: 'refused', code: 'APPROVAL_DENIED' });
    await expect(operator.answer(id, ONCE, LOCAL)).rejects.toMatchObject({ code: 'APPROVAL_UNKNOWN' });
    await sleep(20);
    unwatch();
    expect(events.filter(({ type }) => type === 'approval')).toEqual([
      { type: 'approval', id, state: 'waiting' },
      { type: 'approval', id, state: 'denied' },
    ]);
  });

  test('N times is N times, and the arguments that were left open are the only ones', async () => {
    const { gate, operator } = open();
    const ask = await asker(gate);
    const scope = { kind: 'times', free: ['amount'], times: 3, until: soon() } as const;
    const grant = await grantFor({ gate, operator }, ask(), yesTo(scope));
    for (const amount of [1, 2]) await run(gate, ask({ arguments: { amount, to: 'bob' } }), grant);
    const other = ask({ arguments: { amount: 1, to: 'eve' } });
    await expect(run(gate, other, grant)).rejects.toMatchObject({ code: 'GRANT_VOID' });
    await expect(run(gate, ask({ arguments: { to: 'bob', amount: 1, note: 'x' } }), grant)).rejects.toMatchObject({
      code: 'GRANT_VOID',
    });
    await run(gate, ask(), grant);
    await expect(run(gate, ask(), grant)).rejects.toMatchObject({ code: 'GRANT_SPENT' });
  });

  test('a yes for a session is good in that session only', async () => {
    const { gate, operator } = open();
    const [ask, elsewhere] = [await asker(gate), await asker(gate)];
    const grant = await grantFor({ gate, operator }, ask(), yesTo({ kind: 'session', free: [], until: soon() }));
    await run(gate, ask(), grant);
    await run(gate, ask(), grant);
    await expect(run(gate, elsewhere(), grant)).rejects.toMatchObject({ code: 'GRANT_VOID' });
    expect((await gate.ask(elsewhere())).kind).toBe('waiting');
  });

  test('scopes that nobody should have are refused', async () => {
    const { gate, operator } = open();
    const id = await askFor(gate, (await asker(gate))());
    for (const scope of [
      { kind: 'until', free: [], until: Date.now() - 1 },
      { kind: 'until', free: [], until: Date.now() + 90_000_000 },
      { kind: 'until', free: ['unseen'], until: soon() },
      { kind: 'times', free: [], times: 101, until: soon() },
      { kind: 'times', free: [], times: 1, until: soon() },
    ] as const) {
      await expect(operator.answer(id, yesTo(scope), LOCAL)).rejects.toMatchObject({ code: 'APPROVAL_SCOPE' });
    }
  });

  test('an intent about another call than the binding is refused', async () => {
    const { gate, operator } = open();
    const ask = await asker(gate);
    const [good, bad] = [ask(), ask({ arguments: { amount: 1_000, to: 'eve' } })];
    await expect(gate.ask({ intent: bad.intent, binding: good.binding })).rejects.toMatchObject({ code: 'GRANT_VOID' });
    const id = await grantFor({ gate, operator }, good);
    await expect(gate.admit(bad.intent, {}, { id, binding: good.binding })).rejects.toMatchObject({
      code: 'GRANT_VOID',
    });
    await run(gate, good, id);
  });

  test('more than a screen shows needs that the whole was asked for', async () => {
    const { gate, operator } = open();
    const ask = await asker(gate);
    const id = await askFor(gate, ask({ arguments: { amount: 1, to: 'x'.repeat(500) } }));
    await expect(operator.answer(id, ONCE, LOCAL)).rejects.toMatchObject({ code: 'APPROVAL_INCOMPLETE' });
    expect(await operator.answer(id, { kind: 'approve', scope: { kind: 'once' }, full: true }, LOCAL)).toMatchObject({
      kind: 'granted',
    });
  });

  test('nobody is asked about a call that is stopped, or was judged under a policy of before', async () => {
    const { gate, operator } = open();
    const ask = await asker(gate);
    await operator.stop({ kind: 'agent', name: 'a' }, 'test');
    await expect(gate.ask(ask())).rejects.toMatchObject({ code: 'STOPPED' });
    await operator.resume({ kind: 'agent', name: 'a' });
    await operator.policyLoaded({ scope: 'p', digest: '1'.repeat(64), source: 'x', rules: 1, mode: 'enforce' });
    await expect(gate.ask(ask())).rejects.toMatchObject({ code: 'EPOCH_STALE' });
    expect(await operator.approvals()).toEqual([]);
  });

  test('operators are listed without what they keep secret', async () => {
    const { operator } = open();
    const secret = 'A'.repeat(43);
    const offer = await operator.offerRegistration();
    const chat = { class: 'webhook', name: 'chat', user: 'carl', groups: ['ops'], secret } as const;
    const refused = operator.registerOperator(offer, chat, { code: 'x' });
    await expect(refused).rejects.toMatchObject({ code: 'OPERATOR_INVALID' });
    expect(await operator.operators()).toEqual([]);
  });
}
