import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LogRecord, readRecords } from '../../src/audit/index.ts';
import type { JsonValue } from '../../src/core/index.ts';
import { joinKeeper, type Keeper, openKeeper, PeerFolder } from '../../src/keeper/index.ts';
import { findSocket } from '../../src/keeper/socket-place.ts';
import { DIGEST, makeIntent } from '../support/keeper-contract.ts';
import { askRaw, enterRaw, frameOf } from '../support/raw-entry.ts';
import type { RawPeer } from '../support/raw-peer.ts';

let state: string;
let owner: Keeper;
let peers: PeerFolder;
let raws: RawPeer[];
beforeEach(async () => {
  state = mkdtempSync(join(tmpdir(), 'sallyport-hijacked-'));
  owner = await openKeeper({ state, reachable: [], adoptionMs: 100 });
  peers = new PeerFolder(state);
  raws = [];
});
afterEach(async () => {
  for (const raw of raws) raw.socket.destroy();
  await owner.close();
  rmSync(state, { recursive: true });
});

async function enter(name: string): Promise<RawPeer> {
  const credential = peers.find(name) ?? peers.add(name, 'gate');
  const peer = await enterRaw(findSocket(state) ?? '', credential);
  raws.push(peer);
  return peer;
}
const secret = (number: number): string => `call_${String(number).padStart(22, 'x')}`;
const notice = (digest: string, more: object = {}): object => ({
  ...{ scope: 'p', digest, source: 'x', rules: 1, mode: 'enforce', ...more },
});
const admission = (number: number, intent: object): object => ({ call: secret(number), intent, admitted: {} });

/** The records of the log, once the keeper has closed. */
async function records(): Promise<LogRecord[]> {
  await owner.close();
  const found: LogRecord[] = [];
  for await (const { record } of readRecords(state)) found.push(record);
  return found;
}

/** Admissions of the log that have no outcome. */
const unsettled = (log: readonly LogRecord[]): number[] => {
  const settled = new Set(log.filter(({ type }) => type === 'outcome').map(({ admittedSeq }) => admittedSeq));
  return log.filter(({ type, seq }) => type === 'admitted' && !settled.has(seq)).map(({ seq }) => seq);
};

describe('a gate that vanishes', () => {
  test('[T6.2] with questions under way leaves no admission without outcome', async () => {
    const peer = await enter('worker');
    const intent = await makeIntent(owner);
    // Slow questions first, one after the other, so that the admissions behind them wait in the keeper when the peer goes.
    const slow = Array.from({ length: 256 }, (_, at) => notice(DIGEST, { scope: `slow ${Math.min(at, 60)}` }));
    const questions = [
      ...slow.map((input) => ({ name: 'policyLoaded', input })),
      ...Array.from({ length: 60 }, (_, at) => ({ name: 'admit', input: admission(at, intent) })),
    ];
    const bytes = Buffer.concat(questions.map((question, id) => frameOf(JSON.stringify({ id, ...question }))));
    // One read of the keeper takes in all of it.
    expect(bytes.length).toBeLessThan(65_536);
    await new Promise((resolve) => peer.socket.write(bytes, resolve));
    await peer.next();
    peer.socket.destroy();
    await sleep(600);
    const log = await records();
    expect(unsettled(log)).toEqual([]);
    expect(log.at(-1)?.type).toBe('shutdown');
  });

  test('that said it does not come back is admitted nothing more on that connection', async () => {
    const peer = await enter('worker');
    const intent = await makeIntent(owner);
    expect(await askRaw(peer, 'leave', {})).toEqual({ value: null });
    expect(await askRaw(peer, 'admit', admission(1, intent))).toEqual({ code: 'KEEPER_LOST' });
  });

  test('and comes back after a crash of the keeper cannot use the secret of its open call for another', async () => {
    const peer = await enter('worker');
    const intent = await makeIntent(owner);
    await askRaw(peer, 'admit', admission(1, intent));
    await owner.close();
    owner = await openKeeper({ state, reachable: [], adoptionMs: 60_000 });
    const back = await enter('worker');
    const again = await makeIntent(owner);
    expect(await askRaw(back, 'admit', admission(1, again))).toEqual({ code: 'INTERNAL' });
    expect(await askRaw(back, 'adopt', { call: secret(1) })).toEqual({ value: true });
    expect(await askRaw(back, 'settle', { call: secret(1), outcome: {} })).toMatchObject({ value: {} });
  });
});

