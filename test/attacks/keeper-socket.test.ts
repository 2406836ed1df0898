import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hmacSha256Hex, isJsonObject, type JsonValue, randomBytes } from '../../src/core/index.ts';
import {
  connectKeeper,
  credentialText,
  type Keeper,
  openKeeper,
  type PeerCredential,
  PeerFolder,
  UnknownCalls,
} from '../../src/keeper/index.ts';
import { findSocket } from '../../src/keeper/socket-place.ts';
import { DIGEST, makeIntent } from '../support/keeper-contract.ts';
import { RawPeer } from '../support/raw-peer.ts';

let base: string;
let state: string;
let owner: Keeper;
let path: string;
let peers: PeerFolder;
let raws: RawPeer[];
beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'sallyport-socket-'));
  state = join(base, 'state');
  owner = await openKeeper({ state, reachable: [], adoptionMs: 100 });
  path = findSocket(state) ?? '';
  peers = new PeerFolder(state);
  raws = [];
});
afterEach(async () => {
  for (const raw of raws) raw.socket.destroy();
  await owner.close();
  rmSync(base, { recursive: true });
});

const raw = (to = path): RawPeer => {
  const peer = new RawPeer(to);
  raws.push(peer);
  return peer;
};
const nonce = (): string => randomBytes(32).toString('base64url');

/** The proof of a side, written down anew from the protocol in docs/keeper.md. */
const proof = (side: string, { token, peer, ours, theirs }: Record<string, string>): string =>
  hmacSha256Hex(Buffer.from(token ?? ''), Buffer.from(`sallyport-keeper\n1\n${side}\n${peer}\n${ours}\n${theirs}`));

/** Shakes hands as `name` with `token`; the connection is the caller's then. */
async function enter({ name, token }: { name: string; token: string }): Promise<RawPeer> {
  const peer = raw();
  const ours = nonce();
  peer.send({ v: 1, peer: name, nonce: ours });
  const greeting = await peer.next();
  const theirs = String(greeting?.['nonce']);
  peer.send({ proof: proof('peer', { token, peer: name, ours, theirs }) });
  return peer;
}

async function entered(credential: PeerCredential): Promise<RawPeer> {
  const peer = await enter(credential);
  expect(await peer.next()).toMatchObject({ ready: true });
  return peer;
}

async function ask(peer: RawPeer, name: string, input: object): Promise<{ value?: JsonValue; code?: JsonValue }> {
  const id = raws.length * 1_000 + Math.floor(Math.random() * 1_000);
  peer.send({ id, name, input });
  for (let frame = await peer.next(); frame !== null; frame = await peer.next()) {
    if (frame['id'] !== id) continue;
    const error = frame['error'];
    return isJsonObject(error) ? { code: error['code'] ?? null } : { value: frame['value'] ?? null };
  }
  throw new Error('the connection was cut');
}

const stillServes = async (): Promise<void> => {
  const peer = await entered(peers.add(`witness-${raws.length}`, 'gate'));
  expect(await ask(peer, 'stops', {})).toEqual({ value: [] });
};

