import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LogRecord, readRecords, verifyLog } from '../../src/audit/index.ts';
import { type Gate, openGate, type Tool } from '../../src/gate/index.ts';
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
  openGate({ policy: workspace.policyFile, state: workspace.state, tools: ['pay', 'look', 'declared'].map(answering) });
const answering = (name: string): Tool => ({
  name,
  schema: { type: 'object' },
  ...(name === 'look' ? { effect: 'read' } : {}),
  execute: async () => 'done',
});

test('[T7.3] a call that was under way when the process died has the outcome unknown, and is not simply run again', async () => {
  const gate = await reopen();
  expect(await gate.call('pay', { amount: 1 })).toMatchObject({ kind: 'denied', code: 'CONFIRMATION_UNAVAILABLE' });
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

test('[T7.3] an operator who looked and started anew may run it', async () => {
  await (await reopen()).close();
  const gate = await reopen();
  expect(await gate.call('pay', { amount: 1 })).toMatchObject({ kind: 'delivered' });
  await gate.close();
});
