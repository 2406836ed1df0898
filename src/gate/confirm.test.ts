import { existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { LOCAL, NO, ONCE } from '../../test/support/approvals.ts';
import { makeWorkspace, type Workspace } from '../../test/support/workspace.ts';
import { type LogRecord, readRecords } from '../audit/index.ts';
import type { Clock } from '../core/index.ts';
import { fileRead, fileWrite } from '../tools/index.ts';
import { type CallResult, type Gate, type GateOptions, openGate, type Tool, type WaitingCall } from './index.ts';

let workspace: Workspace | null = null;
let gate: Gate | null = null;
const ran: unknown[] = [];
const waiting: WaitingCall[] = [];
let onWaiting: () => void = () => undefined;
afterEach(async () => {
  await gate?.close();
  workspace?.remove();
  [gate, workspace] = [null, null];
  ran.length = 0;
  waiting.length = 0;
});

const pay = (more: Partial<Tool> = {}): Tool => ({
  name: 'pay',
  description: 'Pays',
  schema: { type: 'object' },
  execute: async (args) => {
    ran.push(args);
    return 'paid';
  },
  ...more,
});

const POLICY = `version: 1
defaults: { isolation: none }
tools:
  pay: { requiresConfirmation: always }
  file_read: { allowedPaths: [.], requiresConfirmation: always }
`;

async function open(more: Partial<GateOptions> = {}, policy = POLICY): Promise<Gate> {
  workspace = makeWorkspace(policy, { 'a.txt': 'seen', 'b.txt': 'other' });
  gate = await openGate({
    ...{ policy: workspace.policyFile, state: workspace.state, tools: [pay(), fileRead()], policyChanges: 'apply' },
    onPolicyNotice: () => undefined,
    onApprovalWaiting: (call) => {
      waiting.push(call);
      onWaiting();
    },
    ...more,
  });
  return gate;
}

/** The `number`th question of the gate. */
async function asked(number = 1): Promise<string> {
  while (waiting.length < number) {
    await new Promise<void>((resolve) => {
      onWaiting = resolve;
    });
  }
  return waiting[number - 1]?.request ?? '';
}

const yes = async (id: string): Promise<unknown> => gate?.keeper.answer(id, ONCE, LOCAL);
const codeOf = (result: CallResult): string => (result.kind === 'delivered' ? 'delivered' : result.code);

async function records(): Promise<LogRecord[]> {
  await gate?.close();
  const found: LogRecord[] = [];
  for await (const { record } of readRecords(workspace?.state ?? '')) found.push(record);
  return found;
}

test('a call that waits runs once somebody says yes, and the records name the yes', async () => {
  const opened = await open();
  const call = opened.call('pay', { amount: 1 });
  await yes(await asked());
  expect(await call).toMatchObject({ kind: 'delivered', text: 'paid' });
  expect(ran).toEqual([{ amount: 1 }]);
  const all = await records();
  const grant = all.find(({ type }) => type === 'grant')?.grant;
  expect(grant).toMatch(/^grant_/);
  expect(all.filter(({ type }) => type === 'admitted')).toMatchObject([{ grant }]);
  expect(all.filter(({ type }) => type === 'intent').map(({ decision }) => decision)).toEqual(['confirm', 'confirm']);
});

test('a no, and no answer in time, are denials of their own', async () => {
  const opened = await open({ limits: { approvalWaitMs: 60_000 } });
  const call = opened.call('pay', { amount: 1 });
  await opened.keeper.answer(await asked(), NO, LOCAL);
  const refused = await call;
  expect(refused).toMatchObject({ kind: 'denied', code: 'APPROVAL_DENIED', retryAt: expect.any(Number) });
  expect(refused.text).toContain('Again: not before 2');
  // The same call is refused until its request would have ended; another one is asked about.
  expect(codeOf(await opened.call('pay', { amount: 1 }))).toBe('APPROVAL_DENIED');
  const pending = await opened.openSession({ approvalWaitMs: 0 });
  expect(codeOf(await pending.call('pay', { amount: 2 }))).toBe('APPROVAL_PENDING');
  expect(ran).toEqual([]);
});

test('a call that waited long enough is told which request waits; the same call joins it', async () => {
  const opened = await open();
  const session = await opened.openSession({ approvalWaitMs: 0 });
  const first = await session.call('pay', { amount: 1 });
  expect(first).toMatchObject({ kind: 'denied', code: 'APPROVAL_PENDING', request: await asked() });
  expect(first.text).toContain(await asked());
  expect(first.text).toContain('Not run yet, it waits for a person: pay');
  const again = session.call('pay', { amount: 1 }, { approvalWaitMs: 60_000 });
  expect(await asked(2)).toBe(await asked());
  expect(await opened.keeper.approvals()).toHaveLength(1);
  await yes(await asked());
  expect(codeOf(await again)).toBe('delivered');
  expect(ran).toHaveLength(1);
});

test('a yes that came after its call was gone is for the same call, made again, and for it alone', async () => {
  const opened = await open();
  const session = await opened.openSession({ approvalWaitMs: 0 });
  await session.call('pay', { amount: 1 });
  await yes(await asked());
  expect(codeOf(await session.call('pay', { amount: 11 }))).toBe('APPROVAL_PENDING');
  expect(codeOf(await session.call('pay', { amount: 1 }))).toBe('delivered');
  expect(codeOf(await session.call('pay', { amount: 1 }))).toBe('APPROVAL_PENDING');
  expect(ran).toEqual([{ amount: 1 }]);
});

test('a file that can run by itself is written after a yes, unless the policy names it', async () => {
  const policy = (entry: string): string => `version: 1
defaults: { isolation: none }
tools: { file_write: { allowedPaths: ${entry} } }
`;
  const write = (at: Gate) => at.call('file_write', { path: 'package.json', content: '{}' });
  const opened = await open({ tools: [fileWrite()] }, policy('[.]'));
  const file = join(workspace?.root ?? '', 'package.json');
  const refused = write(opened);
  const id = await asked();
  expect((await opened.keeper.approval(id)).request.binding.why.code).toBe('PATH_SELF_RUNNING');
  await opened.keeper.answer(id, NO, LOCAL);
  expect(codeOf(await refused)).toBe('APPROVAL_DENIED');
  expect(existsSync(file)).toBe(false);
  const other = opened.call('file_write', { path: 'package.json', content: '{"private":true}' });
  await yes(await asked(2));
  expect(codeOf(await other)).toBe('delivered');
  expect(readFileSync(file, 'utf8')).toBe('{"private":true}');
  await gate?.close();
  workspace?.remove();
  const naming = await open({ tools: [fileWrite()] }, policy('[., package.json]'));
  expect(codeOf(await write(naming))).toBe('delivered');
  expect(waiting).toHaveLength(2);
});

test('[T5.1] of many equal calls that wait, one yes runs one, and nobody is asked anew', async () => {
  const opened = await open();
  const calls = Array.from({ length: 5 }, () => opened.call('pay', { amount: 1 }));
  await asked(5);
  await yes(await asked());
  const codes = (await Promise.all(calls)).map(codeOf).sort();
  expect(codes).toEqual(['GRANT_SPENT', 'GRANT_SPENT', 'GRANT_SPENT', 'GRANT_SPENT', 'delivered']);
  expect(ran).toHaveLength(1);
  expect(await opened.keeper.approvals()).toEqual([]);
});

test('a caller that gives up ends the wait, and the request goes on', async () => {
  const opened = await open();
  const controller = new AbortController();
  const call = opened.call('pay', { amount: 1 }, { signal: controller.signal });
  await asked();
  controller.abort();
  expect(codeOf(await call)).toBe('TOOL_CANCELLED');
  expect(await opened.keeper.approvals()).toHaveLength(1);
});

test('no answer in time is no, and the same call asks anew', async () => {
  let ahead = 0;
  const clock: Clock = {
    now: () => Date.now() + ahead,
    mono: () => Math.round(performance.now() * 1_000) + ahead * 1_000,
  };
  const opened = await open({ clock });
  const call = opened.call('pay', { amount: 1 });
  const id = await asked();
  ahead = 600_001;
  expect(codeOf(await call)).toBe('APPROVAL_EXPIRED');
  await expect(yes(id)).rejects.toMatchObject({ code: 'APPROVAL_UNKNOWN' });
  const session = await opened.openSession({ approvalWaitMs: 0 });
  expect(codeOf(await session.call('pay', { amount: 1 }))).toBe('APPROVAL_PENDING');
  expect(await asked(2)).not.toBe(id);
  expect(ran).toEqual([]);
});

test('a gate that closes ends what waits', async () => {
  const opened = await open();
  const call = opened.call('pay', { amount: 1 });
  await asked();
  await opened.close();
  expect(codeOf(await call)).toBe('GATE_CLOSED');
});

test('a stop ends what waits', async () => {
  const opened = await open();
  const call = opened.call('pay', { amount: 1 });
  const id = await asked();
  await opened.keeper.stop({ kind: 'all' }, 'test');
  expect(codeOf(await call)).toBe('STOPPED');
  await yes(id);
  expect(codeOf(await opened.call('pay', { amount: 1 }))).toBe('STOPPED');
  expect(ran).toEqual([]);
});

test('[T5.2] one byte of another policy between question and yes: nothing runs', async () => {
  const opened = await open();
  const call = opened.call('pay', { amount: 1 });
  const id = await asked();
  workspace?.write({ 'sallyport.yaml': POLICY.replace('[.]', '[./]') });
  expect(codeOf(await call)).toBe('POLICY_CHANGED');
  await yes(id);
  const session = await opened.openSession({ approvalWaitMs: 0 });
  expect(codeOf(await session.call('pay', { amount: 1 }))).toBe('APPROVAL_PENDING');
  expect(await asked(2)).not.toBe(id);
  expect(ran).toEqual([]);
});

/** A tool that says when it has begun, and ends when it is told. */
function slowTool(): { readonly tool: Tool; readonly begun: Promise<void>; readonly finish: () => void } {
  let [begin, finish] = [() => undefined, () => undefined] as [() => void, () => void];
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const ended = new Promise<string>((resolve) => {
    finish = () => resolve('paid late');
  });
  const execute = (): Promise<string> => {
    begin();
    return ended;
  };
  return { tool: pay({ execute }), begun, finish: () => finish() };
}

test.each([
  ['goes on under another policy that asks as well', POLICY.replace('[.]', '[./]'), 'delivered'],
  [
    'ends under another policy that denies',
    POLICY.replace('requiresConfirmation: always', 'allowedPaths: [x]'),
    'POLICY_CHANGED',
  ],
])('a call that runs with a yes %s', async (_what, policy, code) => {
  const slow = slowTool();
  const opened = await open({ tools: [slow.tool, fileRead()] });
  const call = opened.call('pay', { amount: 1 });
  await yes(await asked());
  await slow.begun;
  const changed = new Promise<void>((resolve) => {
    opened.onPolicyChanged(() => resolve());
  });
  workspace?.write({ 'sallyport.yaml': policy });
  await changed;
  slow.finish();
  expect(codeOf(await call)).toBe(code);
});

test.each([
  ['content', () => writeFileSync(join(workspace?.root ?? '', 'a.txt'), 'swap')],
  [
    'file',
    () => {
      writeFileSync(join(workspace?.root ?? '', 'new.txt'), 'seen');
      renameSync(join(workspace?.root ?? '', 'new.txt'), join(workspace?.root ?? '', 'a.txt'));
    },
  ],
  [
    'link',
    () => {
      rmSync(join(workspace?.root ?? '', 'a.txt'));
      symlinkSync('b.txt', join(workspace?.root ?? '', 'a.txt'));
    },
  ],
])('[T5.2] another %s behind the path between question and yes: nothing runs', async (_what, swap) => {
  const opened = await open();
  const call = opened.call('file_read', { path: 'a.txt' });
  const id = await asked();
  swap();
  await yes(id);
  expect(codeOf(await call)).toBe('GRANT_VOID');
  expect(await opened.keeper.approvals()).toEqual([]); // nobody is asked about what was swapped in
  expect(readFileSync(join(workspace?.root ?? '', 'b.txt'), 'utf8')).toBe('other');
});

test('[T5.2] another definition of a tool between question and yes: nothing runs', async () => {
  const opened = await open(
    { tools: [pay({ server: 'bank', name: 'mcp__bank__pay' })] },
    `version: 1
defaults: { isolation: none }
servers: { bank: { url: "https://bank.example/mcp", isolation: none } }
tools: { mcp__bank__pay: { requiresConfirmation: always } }
`,
  );
  const call = opened.call('mcp__bank__pay', { amount: 1 });
  const id = await asked();
  opened.removeTools('bank');
  opened.tool(pay({ server: 'bank', name: 'mcp__bank__pay', description: 'Pays twice' }));
  await yes(id);
  expect(codeOf(await call)).toBe('GRANT_VOID');
  expect(ran).toEqual([]);
});