describe('who may come in', () => {
  test('[T6.2] a wrong token, and a name that does not exist, are told the same and kept out', async () => {
    peers.add('known', 'gate');
    const token = `spk_${'A'.repeat(43)}`;
    for (const name of ['known', 'unknown', '..', '../peers/known', 'x/y', '']) {
      const peer = await enter({ name, token });
      expect(await peer.cut()).toMatchObject({
        code: 'PEER_REFUSED',
        message: 'the peer does not prove that it holds its token',
      });
    }
    await stillServes();
  });

  test('[T6.2] what a peer said once opens nothing a second time, and what the keeper said opens nothing at all', async () => {
    const credential = peers.add('known', 'gate');
    const first = await entered(credential);
    const replay = raw();
    for (const bytes of first.sent) replay.sendBytes(bytes);
    expect(await replay.cut()).toMatchObject({ code: 'PEER_REFUSED' });
    const reflecting = raw();
    reflecting.send({ v: 1, peer: 'known', nonce: nonce() });
    reflecting.send({ proof: (await reflecting.next())?.['proof'] });
    expect(await reflecting.cut()).toMatchObject({ code: 'PEER_REFUSED' });
  });

  test('a revoked peer does not come back', async () => {
    const credential = peers.add('known', 'gate');
    await entered(credential);
    peers.revoke('known');
    expect(await (await enter(credential)).cut()).toMatchObject({ code: 'PEER_REFUSED' });
  });

  test.each([
    ['another version', { v: 2, peer: 'known', nonce: 'A'.repeat(43) }],
    ['no nonce', { v: 1, peer: 'known' }],
    ['a nonce with a line break', { v: 1, peer: 'known', nonce: `${'A'.repeat(42)}\n` }],
    ['a question before the proof', { id: 1, name: 'stops', input: {} }],
    ['a list', []],
  ])('%s is no greeting', async (_, greeting) => {
    const peer = raw();
    peer.send(greeting);
    expect(await peer.cut()).toMatchObject({ code: 'PEER_REFUSED' });
  });
});

describe('a false keeper', () => {
  let server: Server;
  let received: Buffer[];
  const serve = async (answer: (greeting: { nonce: string }) => unknown): Promise<string> => {
    received = [];
    const place = join(base, 'false');
    mkdirSync(place, { mode: 0o700 });
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        received.push(chunk);
        const text = JSON.stringify(answer(JSON.parse(chunk.toString('utf8', 4)) as { nonce: string }));
        const header = Buffer.alloc(4);
        header.writeUInt32BE(Buffer.byteLength(text));
        socket.write(Buffer.concat([header, Buffer.from(text)]));
      });
    });
    await new Promise<void>((resolve) => server.listen(join(place, 's'), resolve));
    return join(place, 's');
  };
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  test.each([
    ['a made-up proof', () => ({ v: 1, nonce: nonce(), proof: 'a'.repeat(64) })],
    ['no proof', () => ({ v: 1, nonce: nonce(), ready: true, state: '/', verifier: 'x' })],
    ['the nonce of the peer', ({ nonce: theirs }: { nonce: string }) => ({ v: 1, nonce: theirs, proof: '' })],
  ])('with %s gets a greeting, and nothing that was made with the token', async (_, answer) => {
    const socket = await serve(answer);
    const credential = peers.add('known', 'gate');
    const tokenFile = join(base, 'token');
    writeFileSync(tokenFile, credentialText(credential), { mode: 0o600 });
    await expect(connectKeeper({ socket, tokenFile })).rejects.toMatchObject({ code: 'PEER_REFUSED' });
    const said = Buffer.concat(received);
    expect(JSON.parse(said.toString('utf8', 4))).toEqual({ v: 1, peer: 'known', nonce: expect.any(String) });
    expect(said.toString('latin1')).not.toContain(credential.token);
  });
});

