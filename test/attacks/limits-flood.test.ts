import { afterEach, expect, test } from 'vitest';
import { readRecords } from '../../src/audit/index.ts';
import { type CallResult, type Gate, openGate, type Tool } from '../../src/gate/index.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

/** 10,000 calls at once through one gate with its own keeper: exactly what the limit allows passes. */
const FLOOD = 10_000;

let workspace: Workspace | null = null;
let gate: Gate | null = null;
afterEach(async () => {
  await gate?.close();
  workspace?.remove();
});

async function open(rules: string, execute: Tool['execute']): Promise<Gate> {
  workspace = makeWorkspace(`version: 1\ndefaults: { isolation: none }\n${rules}\n`);
  const tool: Tool = { name: 'work', schema: { type: 'object' }, execute };
  const tools = [tool, { ...tool, name: 'other' }];
  gate = await openGate({ policy: workspace.policyFile, state: workspace.state, tools });
  return gate;
}

const flood = (one: Gate, args: (n: number) => object): Promise<CallResult>[] =>
  Array.from({ length: FLOOD }, (_, n) => one.call('work', args(n)));

/** How many ended in which way. */
function countWays(results: readonly CallResult[]): Record<string, number> {
  const ways: Record<string, number> = {};
  for (const result of results) {
    const way = result.kind === 'delivered' ? 'delivered' : result.code;
    ways[way] = (ways[way] ?? 0) + 1;
  }
  return ways;
}

test('[T1.12] calls: N of M pass, whatever M, and a flood of denials is hardly written', async () => {
  let ran = 0;
  const one = await open('tools: { work: { rateLimit: { calls: 500, within: 1h } } }', async () => `${++ran}`);
  const results = await Promise.all(flood(one, () => ({})));
  expect(countWays(results)).toEqual({ delivered: 500, RATE_LIMITED: FLOOD - 500 });
  expect(ran).toBe(500);
  const refused = results.filter((result) => result.kind === 'denied');
  const started = Date.now();
  for (const denied of refused) {
    expect(denied.retryAt).toBeGreaterThan(started);
    expect(denied.rule.id).toBe('tools.work.rateLimit.calls');
    expect(denied.record).not.toBeNull();
  }
  await one.close();
  let [denials, counted] = [0, 0];
  for await (const { record } of readRecords(workspace?.state ?? '')) {
    if (record.type === 'intent' && record.decision === 'deny') denials += 1;
    counted += Number(record.detail?.['suppressedRefusals'] ?? 0);
  }
  expect(denials).toBeGreaterThan(0);
  expect(denials).toBeLessThan(100);
  expect(denials + counted).toBe(FLOOD - 500);
});

test('[T1.12] concurrency: never more at the same time than may, and a place that is free is taken', async () => {
  let [running, most, ran] = [0, 0, 0];
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const one = await open('tools: { work: { rateLimit: { concurrent: 8 } } }', async () => {
    running += 1;
    ran += 1;
    most = Math.max(most, running);
    await ended;
    running -= 1;
    return 'done';
  });
  let refused = 0;
  const calls = flood(one, () => ({})).map(async (call) => {
    const result = await call;
    if (result.kind === 'denied' && ++refused === FLOOD - 8) end();
    return result;
  });
  expect(countWays(await Promise.all(calls))).toEqual({ delivered: 8, CONCURRENCY_LIMITED: FLOOD - 8 });
  expect([most, ran]).toEqual([8, 8]);
  expect(countWays(await Promise.all(Array.from({ length: 8 }, () => one.call('work', {}))))).toEqual({ delivered: 8 });
});

test('[T1.12] spend: sums are exact, also of tenths, and a cost that is none is denied', async () => {
  const rule = 'tools: { work: { cost: amount, rateLimit: { spend: 50, within: 1h } } }';
  const one = await open(rule, async () => 'paid');
  const results = await Promise.all(flood(one, () => ({ amount: 0.1 })));
  expect(countWays(results)).toEqual({ delivered: 500, SPEND_LIMITED: FLOOD - 500 });
  for (const amount of [-1, '0', null, 1e12, undefined]) {
    expect(await one.call('work', { amount })).toMatchObject({ code: 'ARGUMENT_VALUE' });
  }
  expect(await one.call('work', { amount: 51 })).not.toHaveProperty('retryAt');
  expect((await one.call('work', { amount: 0 })).kind).toBe('delivered');
});

