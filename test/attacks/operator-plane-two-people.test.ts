import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CallResult, type Gate, openGate } from '../../src/gate/index.ts';
import { type EmbeddedKeeper, type OperatorRegistration, openKeeper } from '../../src/keeper/index.ts';
import { LOCAL, ONCE, UserKey } from '../support/approvals.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

const POLICY = `version: 1
defaults: { isolation: none }
tools:
  pay:
    requiresConfirmation: always
    approvers: { groups: [payments], people: 2, ownUser: false }
`;

const PAY = { name: 'pay', description: 'Pays', schema: { type: 'object' } };

let workspace: Workspace;
let keeper: EmbeddedKeeper;
let gate: Gate;
let tell: (request: string) => void = () => undefined;
const paid: unknown[] = [];
beforeEach(async () => {
  paid.length = 0;
  workspace = makeWorkspace(POLICY);
  keeper = (await openKeeper({
    state: workspace.state,
    runtime: join(workspace.base, 'runtime'),
    reachable: [],
  })) as EmbeddedKeeper;
  gate = await openGate({
    ...{ policy: workspace.policyFile, keeper, policyChanges: 'apply', onPolicyNotice: () => undefined },
    tools: [{ ...PAY, execute: async (args) => `paid ${paid.push(args)}` }],
    onApprovalWaiting: ({ request }) => tell(request),
  });
});
afterEach(async () => {
  await gate.close();
  await keeper.close();
  workspace.remove();
});

const REFUSED = { code: 'APPROVER_REFUSED' };

async function operator(name: string, user: string, groups: readonly string[]): Promise<UserKey> {
  const key = new UserKey(name, { user, groups });
  const registration = key.registration as unknown as OperatorRegistration;
  await keeper.registerOperator(await keeper.offerRegistration(), registration, { code: keeper.offerCode() });
  return key;
}

/** A call of ann's agent, and the request that it waits for. */
async function pay(): Promise<{ readonly id: string; readonly ended: Promise<CallResult> }> {
  const session = await gate.openSession({ user: 'ann' });
  const asked = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const ended = session.call('pay', { amount: 1 });
  return { id: await asked, ended };
}

test('[T5.5] two people of the group that the policy names let a call run; nobody else, and no one twice', async () => {
  const bob = await operator('bob', 'bob', ['payments']);
  const bobAgain = await operator('bob-laptop', 'bob', ['payments']);
  const carl = await operator('carl', 'carl', ['payments', 'ops']);
  const dora = await operator('dora', 'dora', ['ops']);
  const ann = await operator('ann', 'ann', ['payments']);
  const { id, ended } = await pay();
  await expect(dora.answer(keeper, id, ONCE)).rejects.toMatchObject(REFUSED);
  await expect(ann.answer(keeper, id, ONCE)).rejects.toMatchObject(REFUSED);
  await expect(keeper.answer(id, ONCE, LOCAL)).rejects.toMatchObject(REFUSED);
  expect(await bob.answer(keeper, id, ONCE)).toEqual({ kind: 'waiting', people: 2, yes: 1 });
  await expect(bobAgain.answer(keeper, id, ONCE)).rejects.toMatchObject(REFUSED);
  expect(paid).toEqual([]);
  expect(await carl.answer(keeper, id, ONCE)).toMatchObject({ kind: 'granted' });
  expect(await ended).toMatchObject({ kind: 'delivered' });
  expect(paid).toEqual([{ amount: 1 }]);
});

test('[T5.5] where nobody is registered, no yes of the local user stands in for a group', async () => {
  const { id } = await pay();
  await expect(keeper.answer(id, ONCE, LOCAL)).rejects.toMatchObject(REFUSED);
  expect(paid).toEqual([]);
});