describe('what a peer that is in can do', () => {
  test.each([
    ['a frame longer than any', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['the same key twice', frameOf('{"id":1,"name":"stops","input":{},"id":2}')],
    ['no JSON', frameOf('{"id":1')],
    ['no UTF-8', Buffer.concat([Buffer.from([0, 0, 0, 2]), Buffer.from([0xff, 0xfe])])],
    ['too deep a frame', frameOf(`{"id":1,"name":"stops","input":${'['.repeat(200)}${']'.repeat(200)}}`)],
    ['an unknown question', frameOf('{"id":1,"name":"constructor","input":{}}')],
    ['an unknown field beside the question', frameOf('{"id":1,"name":"stops","input":{},"as":"operator"}')],
  ])('%s cuts its connection, and no other', async (_, bytes) => {
    const bystander = await entered(peers.add('bystander', 'gate'));
    const peer = await entered(peers.add('known', 'gate'));
    peer.sendBytes(bytes);
    expect(await peer.cut()).toMatchObject({ code: expect.stringMatching(/^INPUT_/) });
    expect(await ask(bystander, 'stops', {})).toEqual({ value: [] });
  });

  test('a frame longer than a greeting may be is refused before the proof', async () => {
    const peer = raw();
    peer.sendText(JSON.stringify({ v: 1, peer: 'x'.repeat(5_000), nonce: nonce() }));
    expect(await peer.cut()).toMatchObject({ code: 'INPUT_TOO_LARGE' });
  });

  test.each([
    ['policyLoaded', { scope: 'p', digest: DIGEST, source: 'x', rules: -1, mode: 'enforce' }],
    ['policyLoaded', { scope: 'p', digest: DIGEST, source: 'x', rules: 1, mode: 'enforce', epoch: 9 }],
    ['admit', { call: 'mine', intent: {}, admitted: {} }],
    ['admit', { call: `call_${'A'.repeat(22)}`, intent: { type: 'shutdown' }, admitted: {} }],
    ['admit', { call: `call_${'A'.repeat(22)}`, intent: { intentSeq: 3 }, admitted: {} }],
    ['settle', { call: `call_${'A'.repeat(22)}`, outcome: { admittedSeq: 3 } }],
    ['stop', { flag: { kind: 'all', name: 'x' }, reason: '' }],
    ['claim', { space: 'n', key: 'k', expiresAt: 1.5 }],
    ['openSession', { caller: { tenant: 't', user: 'u', agent: 'a', proof: 'root' }, surface: 'cli' }],
  ])('%s with fields that it has not is refused: %j', async (name, input) => {
    const peer = await entered(peers.add('known', 'gate'));
    expect(await ask(peer, name, input)).toEqual({ code: 'INPUT_SCHEMA_MISMATCH' });
  });

  test('[T6.2] nobody settles or adopts the admission of another, not even with its secret', async () => {
    const [one, two] = [await entered(peers.add('one', 'gate')), await entered(peers.add('two', 'gate'))];
    const intent = await makeIntent(owner);
    const call = `call_${'B'.repeat(22)}`;
    expect(await ask(one, 'admit', { call, intent, admitted: {} })).toMatchObject({ value: { call } });
    expect(await ask(two, 'settle', { call, outcome: { outcome: 'delivered' } })).toEqual({ code: 'INTERNAL' });
    expect(await ask(two, 'adopt', { call })).toEqual({ value: false });
    expect(await ask(two, 'admit', { call, intent, admitted: {} })).toEqual({ code: 'INTERNAL' });
    await expect(owner.settle({ call, intentSeq: 0, admittedSeq: 1 }, {})).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await ask(one, 'settle', { call, outcome: { outcome: 'delivered' } })).toMatchObject({ value: {} });
  });

  test('a peer that breaks off: its call has the outcome unknown after the time of grace, and is not simply run again', async () => {
    const peer = await entered(peers.add('one', 'gate'));
    const intent = await makeIntent(owner);
    const call = `call_${'C'.repeat(22)}`;
    await ask(peer, 'admit', { call, intent, admitted: {} });
    const identity = {
      ...{ tool: 'pay', arguments: { amount: 1 } },
      principal: { tenant: 't', user: 'ann', agent: 'a', session: intent.session ?? '', proof: 'local' as const },
    };
    expect(await owner.isUncertain(identity)).toBe(false);
    peer.socket.destroy();
    while (new UnknownCalls(state).list().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await owner.isUncertain(identity)).toBe(true);
    const back = await entered(peers.find('one') ?? expect.unreachable());
    expect(await ask(back, 'adopt', { call })).toEqual({ value: false });
    expect(await ask(back, 'settle', { call, outcome: { outcome: 'delivered' } })).toEqual({ code: 'INTERNAL' });
  });

  test('a peer that comes back in time settles what it held, and nobody of another name does', async () => {
    await owner.close();
    owner = await openKeeper({ state, reachable: [], adoptionMs: 60_000 });
    const peer = await entered(peers.add('one', 'gate'));
    const intent = await makeIntent(owner);
    const call = `call_${'D'.repeat(22)}`;
    await ask(peer, 'admit', { call, intent, admitted: {} });
    peer.socket.destroy();
    const stranger = await entered(peers.add('two', 'operator'));
    expect(await ask(stranger, 'adopt', { call })).toEqual({ value: false });
    const back = await entered(peers.find('one') ?? expect.unreachable());
    expect(await ask(back, 'settle', { call, outcome: { outcome: 'delivered' } })).toEqual({ code: 'INTERNAL' });
    expect(await ask(back, 'adopt', { call })).toEqual({ value: true });
    expect(await ask(back, 'settle', { call, outcome: { outcome: 'delivered' } })).toMatchObject({ value: {} });
    expect(new UnknownCalls(state).list()).toEqual([]);
  });

  test('a gate that takes back a stop is refused', async () => {
    const peer = await entered(peers.add('known', 'gate'));
    await owner.stop({ kind: 'all' }, 'test');
    expect(await ask(peer, 'resume', { flag: { kind: 'all' } })).toEqual({ code: 'PEER_REFUSED' });
    expect(await owner.stops()).toEqual([{ kind: 'all' }]);
  });

  test('a flood of questions, silent connections and half a frame make nobody else wait', async () => {
    const flooding = await entered(peers.add('flooding', 'gate'));
    for (let id = 0; id < 20_000; id++) flooding.send({ id, name: 'stops', input: {} });
    const silent = Array.from({ length: 60 }, () => raw());
    const slow = await entered(peers.add('slow', 'gate'));
    slow.sendBytes(Buffer.from([0x01, 0x00, 0x00, 0x00, 0x7b]));
    await stillServes();
    await owner.settle(await owner.admit(await makeIntent(owner), {}), { outcome: 'delivered' });
    expect(silent).toHaveLength(60);
  });
});