test('[T1.12] bytes: arguments and results never sum up to more, and what does not fit is withheld', async () => {
  const limit = 262_144;
  const text = 'x'.repeat(500);
  let ran = 0;
  const one = await open(`tools: { work: { rateLimit: { bytes: 256KiB, within: 1h } } }`, async () => {
    ran += 1;
    return text;
  });
  const args = { text: 'y'.repeat(100) };
  const argumentBytes = Buffer.byteLength(JSON.stringify(args));
  let sent = 0;
  const results: CallResult[] = [];
  const sender = async (): Promise<void> => {
    while (sent++ < FLOOD) results.push(await one.call('work', args));
  };
  await Promise.all(Array.from({ length: 64 }, sender));
  const delivered = results.flatMap((result) => (result.kind === 'delivered' ? [result] : []));
  const resultBytes = delivered.reduce((sum, { content }) => sum + Buffer.byteLength(JSON.stringify(content)) + 2, 0);
  const used = ran * argumentBytes + resultBytes;
  expect(used).toBeLessThanOrEqual(limit);
  expect(used + argumentBytes).toBeGreaterThan(limit);
  const withheld = results.filter(({ kind }) => kind === 'failed');
  expect(withheld.every((result) => 'code' in result && result.code === 'BYTES_LIMITED')).toBe(true);
  expect(delivered.length + withheld.length).toBe(ran);
  expect(JSON.stringify(withheld)).not.toContain(text);
});

test('[T1.12] one count for several tools, for every session of a caller, and none for a call that is denied', async () => {
  const rules = `limits: { day: { calls: 3, within: 24h } }
tools: { work: { arguments: { n: { type: integer } } }, other: {} }`;
  const one = await open(rules, async () => 'done');
  for (let n = 0; n < 5; n += 1) expect(await one.call('work', { n: 'x' })).toMatchObject({ code: 'ARGUMENT_VALUE' });
  expect((await one.call('work', { n: 1 })).kind).toBe('delivered');
  const session = await one.openSession({ agent: 'library' });
  expect((await session.call('other', {})).kind).toBe('delivered');
  expect((await one.call('other', {})).kind).toBe('delivered');
  expect(await session.call('work', { n: 1 })).toMatchObject({
    kind: 'denied',
    code: 'RATE_LIMITED',
    rule: { id: 'limits.day.calls' },
  });
  expect((await (await one.openSession({ agent: 'another' })).call('other', {})).kind).toBe('delivered');
});

test('[T1.12] a call that nobody says yes to gives back what it took', async () => {
  const rule =
    'tools: { work: { requiresConfirmation: { when: "arguments.ask == true" }, rateLimit: { calls: 1, within: 1h, concurrent: 1 } } }';
  const one = await open(rule, async () => 'done');
  const asked = await one.call('work', { ask: true }, { approvalWaitMs: 0 });
  expect(asked).toMatchObject({ kind: 'denied', code: 'APPROVAL_PENDING' });
  expect((await one.call('work', { ask: false })).kind).toBe('delivered');
  expect(await one.call('work', { ask: false })).toMatchObject({ code: 'RATE_LIMITED' });
});

test('[T1.12] per: session and per: tool count as they say', async () => {
  const rules =
    'tools: { work: { rateLimit: { calls: 1, within: 1h, per: session } }, other: { rateLimit: { calls: 1, within: 1h, per: tool } } }';
  const one = await open(rules, async () => 'done');
  const [first, second] = [await one.openSession({ agent: 'a' }), await one.openSession({ agent: 'a' })];
  for (const session of [first, second]) {
    expect((await session.call('work', {})).kind).toBe('delivered');
    expect(await session.call('work', {})).toMatchObject({ code: 'RATE_LIMITED' });
  }
  expect((await first.call('other', {})).kind).toBe('delivered');
  expect(await (await one.openSession({ agent: 'b', user: 'else' })).call('other', {})).toMatchObject({
    code: 'RATE_LIMITED',
  });
});

test('mode: observe lets pass what does not fit, and says so in the record', async () => {
  const one = await open('mode: observe\ntools: { work: { rateLimit: { calls: 1, within: 1h } } }', async () => 'done');
  await one.call('work', {});
  expect((await one.call('work', {})).kind).toBe('delivered');
  await one.close();
  const codes: unknown[] = [];
  for await (const { record } of readRecords(workspace?.state ?? '')) codes.push(record.detail?.['code']);
  expect(codes).toContain('RATE_LIMITED');
});
