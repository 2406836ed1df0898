import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ONCE } from '../support/approvals.ts';
import { eachStand, INNER_SURFACES, type SurfaceStand } from './approvals-surfaces.ts';

const POLICY = `version: 1
defaults: { isolation: none }
tools:
  file_write: { allowedPaths: [.], requiresConfirmation: always }
`;
const open = eachStand();
/** A clock that stands, so that nothing is given back while the test floods. */
const STANDING = { now: () => 1_800_000_000_000, mono: () => 5_000_000 };
const call = (content: string) =>
  ['file_write', { path: `${Buffer.from(content).toString('hex')}.txt`, content }] as const;
const written = (stand: SurfaceStand): readonly string[] =>
  readdirSync(stand.workspace.root).filter((name) => name.endsWith('.txt'));

describe.each(INNER_SURFACES)('[T5] over %s', (surface) => {
  test('who asks until a person tires is refused beyond twenty, runs nothing, and keeps nobody else from asking', async () => {
    const stand = await open({ surface, policy: POLICY, gate: { clock: STANDING } });
    const codes: Record<string, number> = {};
    for (let at = 0; at < 40; at++) {
      const { code } = await stand.ask(...call(`call ${at}`));
      codes[code] = (codes[code] ?? 0) + 1;
    }
    expect(codes).toEqual({ APPROVAL_PENDING: 20, APPROVAL_FLOOD: 20 });
    expect(await stand.gate.keeper.approvals()).toHaveLength(20);
    const other = await stand.gate.openSession({ user: 'bob', agent: 'other' });
    expect(await other.call(...call('mine'), { approvalWaitMs: 0 })).toMatchObject({ code: 'APPROVAL_PENDING' });
    expect([written(stand), await stand.admitted()]).toEqual([[], 0]);
    const again = await stand.ask(...call('call 0'));
    await stand.answer(again.request ?? '');
    expect(await stand.ask(...call('call 0'))).toMatchObject({ code: 'delivered' });
  });

  test('what looks like the good call is another one: one yes runs one of twenty', async () => {
    const stand = await open({ surface, policy: POLICY, gate: { clock: STANDING } });
    const good = 'pay bob';
    const looks = [
      ...[
        'pay bob ',
        ' pay bob',
        'pay  bob',
        'pay bob\n',
        'pay\u00a0bob',
        'pay\u2009bob',
        'pay\u200bbob',
        'pay bob\u200d',
      ],
      ...['p\u0430y bob', 'pay b\u043eb', 'pay bob\u202e', '\u2066pay bob', 'pay\tbob', 'pay bob\u0000', 'PAY bob'],
      ...['pay\u2060 bob', 'pay bob\ufeff', 'pay bo\u0062\u0301', 'pay bob\u00ad'],
    ];
    const requests = new Set<string>();
    for (const content of [good, ...looks, good, good]) {
      const outcome = await stand.ask('file_write', { path: 'out.txt', content });
      expect(outcome, JSON.stringify(content)).toMatchObject({ code: 'APPROVAL_PENDING' });
      requests.add(outcome.request ?? '');
    }
    expect(requests.size).toBe(20);
    const [first = ''] = requests;
    await stand.answer(first, ONCE);
    for (const content of looks) {
      expect(await stand.ask('file_write', { path: 'out.txt', content })).toMatchObject({ code: 'APPROVAL_PENDING' });
    }
    expect([written(stand), await stand.admitted()]).toEqual([[], 0]);
    expect(await stand.ask('file_write', { path: 'out.txt', content: good })).toMatchObject({ code: 'delivered' });
    expect([written(stand), await stand.admitted()]).toEqual([['out.txt'], 1]);
  });
});
