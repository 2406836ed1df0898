import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runApprovalsContract } from '../../test/support/keeper-approvals-contract.ts';
import { makeIntent, runKeeperContract } from '../../test/support/keeper-contract.ts';
import { verifyLog } from '../audit/index.ts';
import { connectKeeper, credentialText, joinKeeper, type Keeper, openKeeper, PeerFolder } from './index.ts';
import { findSocket } from './socket-place.ts';

let base: string;
let state: string;
let owner: Keeper;
let remotes: Keeper[];
beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'sallyport-contract-'));
  state = join(base, 'state');
  owner = await openKeeper({ state, reachable: [] });
  remotes = [];
});
afterEach(async () => {
  for (const remote of remotes) await remote.close();
  await owner.close();
  const report = await verifyLog({ directory: state, verifierKey: owner.verifier, now: Date.now() });
  expect([report.integrity.status, report.completeness.status, report.openAdmissions]).toEqual(['ok', 'ok', []]);
  rmSync(base, { recursive: true });
});

describe('embedded', () => runKeeperContract(() => ({ operator: owner, gate: owner })));

describe('approvals, embedded', () => runApprovalsContract(() => ({ operator: owner, gate: owner })));

describe('over the socket', () => {
  let gate: Keeper;
  let operator: Keeper;
  beforeEach(async () => {
    gate = await joinKeeper({ state, reachable: [] });
    operator = await joinKeeper({ state, reachable: [], role: 'operator' });
    remotes = [gate, operator];
  });
  runKeeperContract(() => ({ operator, gate }));
  describe('approvals', () => runApprovalsContract(() => ({ operator, gate })));

  test('a gate stops, and does not take a stop back', async () => {
    await gate.stop({ kind: 'all' }, 'test');
    await expect(gate.resume({ kind: 'all' })).rejects.toMatchObject({ code: 'PEER_REFUSED' });
    expect(await operator.stops()).toEqual([{ kind: 'all' }]);
  });

  test('it is the same keeper', () => {
    expect([gate.state, gate.verifier]).toEqual([owner.state, owner.verifier]);
  });
});

test('a peer with a token file of its own, by the path of the socket', async () => {
  const tokenFile = join(base, 'token');
  const credential = new PeerFolder(state).add('worker', 'gate');
  writeFileSync(tokenFile, credentialText(credential), { mode: 0o600 });
  const remote = await connectKeeper({ socket: findSocket(state) ?? '', tokenFile });
  remotes = [remote];
  const admission = await remote.admit(await makeIntent(remote), {});
  expect((await remote.settle(admission, { outcome: 'delivered' })).seq).toBeGreaterThan(0);
});
