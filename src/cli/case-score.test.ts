import { describe, expect, it } from 'vitest';
import type { Effect } from '../policy/index.ts';
import type { PolicyCase } from './case-file.ts';
import { type CaseResult, type Judged, renderScore, scoreOf } from './case-score.ts';

const DEFAULTS: Record<Effect, readonly Effect[]> = { allow: ['allow'], confirm: ['confirm', 'deny'], deny: ['deny'] };

function judged(expected: Effect, got: CaseResult['got'], accept: readonly Effect[] = DEFAULTS[expected]): Judged {
  const one: PolicyCase = {
    ...{ id: `${expected}-${got}`, place: 'x.jsonl:1', file: 'x.jsonl', tool: 't', policy: null, call: {} },
    ...{ expect: expected, accept, why: 'so', family: 'f', fixture: null, connectOnlyTo: null, before: null },
    ...{ dns: new Map(), dnsSequence: new Map(), redirects: new Map() },
  };
  return [one, { got, rule: 'tools.t', reason: 'because' }];
}

describe('scoreOf', () => {
  it.each<[Effect, CaseResult['got'], readonly Effect[] | undefined, 'correct' | 'missed' | 'wrong']>([
    ['allow', 'allow', undefined, 'correct'],
    ['allow', 'confirm', undefined, 'wrong'],
    ['allow', 'deny', undefined, 'wrong'],
    ['allow', 'confirm', ['allow', 'confirm'], 'correct'],
    ['confirm', 'allow', undefined, 'missed'],
    ['confirm', 'deny', undefined, 'correct'],
    ['confirm', 'deny', ['confirm'], 'wrong'],
    ['deny', 'allow', undefined, 'missed'],
    ['deny', 'confirm', undefined, 'missed'],
    ['deny', 'confirm', ['deny', 'confirm'], 'correct'],
    ['deny', 'allow', ['deny', 'confirm'], 'missed'],
    ['deny', 'error', undefined, 'missed'],
    ['allow', 'error', undefined, 'wrong'],
  ])('expected %s, got %s, accepted %j: %s', (expected, got, accept, as) => {
    const { correct, missedDenials, wrongDenials } = scoreOf([judged(expected, got, accept)]);
    expect({ correct, missedDenials, wrongDenials }).toEqual({
      ...{ correct: as === 'correct' ? 1 : 0, missedDenials: as === 'missed' ? 1 : 0 },
      wrongDenials: as === 'wrong' ? 1 : 0,
    });
  });

  it('has exactly the published form', () => {
    expect(scoreOf([judged('deny', 'allow'), judged('allow', 'allow')])).toEqual({
      ...{ total: 2, correct: 1, missedDenials: 1, wrongDenials: 0 },
      byFamily: { f: { total: 2, missedDenials: 1, wrongDenials: 0 } },
      wrong: [{ id: 'deny-allow', expected: 'deny', got: 'allow', rule: 'tools.t' }],
    });
  });

  it('is shown with the reasons of what is wrong', () => {
    const list = [judged('deny', 'allow')];
    const text = renderScore(scoreOf(list), list);
    expect(text).toContain('deny-allow: expected deny, got allow by tools.t');
    expect(text).toContain('expected because: so');
    expect(text).toContain('0 of 1 as expected; 1 missed denials, 0 wrong denials');
  });
});
