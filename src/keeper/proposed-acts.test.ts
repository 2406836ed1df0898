import { expect, test } from 'vitest';
import type { OperatorAct } from './act-messages.ts';
import { ProposedActs } from './proposed-acts.ts';

const RESUME: OperatorAct = { act: 'resume', flag: { kind: 'all' } };
const RECEIPT = { by: { operator: 'phone', user: 'carl', class: 'passkey', letInBy: null }, advisory: false } as const;
const UNKNOWN = { code: 'APPROVAL_UNKNOWN' };

/** The clock stands still until it is moved. */
function acts(): { proposed: ProposedActs; pass: (ms: number) => void } {
  let ms = 0;
  const proposed = new ProposedActs({ now: () => 1_000, mono: () => ms * 1_000 });
  return {
    proposed,
    pass: (by) => {
      ms += by;
    },
  };
}
const add = (proposed: ProposedActs, peer: string | null = 'p'): string =>
  proposed.add({ act: RESUME, about: {}, waitMs: 600_000 }, peer).id;

test('ProposedActs: an act for which nobody waits any more is answered by nobody; one that is asked for waits on', async () => {
  const { proposed, pass } = acts();
  const [kept, abandoned] = [add(proposed), add(proposed)];
  pass(14_000);
  expect(proposed.outcome(kept, 'p')).toEqual({ kind: 'waiting' });
  pass(2_000);
  expect(proposed.list().map(({ id }) => id)).toEqual([kept]);
  const answered = proposed.answer(
    abandoned,
    async () => 'who',
    async () => RECEIPT,
  );
  await expect(answered).rejects.toMatchObject(UNKNOWN);
  expect(() => proposed.outcome(kept, 'other')).toThrow(expect.objectContaining(UNKNOWN));
  await expect(
    proposed.answer(
      kept,
      async () => 'who',
      async () => RECEIPT,
    ),
  ).resolves.toEqual(RECEIPT);
});

test('ProposedActs: a proof that stands too late does nothing', async () => {
  const { proposed, pass } = acts();
  const id = add(proposed);
  let isDone = false;
  const late = proposed.answer(
    id,
    async () => pass(600_000),
    async () => {
      isDone = true;
      return RECEIPT;
    },
  );
  await expect(late).rejects.toMatchObject(UNKNOWN);
  expect([isDone, proposed.outcome(id, 'p')]).toMatchObject([false, { kind: 'refused', code: 'APPROVAL_EXPIRED' }]);
});

test('ProposedActs: while one proof is looked at another is refused, and what failed waits no more', async () => {
  const { proposed } = acts();
  const id = add(proposed);
  let stands: () => void = () => undefined;
  const proof = new Promise<void>((resolve) => {
    stands = resolve;
  });
  const first = proposed.answer(
    id,
    () => proof,
    () => Promise.reject(new Error('disk')),
  );
  await expect(
    proposed.answer(
      id,
      async () => 0,
      async () => RECEIPT,
    ),
  ).rejects.toMatchObject(UNKNOWN);
  expect(() => proposed.decline(id)).toThrow(expect.objectContaining(UNKNOWN));
  stands();
  await expect(first).rejects.toThrow('disk');
  expect(proposed.outcome(id, 'p')).toMatchObject({ kind: 'refused', code: 'INTERNAL' });
  await expect(
    proposed.answer(
      id,
      async () => 0,
      async () => RECEIPT,
    ),
  ).rejects.toMatchObject(UNKNOWN);
});

test('ProposedActs: two wait for one connection, sixteen in all, and places become free', () => {
  const { proposed, pass } = acts();
  for (let at = 0; at < 16; at += 1) add(proposed, `p${at >> 1}`);
  expect(() => add(proposed, 'p0')).toThrow(expect.objectContaining({ code: 'KEEPER_BUSY' }));
  expect(() => add(proposed, 'another')).toThrow(expect.objectContaining({ code: 'KEEPER_BUSY' }));
  pass(15_000);
  expect(add(proposed, 'p0')).toMatch(/^act_/);
});
