import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Gate, openGate } from '../../src/gate/index.ts';
import { type EmbeddedKeeper, openKeeper } from '../../src/keeper/index.ts';
import { sallyport } from '../support/cli.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';
import { withOperator } from './operator-plane-stand.ts';

const OBSERVING = 'version: 1\nmode: observe\ntools: {}\n';
const PAY = { name: 'pay', description: 'Pays', schema: { type: 'object' }, execute: async () => 'paid' };

let workspace: Workspace;
let keeper: EmbeddedKeeper | null = null;
let gate: Gate | null = null;
let proven: readonly string[];
beforeEach(async () => {
  workspace = makeWorkspace('version: 1\ntools: {}\n');
  proven = await withOperator(workspace);
});
afterEach(async () => {
  await close();
  workspace.remove();
});

async function close(): Promise<void> {
  await gate?.close();
  await keeper?.close();
  [gate, keeper] = [null, null];
}

async function open(): Promise<Gate> {
  keeper = await openKeeper({ state: workspace.state, reachable: [], runtime: null });
  gate = await openGate({ policy: workspace.policyFile, keeper, tools: [PAY], onPolicyNotice: () => undefined });
  return gate;
}

const approve = (...words: readonly string[]) =>
  sallyport(['policy', 'approve', '--yes', '--json', '--state', workspace.state, ...words], { cwd: workspace.root });

test('[T5.6] a policy that only observes is not taken for being new; an operator lets it in', async () => {
  workspace.write({ 'sallyport.yaml': OBSERVING });
  await expect(open()).rejects.toMatchObject({ code: 'POLICY_APPROVAL' });
  await close();
  expect((await approve()).out).toContain('APPROVER_REFUSED');
  await expect(open()).rejects.toMatchObject({ code: 'POLICY_APPROVAL' });
  await close();
  expect((await approve(...proven)).code).toBe(0);
  expect(await (await open()).call('pay', {})).toMatchObject({ kind: 'delivered', text: 'paid' });
});

test('[T5.6] a policy that begins to observe enforces until an operator lets that in', async () => {
  expect(await (await open()).call('pay', {})).toMatchObject({ kind: 'denied' });
  await close();
  workspace.write({ 'sallyport.yaml': OBSERVING });
  expect(await (await open()).call('pay', {})).toMatchObject({ kind: 'denied' });
  await close();
  expect((await approve()).out).toContain('APPROVER_REFUSED');
  expect(await (await open()).call('pay', {})).toMatchObject({ kind: 'denied' });
  await close();
  expect((await approve(...proven)).code).toBe(0);
  expect(await (await open()).call('pay', {})).toMatchObject({ kind: 'delivered', text: 'paid' });
});
