import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LogRecord, readRecords, verifyLog } from '../audit/index.ts';
import type { JsonObject } from '../core/index.ts';
import { type IntentDraft, type Keeper, openKeeper, whoIs } from './index.ts';

let base: string;
let state: string;
let keeper: Keeper;
let intent: IntentDraft;
beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'sallyport-keeper-'));
  state = join(base, 'state');
  await open();
});
afterEach(async () => {
  await keeper.close();
  rmSync(base, { recursive: true });
});

async function open(): Promise<void> {
  keeper = await openKeeper({ state, reachable: [] });
  const principal = await keeper.openSession({ tenant: 't', user: 'ann', agent: 'a', proof: 'local' }, 'library');
  const epoch = await keeper.policyLoaded({
    scope: 'p',
    digest: '0'.repeat(64),
    source: 'x',
    rules: 1,
    mode: 'enforce',
  });
  intent = { ...whoIs(principal), tool: 'pay', epoch, decision: 'allow', payloads: { arguments: { amount: 1 } } };
}

async function records(): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for await (const { record } of readRecords(state)) all.push(record);
  return all;
}

const isolation: JsonObject = { asked: [], achieved: 'in-process' };

test('an admission is settled once', async () => {
  const admission = await keeper.admit(intent, { isolation });
  await keeper.settle(admission, { outcome: 'delivered' });
  await expect(keeper.settle(admission, { outcome: 'delivered' })).rejects.toMatchObject({ code: 'INTERNAL' });
  await expect(keeper.settle({ ...admission, call: 'call_x' }, {})).rejects.toMatchObject({ code: 'INTERNAL' });
});

test('an outcome that cannot be written leaves the call open, and closing records it as unknown', async () => {
  const admission = await keeper.admit(intent, { isolation });
  const tooLarge = keeper.settle(admission, { outcome: 'delivered', error: 'x'.repeat(70_000) });
  await expect(tooLarge).rejects.toMatchObject({ code: 'AUDIT_ENTRY_TOO_LARGE' });
  await keeper.close('test');
  const all = await records();
  expect(all.filter(({ type }) => type === 'outcome').map(({ outcome }) => outcome)).toEqual(['unknown']);
  expect(all.at(-1)?.type).toBe('shutdown');
});

test('a gate behind the epoch is refused', async () => {
  await keeper.policyLoaded({ scope: 'p', digest: '1'.repeat(64), source: 'x', rules: 1, mode: 'enforce' });
  await expect(keeper.admit(intent, { isolation })).rejects.toMatchObject({ code: 'EPOCH_STALE' });
});

test('epochs, stops and spent keys survive a restart, and epochs rise over the whole state', async () => {
  const notice = { digest: '0'.repeat(64), source: 'x', rules: 1, mode: 'enforce' };
  const other = await keeper.policyLoaded({ ...notice, scope: 'q' });
  expect(other).toBeGreaterThan(intent.epoch ?? 0);
  await keeper.stop({ kind: 'agent', name: 'a' }, 'test');
  expect(await keeper.claim('nonce', 'n', Date.now() + 60_000)).toBe(true);
  await keeper.close();
  await open();
  expect(await keeper.policyLoaded({ ...notice, scope: 'q' })).toBe(other);
  expect(await keeper.policyLoaded({ ...notice, scope: 'q', digest: '2'.repeat(64) })).toBe(other + 1);
  expect(await keeper.stops()).toEqual([{ kind: 'agent', name: 'a' }]);
  await expect(keeper.admit(intent, { isolation })).rejects.toMatchObject({ code: 'STOPPED' });
  expect(await keeper.claim('nonce', 'n', Date.now() + 60_000)).toBe(false);
  await keeper.resume({ kind: 'agent', name: 'a' });
  await keeper.settle(await keeper.admit(intent, { isolation }), { outcome: 'delivered' });
});

test('a call that runs while the keeper closes gets the outcome unknown; one that is being admitted does not run', async () => {
  await keeper.admit(intent, { isolation });
  const admitting = keeper.admit(intent, { isolation });
  admitting.catch(() => undefined);
  await keeper.close('test');
  await expect(admitting).rejects.toMatchObject({ code: 'KEEPER_CLOSED' });
  await expect(keeper.admit(intent, { isolation })).rejects.toMatchObject({ code: 'KEEPER_CLOSED' });
  const outcomes = (await records()).filter(({ type }) => type === 'outcome');
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown']);
  const report = await verifyLog({ directory: state, verifierKey: keeper.verifier, now: Date.now() });
  expect([report.integrity.status, report.completeness.status]).toEqual(['ok', 'ok']);
});

test('a flood of refusals is counted, not written', async () => {
  const refusal: IntentDraft = { ...intent, decision: 'deny', code: 'TOOL_NOT_ALLOWED' };
  await Promise.all(Array.from({ length: 100 }, () => keeper.refuse(refusal)));
  await Promise.all(Array.from({ length: 5_000 }, () => keeper.refuse(refusal)));
  const written = (await records()).filter(({ type }) => type === 'intent').length;
  expect(written).toBeGreaterThanOrEqual(200);
  expect(written).toBeLessThan(1_000);
  await keeper.close();
  const counted = (await records()).map(({ detail }) => Number(detail?.['suppressedRefusals'] ?? 0));
  expect(counted.reduce((sum, count) => sum + count, 0)).toBe(5_100 - written);
});
