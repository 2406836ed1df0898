import { afterEach, beforeEach, expect, test } from 'vitest';
import { challengeOf, registrationChallenge, removalChallenge } from '../../src/approvals/index.ts';
import { type EmbeddedKeeper, namesOfPolicy, type OperatorAct } from '../../src/keeper/index.ts';
import { ONCE, type UserKey } from '../support/approvals.ts';
import { Stand } from './approvals-stand.ts';
import { authorityOf, letIn, REFUSED, RESUME } from './operator-plane-stand.ts';

const TEXT = 'version: 1\n';
const POLICY = {
  ...{ act: 'policy-approve' as const, ...namesOfPolicy('/w/sallyport.yaml'), digest: 'a'.repeat(64), text: TEXT },
  ...{ rules: 1, mode: 'enforce' },
} as const;
const SERVER = { act: 'server-approve', server: 's', digest: 'sha256:a', lock: '/w/sallyport.lock' } as const;

let stand: Stand;
let keeper: EmbeddedKeeper;
let boss: UserKey;
beforeEach(async () => {
  stand = new Stand();
  keeper = await stand.open();
  boss = await letIn(keeper);
  await keeper.stop({ kind: 'all' }, 'test');
});
afterEach(() => stand.end());

/** What was proven, and what is asked for with it. */
const SWAPS: readonly [string, OperatorAct, OperatorAct][] = [
  ['another digest', POLICY, { ...POLICY, digest: 'b'.repeat(64) }],
  ['another text under the same digest', POLICY, { ...POLICY, text: 'version: 1\nmode: observe\n' }],
  ['another file', POLICY, { ...POLICY, file: '/w/other.yaml' }],
  ['another real path', POLICY, { ...POLICY, real: '/w/other.yaml' }],
  ['another mode', POLICY, { ...POLICY, mode: 'observe' }],
  ['another server', SERVER, { ...SERVER, server: 't' }],
  ['other definitions', SERVER, { ...SERVER, digest: 'sha256:b' }],
  ['another stop', { act: 'resume', flag: { kind: 'agent', name: 'a' } }, RESUME],
  ['another act', SERVER, RESUME],
];

test.each(SWAPS)('[T5.6] a proof is good for what it names: %s', async (_, proven, wanted) => {
  await expect(keeper.perform(wanted, await authorityOf(keeper, boss, wanted, proven))).rejects.toMatchObject(REFUSED);
  expect(await keeper.approvalOf(namesOfPolicy(POLICY.file))).toBeNull();
  expect(await keeper.stops()).toEqual([{ kind: 'all' }]);
  // The same act, proven as it is.
  expect(await keeper.perform(wanted, await authorityOf(keeper, boss, wanted))).toMatchObject({ advisory: false });
});

test('[T5.6] a proof over anything else that operators prove is none over an act', async () => {
  const over = async (challengeFor: (offer: string) => string) => {
    const { offer } = await keeper.offerAct();
    return keeper.perform(RESUME, { offer, proof: boss.proof(challengeFor(offer)) });
  };
  const details = { act: 'resume', flag: { kind: 'all' } };
  await expect(over((offer) => registrationChallenge(offer, details))).rejects.toMatchObject(REFUSED);
  await expect(over((offer) => removalChallenge(offer, 'resume'))).rejects.toMatchObject(REFUSED);
  await expect(
    over((nonce) => challengeOf({ id: 'ask_a', digest: 'd'.repeat(64), nonce }, ONCE)),
  ).rejects.toMatchObject(REFUSED);
  await expect(over((offer) => offer)).rejects.toMatchObject(REFUSED);
  expect(await keeper.stops()).toEqual([{ kind: 'all' }]);
  await keeper.perform(RESUME, await authorityOf(keeper, boss, RESUME));
  expect(await keeper.stops()).toEqual([]);
});