describe('what was approved', () => {
  const digest = 'a'.repeat(64);
  const first = (file: string, more: object = {}): object => ({
    ...{ file, real: file, digest, text: 'version: 1', approvedAt: 0, ...more },
  });

  test('[T6.2] is replaced by no gate, also not through the other name of a file', async () => {
    const peer = await enter('worker');
    await owner.approveFirst({ file: '/a/link', real: '/a/real', digest: DIGEST, text: 'good', approvedAt: 1 });
    const tries = [
      first('/a/link'),
      first('/a/real'),
      first('/b', { real: '/a/real' }),
      first('/a/link', { real: '/b' }),
    ];
    for (const input of tries) expect(await askRaw(peer, 'approveFirst', input)).toEqual({ value: null });
    expect(await askRaw(peer, 'approveFirst', first('/mine'))).toEqual({ value: null });
    const turned = { file: '/a/link', real: '/mine', opening: true };
    expect(await askRaw(peer, 'approvalOf', turned)).toMatchObject({ value: { text: 'good' } });
    for (const name of ['/a/link', '/a/real']) {
      expect(await owner.approvalOf({ file: name, real: name })).toMatchObject({ digest: DIGEST, text: 'good' });
    }
    expect(await owner.approvalOf({ file: '/b', real: '/b' })).toBeNull();
    const said = (await records()).filter(({ type, detail }) => type === 'policy-loaded' && detail?.['firstUse']);
    expect(said.map(({ detail, policyDigest }) => [detail?.['scope'], detail?.['peer'], policyDigest])).toEqual([
      ['/mine', 'worker', digest],
    ]);
  });

  test('is asked by names that are texts of bounded length, and nothing else', async () => {
    const peer = await enter('worker');
    const mismatch = { code: 'INPUT_SCHEMA_MISMATCH' };
    const long = 'é'.repeat(2_049);
    for (const names of [
      { file: long, real: '/a' },
      { file: '/a', real: long },
      { file: '', real: '/a' },
      { file: '/a' },
    ]) {
      expect(await askRaw(peer, 'approvalOf', names)).toEqual(mismatch);
    }
    expect(await askRaw(peer, 'approvalOf', { file: '/a', real: '/a', opening: 1 })).toEqual(mismatch);
    expect(await askRaw(peer, 'approveFirst', first('/a', { digest: '../../x' }))).toEqual(mismatch);
    expect(await askRaw(peer, 'approveFirst', first('/a', { by: 'policy approve' }))).toEqual(mismatch);
    expect(await askRaw(peer, 'approveFirst', first('/a', { text: 'é'.repeat(600_000) }))).toEqual({
      code: 'INPUT_TOO_LARGE',
    });
    const name = '../../../etc/passwd\u0000';
    expect(await askRaw(peer, 'approveFirst', first(name))).toEqual({ value: null });
    expect(await owner.approvalOf({ file: name, real: name })).toMatchObject({ file: name });
    expect(readdirSync(join(state, 'policies')).every((entry) => /^[0-9a-f]{64}\.json$/.test(entry))).toBe(true);
  });

  test('costs a peer its share, and no other peer anything', async () => {
    const peer = await enter('worker');
    const codes = [];
    for (let at = 0; at < 18; at++) codes.push((await askRaw(peer, 'approveFirst', first(`/${at}`))).code);
    expect([codes[0], codes.at(-1)]).toEqual([undefined, 'KEEPER_BUSY']);
    const asked = Array.from({ length: 200 }, () => askRaw(peer, 'approvalOf', { file: '/0', real: '/0' }));
    expect((await Promise.all(asked)).at(-1)).toEqual({ code: 'KEEPER_BUSY' });
    const other = await enter('other');
    expect(await askRaw(other, 'approvalOf', { file: '/0', real: '/0' })).toMatchObject({ value: { digest } });
  });
});

