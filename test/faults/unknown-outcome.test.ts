import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LogRecord, readRecords, verifyLog } from '../../src/audit/index.ts';
import { type Gate, openGate, type Tool } from '../../src/gate/index.ts';
import { LOCAL, ONCE } from '../support/approvals.ts';
import { sallyport } from '../support/cli.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

const SCRIPT = fileURLToPath(new URL('./hang-until-killed.mjs', import.meta.url));
const POLICY = `version: 1
defaults: { isolation: none }
tools: { pay: {}, look: {}, declared: { flow: { effect: read } } }
`;

let workspace: Workspace;
beforeEach(async () => {
  workspace = makeWorkspace(POLICY);
  const child = spawn(process.execPath, [SCRIPT, workspace.policyFile, workspace.state], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
});
afterEach(() => workspace.remove());

const reopen = (): Promise<Gate> =>
  openGate({
    ...{ policy: workspace.policyFile, state: workspace.state, limits: { approvalWaitMs: 0 } },
    tools: ['pay', 'look', 'declared'].map(answering),
  });
const hanging = (name: string): Tool => ({
  name,
  schema: { type: 'object' },
  execute: () => new Promise(() => undefined),
});
const answering = (name: string): Tool => ({
  name,
  schema: { type: 'object' },
  ...(name === 'look' ? { effect: 'read' } : {}),
  execute: async () => 'done',
});

test('[T7.3] a call that was under way when the process died has the outcome unknown, and is not simply run again', async () => {
  const gate = await reopen();
  expect(await gate.call('pay', { amount: 1 })).toMatchObject({ kind: 'denied', code: 'APPROVAL_PENDING' });
  expect(await gate.call('pay', { amount: 2 })).toMatchObject({ kind: 'delivered' });
  expect(await gate.call('look', { at: 'x' })).toMatchObject({ kind: 'delivered' });
  expect(await gate.call('declared', {})).toMatchObject({ kind: 'delivered' });
  await gate.close();
  const records: LogRecord[] = [];
  for await (const { record } of readRecords(workspace.state)) records.push(record);
  const unknown = records.filter(({ outcome }) => outcome === 'unknown');
  expect(unknown.map(({ tool }) => tool)).toEqual(['pay', 'look', 'declared']);
  expect(records.some(({ type }) => type === 'recovery')).toBe(true);
  const report = await verifyLog({ directory: workspace.state, verifierKey: gate.keeper.verifier, now: Date.now() });
  expect([report.integrity.status, report.completeness.status, report.openAdmissions]).toEqual(['ok', 'ok', []]);
});

test('[T7.3] a call of which nobody knows how it ended runs again once a person says yes, and once only', async () => {
  const gate = await reopen();
  const call = () => gate.call('pay', { amount: 1 });
  await call();
  const [request] = await gate.keeper.approvals();
  await gate.keeper.answer(request?.id ?? '', ONCE, LOCAL);
  expect(await call()).toMatchObject({ kind: 'delivered', text: 'done' });
  expect(await call()).toMatchObject({ code: 'APPROVAL_PENDING' });
  await gate.close();
});

test('[T7.3] no restart makes it forgotten; a person who found out takes it off the list', async () => {
  for (let restart = 0; restart < 3; restart++) await (await reopen()).close();
  let gate = await reopen();
  expect(await gate.call('pay', { amount: 1 })).toMatchObject({ kind: 'denied', code: 'APPROVAL_PENDING' });
  await gate.close();
  const run = (...words: string[]) =>
    sallyport(['audit', 'unknown', ...words, '--state', workspace.state], { cwd: workspace.root });
  const listed = JSON.parse((await run('--json')).out) as { admittedSeq: number }[];
  expect(listed).toHaveLength(3);
  for (const { admittedSeq } of listed) expect((await run('--settle', String(admittedSeq))).code).toBe(0);
  gate = await reopen();
  expect(await gate.call('pay', { amount: 1 })).toMatchObject({ kind: 'delivered' });
  await gate.close();
});

test('[T7.3] a call that an orderly stop cut short is not simply run again either', async () => {
  let gate = await openGate({ policy: workspace.policyFile, state: workspace.state, tools: [hanging('pay')] });
  const pending = gate.call('pay', { amount: 5 });
  await new Promise((resolve) => setTimeout(resolve, 200));
  await gate.close('SIGTERM');
  gate = await reopen();
  expect(await gate.call('pay', { amount: 5 })).toMatchObject({ kind: 'denied', code: 'APPROVAL_PENDING' });
  await gate.close();
  void pending;
});
