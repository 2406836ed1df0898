import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Binding } from '../../src/approvals/index.ts';
import type { EmbeddedKeeper } from '../../src/keeper/index.ts';
import { asker, bindingOf, grantFor, LOCAL, ONCE, run, yesTo } from '../support/approvals.ts';
import { DIGEST } from '../support/keeper-contract.ts';
import { Stand } from './approvals-stand.ts';

let stand: Stand;
let keeper: EmbeddedKeeper;
beforeEach(async () => {
  stand = new Stand();
  keeper = await stand.open();
});
afterEach(() => stand.end());

const file = { use: 'file_write', real: '/w/a.ts', kind: 'file', identity: '1:2', content: 'c'.repeat(64) };
const request = { method: 'POST', url: 'https://bank.example/pay', addresses: ['192.0.2.1'] };
const program = { name: 'npm', real: '/usr/bin/npm', identity: '1:3', content: null };
const facts = { runs: 'spawned', paths: { path: file }, requests: { url: request }, programs: [program] };
const shown: Partial<Binding> = { facts };

const SWAPS: readonly [string, Partial<Binding>][] = [
  ['one byte of an argument', { ...shown, arguments: { amount: 1, to: 'boc' } }],
  ['the kind of an argument', { ...shown, arguments: { amount: '1', to: 'bob' } }],
  ['one argument more', { ...shown, arguments: { amount: 1, to: 'bob', cc: null } }],
  ['the file behind the path', { facts: { ...facts, paths: { path: { ...file, identity: '1:9' } } } }],
  ['its content', { facts: { ...facts, paths: { path: { ...file, content: 'd'.repeat(64) } } } }],
  ['the link', { facts: { ...facts, paths: { path: { ...file, real: '/w/b.ts' } } } }],
  ['the answer of DNS', { facts: { ...facts, requests: { url: { ...request, addresses: ['192.0.2.2'] } } } }],
  ['the URL', { facts: { ...facts, requests: { url: { ...request, url: 'https://evil.example/pay' } } } }],
  ['the program', { facts: { ...facts, programs: [{ ...program, real: '/tmp/npm' }] } }],
  ['where it runs', { facts: { ...facts, runs: 'remote' } }],
  ['the definition', { ...shown, definition: 'e'.repeat(64) }],
  ['the policy', { ...shown, policy: 'f'.repeat(64) }],
  ['the isolation', { ...shown, obligations: { isolation: [] } }],
  ['a secret', { ...shown, secrets: ['vault:kv/root'] }],
  ['the destination', { ...shown, destination: ['evil.example'] }],
  ['the server', { ...shown, server: 'evil' }],
  ['the tool', { ...shown, tool: 'pay2' }],
  ['the user', { ...shown, principal: { tenant: 't', user: 'eve', agent: 'a', chain: [] } }],
  ['the agent', { ...shown, principal: { tenant: 't', user: 'ann', agent: 'b', chain: [] } }],
  ['who has to say yes', { ...shown, approvers: { groups: ['x'], people: 1, ownUser: true } }],
];

test.each(SWAPS)(
  '[T5] swapping %s after the yes voids it, and the yes stays good for what was seen',
  async (_, swap) => {
    const ask = await asker(keeper);
    const grant = await grantFor({ gate: keeper, operator: keeper }, ask(shown));
    await expect(run(keeper, ask(swap), grant)).rejects.toMatchObject({ code: 'GRANT_VOID' });
    await run(keeper, ask(shown), grant);
  },
);

test('[T5] a wider yes is void for another link, URL, program, definition, policy, isolation, secret or place', async () => {
  const ask = await asker(keeper);
  const scope = { kind: 'until', free: ['amount'], until: Date.now() + 60_000 } as const;
  const grant = await grantFor({ gate: keeper, operator: keeper }, ask(shown), yesTo(scope));
  const loose = new Set(['the file behind the path', 'its content', 'the answer of DNS']);
  for (const [what, swap] of SWAPS) {
    if (loose.has(what)) continue;
    if (what === 'the kind of an argument') continue; // of the one that was left open
    await expect(run(keeper, ask(swap), grant), what).rejects.toMatchObject({ code: 'GRANT_VOID' });
  }
  await run(keeper, ask({ ...shown, arguments: { amount: 7, to: 'bob' } }), grant);
});

test('[T5] another policy in force voids the epoch of the call before its yes is looked at', async () => {
  const ask = await asker(keeper);
  const grant = await grantFor({ gate: keeper, operator: keeper }, ask());
  const notice = { scope: 'p', digest: '1'.repeat(64), source: 'x', rules: 1, mode: 'enforce' };
  await keeper.policyLoaded(notice);
  await expect(run(keeper, ask(), grant)).rejects.toMatchObject({ code: 'EPOCH_STALE' });
  await keeper.policyLoaded({ ...notice, digest: DIGEST });
  await expect(run(keeper, ask(), grant)).rejects.toMatchObject({ code: 'EPOCH_STALE' });
});

test('[T5] bad calls among good ones are requests of their own', async () => {
  const ask = await asker(keeper);
  const good = await keeper.ask(ask());
  const bad = await keeper.ask(ask({ arguments: { amount: 1_000_000, to: 'bob' } }));
  expect(good.kind === 'waiting' && bad.kind === 'waiting' && good.id !== bad.id).toBe(true);
  if (good.kind !== 'waiting') return;
  await keeper.answer(good.id, ONCE, LOCAL);
  expect((await keeper.ask(ask({ arguments: { amount: 1_000_000, to: 'bob' } }))).kind).toBe('waiting');
  expect(bindingOf().arguments).toEqual({ amount: 1, to: 'bob' });
});