describe('the share of one peer', () => {
  test('is eight connections, and the operator comes in beside them', async () => {
    for (let count = 0; count < 8; count++) await enter('worker');
    await expect(enter('worker')).rejects.toThrow('KEEPER_BUSY');
    const operator = await joinKeeper({ state, reachable: [], role: 'operator', environment: {} });
    await operator.stop({ kind: 'all' }, 'hijacked');
    expect(await owner.stops()).toEqual([{ kind: 'all' }]);
    await operator.close();
  });

  test('of all gates leaves places for operators', async () => {
    for (let name = 0; name < 28; name++) for (let count = 0; count < 8; count++) await enter(`gate-${name}`);
    await expect(enter('one-more')).rejects.toThrow('KEEPER_BUSY');
    peers.add('boss', 'operator');
    expect(await askRaw(await enter('boss'), 'stops', {})).toEqual({ value: [] });
  });

  test('ends with its token: what is connected is cut, also when the name is given out again', async () => {
    const [peer, other] = [await enter('worker'), await enter('other')];
    peers.revoke('worker');
    peers.add('worker', 'gate');
    expect(await peer.cut()).toBeNull();
    expect(await askRaw(other, 'stops', {})).toEqual({ value: [] });
    expect(await askRaw(await enter('worker'), 'stops', {})).toEqual({ value: [] });
  });

  test('of claims is counted, and ends some day', async () => {
    const peer = await enter('worker');
    const far = { space: 'n', key: 'far', expiresAt: Date.now() + 401 * 86_400_000 };
    expect(await askRaw(peer, 'claim', far)).toEqual({ code: 'STORE_REQUEST' });
    const expiresAt = Date.now() + 60_000;
    const answers: { code?: JsonValue }[] = [];
    for (let turn = 0; turn < 10; turn++) {
      const keys = Array.from({ length: 200 }, (_, at) => `${turn}-${at}`);
      answers.push(...(await Promise.all(keys.map((key) => askRaw(peer, 'claim', { space: 'n', key, expiresAt })))));
    }
    expect(answers.slice(0, 1_200).every(({ code }) => code === undefined)).toBe(true);
    expect(answers.at(-1)).toEqual({ code: 'KEEPER_BUSY' });
    expect(await owner.claim('n', 'own', expiresAt)).toBe(true);
  });

  test('of new policies is ten, and the gate of the same policy file goes on', async () => {
    const peer = await enter('worker');
    await makeIntent(owner);
    const codes: (JsonValue | undefined)[] = [];
    for (let count = 0; count < 20; count++) {
      codes.push((await askRaw(peer, 'policyLoaded', notice(`x${count}`))).code);
    }
    expect(codes.slice(0, 10)).toEqual(Array.from({ length: 10 }));
    expect(codes.slice(11).every((code) => code === 'KEEPER_BUSY')).toBe(true);
    await owner.settle(await owner.admit(await makeIntent(owner), {}), { outcome: 'delivered' });
    expect((await askRaw(peer, 'policyLoaded', notice(DIGEST))).code).toBeUndefined();
  });

  test('of refusals is counted over all sessions that it names', async () => {
    const peer = await enter('worker');
    for (let turn = 0; turn < 20; turn++) {
      const sessions = Array.from({ length: 200 }, (_, at) => `s${turn}-${at}`);
      await Promise.all(sessions.map((session) => askRaw(peer, 'refuse', { intent: { tool: 'x', session } })));
    }
    const log = await records();
    const refused = log.filter(({ type }) => type === 'intent');
    expect(refused.length).toBeGreaterThanOrEqual(1_000);
    expect(refused.length).toBeLessThan(3_000);
    const counted = [...refused, ...log.slice(-1)].map(({ detail }) => Number(detail?.['suppressedRefusals'] ?? 0));
    expect(refused.length + counted.reduce((sum, count) => sum + count, 0)).toBe(4_000);
  });
});

describe('what a gate has recorded', () => {
  test('[T6.2] names the gate, whatever it says, and is nothing that only an operator says', async () => {
    const peer = await enter('worker');
    const detail = { peer: 'other', approved: true, by: 'policy approve', firstUse: true, suppressedRefusals: 7 };
    const { value: epoch } = await askRaw(peer, 'policyLoaded', notice(DIGEST, { detail }));
    await askRaw(peer, 'refuse', { intent: { tool: 'shell', decision: 'deny', detail } });
    await askRaw(peer, 'stop', { flag: { kind: 'agent', name: 'reviewer' }, reason: 'said by nobody' });
    const caller = { tenant: 't', user: 'u', agent: 'a', proof: 'local' };
    await askRaw(peer, 'openSession', { caller, surface: 'cli', detail });
    const admitted = { detail: { peer: 'other' } };
    await askRaw(peer, 'admit', { call: secret(1), intent: { tool: 'pay', epoch, detail }, admitted });
    await askRaw(peer, 'settle', { call: secret(1), outcome: { outcome: 'delivered', detail: { peer: 'other' } } });
    const said = (await records()).filter(({ type }) => !['recovery', 'shutdown', 'heartbeat'].includes(type));
    expect(said.map(({ type }) => type)).toEqual([
      ...['policy-loaded', 'intent', 'stop', 'session', 'intent', 'admitted', 'outcome'],
    ]);
    expect(said.map(({ detail: written }) => written?.['peer'])).toEqual(Array.from({ length: 7 }, () => 'worker'));
    for (const word of ['approved', 'by', 'firstUse']) expect(said[0]?.detail).not.toHaveProperty(word);
    expect(said[1]?.detail).not.toHaveProperty('suppressedRefusals');
  });

  test('is no refusal of an allowed call', async () => {
    const peer = await enter('worker');
    const intent = { tool: 'shell', decision: 'allow' };
    expect(await askRaw(peer, 'refuse', { intent })).toEqual({ code: 'INPUT_SCHEMA_MISMATCH' });
  });
});

