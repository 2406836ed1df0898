import { describe, expect, it } from 'vitest';
import { CallLedger, type LedgerRecord } from './call-ledger.ts';

type Step = Omit<LedgerRecord, 'seq' | 'boot'> & { readonly boot?: string };

/** The rules that a sequence of records breaks, by number of the record. */
function problems(steps: readonly Step[]): Record<number, string> {
  const ledger = new CallLedger();
  const found: Record<number, string> = {};
  for (const [seq, step] of steps.entries()) {
    const record = { boot: 'a', ...step, seq };
    const problem = ledger.problemWith(record);
    if (problem !== null) found[seq] = problem;
    ledger.add(record);
  }
  return found;
}

const intent: Step = { type: 'intent', session: 's', tool: 't', decision: 'allow' };
const admitted: Step = { type: 'admitted', session: 's', tool: 't', intentSeq: 0 };
const outcome: Step = { type: 'outcome', session: 's', tool: 't', intentSeq: 0, admittedSeq: 1 };
const unknown: Step = { ...outcome, outcome: 'unknown' };
const adopted: Step = { ...outcome, type: 'adopted' };
const shutdown: Step = { type: 'shutdown' };
const recovery: Step = { type: 'recovery' };
const inBoot = (boot: string, step: Step): Step => ({ ...step, boot });

describe('CallLedger', () => {
  it.each<[string, Step[], Record<number, string>]>([
    ['a whole call', [intent, admitted, outcome, shutdown], {}],
    ['a refusal', [{ ...intent, decision: 'deny' }, shutdown], {}],
    [
      'an outcome of the next boot',
      [intent, admitted, inBoot('b', unknown), inBoot('b', recovery), inBoot('b', intent)],
      {},
    ],
    ['an orderly restart', [intent, admitted, outcome, shutdown, inBoot('b', intent)], {}],
    [
      'an admission without intent',
      [intent, { ...admitted, intentSeq: 7 }],
      { 1: 'names no intent that could be admitted' },
    ],
    [
      'an admission of a denied intent',
      [{ ...intent, decision: 'deny' }, admitted],
      { 1: 'names no intent that could be admitted' },
    ],
    ['an intent admitted twice', [intent, admitted, admitted], { 2: 'names no intent that could be admitted' }],
    ['the intent of another tool', [intent, { ...admitted, tool: 'u' }], { 1: 'names the intent of another call' }],
    [
      'the intent of another session',
      [intent, { ...admitted, session: 'z' }],
      { 1: 'names the intent of another call' },
    ],
    [
      'an intent of the boot before',
      [intent, shutdown, inBoot('b', admitted)],
      { 2: 'names no intent that could be admitted' },
    ],
    ['an outcome without admission', [intent, outcome], { 1: 'names no admission that is open' }],
    ['two outcomes', [intent, admitted, outcome, outcome], { 3: 'names no admission that is open' }],
    [
      'the outcome of another tool',
      [intent, admitted, { ...outcome, tool: 'u' }],
      { 2: 'names the admission of another call' },
    ],
    ['a wrong intent', [intent, admitted, { ...outcome, intentSeq: 9 }], { 2: 'names the intent of another call' }],
    ['a shutdown with an open call', [intent, admitted, shutdown], { 2: 'leaves 1 admissions without an outcome' }],
    ['a record after the shutdown', [shutdown, intent], { 1: 'comes after the shutdown of its boot' }],
    [
      'a boot that hides a crash',
      [intent, inBoot('b', intent), inBoot('b', recovery), inBoot('b', intent)],
      { 1: 'comes before the recovery record of a boot that ended without shutdown' },
    ],
    [
      'a recovery that forgets a call',
      [intent, admitted, inBoot('b', recovery)],
      { 2: 'leaves 1 admissions without an outcome, and states 0' },
    ],
    [
      'a call that the next boot adopts and ends',
      [
        intent,
        admitted,
        inBoot('b', { ...recovery, open: 1 }),
        inBoot('b', adopted),
        inBoot('b', outcome),
        inBoot('b', shutdown),
      ],
      {},
    ],
    [
      'a call that stays open over two boots',
      [
        intent,
        admitted,
        inBoot('b', { ...recovery, open: 1 }),
        inBoot('b', adopted),
        inBoot('c', { ...recovery, open: 1 }),
        inBoot('c', outcome),
        inBoot('c', unknown),
      ],
      { 5: 'knows how a call of an earlier boot ended that nobody adopted', 6: 'names no admission that is open' },
    ],
    [
      'an adoption before the recovery',
      [intent, admitted, inBoot('b', adopted)],
      { 2: 'comes before the recovery record of a boot that ended without shutdown' },
    ],
    [
      'an adoption of a call of the same boot, of nothing, of another tool',
      [
        intent,
        admitted,
        adopted,
        inBoot('b', { ...recovery, open: 1 }),
        inBoot('b', { ...adopted, admittedSeq: 7 }),
        inBoot('b', { ...adopted, tool: 'u' }),
      ],
      {
        2: 'names an admission of its own boot',
        4: 'names no admission that is open',
        5: 'names the admission of another call',
      },
    ],
    [
      'a recovery that states more than is open',
      [intent, inBoot('b', { ...recovery, open: 1 })],
      { 1: 'leaves 0 admissions without an outcome, and states 1' },
    ],
    [
      'a shutdown that leaves an adopted call',
      [intent, admitted, inBoot('b', { ...recovery, open: 1 }), inBoot('b', adopted), inBoot('b', shutdown)],
      { 4: 'leaves 1 admissions without an outcome' },
    ],
  ])('judges %s', (_, steps, expected) => {
    expect(problems(steps)).toEqual(expected);
  });

  it('resumes with the calls that were open', () => {
    const ledger = CallLedger.resume({ open: [{ ...admitted, seq: 1, boot: 'a' }], shutDown: false });
    expect(ledger.problemWith({ ...intent, seq: 2, boot: 'b' })).toMatch(/before the recovery/);
    ledger.add({ ...outcome, seq: 2, boot: 'b' });
    ledger.add({ ...recovery, seq: 3, boot: 'b' });
    expect(ledger.problemWith({ ...intent, seq: 4, boot: 'b' })).toBeNull();
  });
});