describe('where the socket lies', () => {
  test('a state folder whose path is too long for a socket has it in a private folder of its own', async () => {
    const long = join(base, 'x'.repeat(120));
    const keeper = await openKeeper({ state: long, reachable: [] });
    const place = findSocket(long) ?? '';
    expect(place.startsWith(base)).toBe(false);
    expect(Buffer.byteLength(place)).toBeLessThanOrEqual(107);
    expect(statSync(dirname(place)).mode & 0o777).toBe(0o700);
    await keeper.close();
    const again = await openKeeper({ state: long, reachable: [] });
    expect(findSocket(long)).toBe(place);
    await again.close();
    rmSync(dirname(place), { recursive: true });
  });

  test('a folder that others can write to is not trusted, nor is a token file that others can read', async () => {
    const tokenFile = join(base, 'token');
    writeFileSync(tokenFile, credentialText(peers.add('known', 'gate')), { mode: 0o644 });
    chmodSync(tokenFile, 0o644);
    await expect(connectKeeper({ socket: path, tokenFile })).rejects.toMatchObject({ code: 'PEER_REFUSED' });
    chmodSync(tokenFile, 0o600);
    chmodSync(dirname(path), 0o777);
    await expect(connectKeeper({ socket: path, tokenFile })).rejects.toMatchObject({ code: 'KEEPER_SOCKET' });
    chmodSync(dirname(path), 0o700);
    await (await connectKeeper({ socket: path, tokenFile })).close();
  });

  test('tokens and socket are for this user alone', () => {
    peers.add('known', 'gate');
    expect(statSync(join(state, 'keeper')).mode & 0o777).toBe(0o700);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const name of readdirSync(join(state, 'keeper', 'peers'))) {
      expect(statSync(join(state, 'keeper', 'peers', name)).mode & 0o777).toBe(0o600);
    }
  });
});

function frameOf(text: string): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(Buffer.byteLength(text));
  return Buffer.concat([header, Buffer.from(text)]);
}