describe('large and slow questions', () => {
  test('a question has 4 MiB, an outcome more; neither its caller nor its size stays in memory', async () => {
    const peer = await enter('worker');
    const intent = await makeIntent(owner);
    const large = { ...intent, payloads: { arguments: { text: 'x'.repeat(4_194_304) } } };
    for (const number of [8, 9]) {
      expect(await askRaw(peer, 'admit', admission(number, large))).toEqual({ code: 'INPUT_TOO_LARGE' });
    }
    const wordy = { ...intent, principal: { user: 'x'.repeat(3_000) } };
    expect(await askRaw(peer, 'admit', admission(2, wordy))).toEqual({ code: 'INPUT_SCHEMA_MISMATCH' });
    await askRaw(peer, 'admit', admission(3, intent));
    const outcome = { outcome: 'delivered', payloads: { result: 'x'.repeat(8_388_608) } };
    expect(await askRaw(peer, 'settle', { call: secret(3), outcome })).toMatchObject({ value: {} });
  });

  test('a long frame that does not say at once what it is is refused before it has come', async () => {
    const peer = await enter('worker');
    peer.sendBytes(frameOf(`{"name":"settle","id":1,"input":"${'x'.repeat(5_000_000)}"}`).subarray(0, 100));
    expect(await peer.cut()).toMatchObject({ code: 'INPUT_TOO_LARGE' });
  });

  test('a frame that drips in is cut, however often a byte comes', async () => {
    const peer = await enter('worker');
    const drip = setInterval(() => peer.socket.write(' '), 1_000);
    peer.sendBytes(Buffer.from([0, 0, 0x80, 0]));
    expect(await peer.cut()).toBeNull();
    clearInterval(drip);
  }, 60_000);

  test('an outcome of very many values is refused before it is read', async () => {
    const peer = await enter('worker');
    const values = '{},'.repeat(2_500_000);
    peer.sendBytes(frameOf(`{"id":1,"name":"settle","input":{"outcome":{"payloads":{"r":[${values}1]}}}}`));
    expect(await peer.cut()).toMatchObject({ code: 'INPUT_TOO_LARGE' });
  });

  test('the calls of one peer are counted over its connections', async () => {
    const intent = await makeIntent(owner);
    let code: JsonValue | undefined;
    let count = 0;
    while (code === undefined && count < 6_000) {
      const peer = await enter('worker');
      const calls = Array.from({ length: 600 }, () => admission(count++, intent));
      const answers = await Promise.all(calls.map((call) => askRaw(peer, 'admit', call)));
      code = answers.find((answer) => answer.code !== undefined)?.code;
    }
    expect([code, count]).toEqual(['KEEPER_BUSY', 4_200]);
  });
});

test('eighty silent connections that come again and again do not keep the operator out', async () => {
  const { RawPeer: Raw } = await import('../support/raw-peer.ts');
  const path = findSocket(state) ?? '';
  let [isOn, opened] = [true, 0];
  const open = (): void => {
    if (!isOn || opened++ > 20_000) return;
    const peer = new Raw(path);
    raws.push(peer);
    peer.socket.on('close', () => setTimeout(open, 1));
  };
  for (let count = 0; count < 80; count++) open();
  const operator = await joinKeeper({ state, reachable: [], role: 'operator', environment: {} });
  await operator.stop({ kind: 'all' }, 'hijacked');
  isOn = false;
  expect(await owner.stops()).toEqual([{ kind: 'all' }]);
  await operator.close();
});
