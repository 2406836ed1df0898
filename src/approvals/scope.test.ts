import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bindingOf } from '../../test/support/approvals.ts';
import type { JsonObject } from '../core/index.ts';
import { grantAsJson } from './grant.ts';
import {
  APPROVAL_LIMITS,
  type Binding,
  covers,
  type Grant,
  makeGrant,
  type Scope,
  signGrant,
  stateScope,
  verifyGrant,
} from './index.ts';

const NOW = 1_000_000;
const UNTIL = NOW + 3_600_000;
const name = fc.constantFrom('a', 'b', 'c', 'd');
const value = fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constantFrom('x', 'y', ''), fc.boolean(), fc.constant(null));
const args: fc.Arbitrary<JsonObject> = fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true });
const scope: fc.Arbitrary<Scope> = fc.oneof(
  fc.constant<Scope>({ kind: 'once' }),
  fc.record({ kind: fc.constant('session' as const), free: fc.uniqueArray(name), until: fc.constant(UNTIL) }),
  fc.record({ kind: fc.constant('until' as const), free: fc.uniqueArray(name), until: fc.constant(UNTIL) }),
  fc.record({
    ...{ kind: fc.constant('times' as const), free: fc.uniqueArray(name), until: fc.constant(UNTIL) },
    times: fc.integer({ min: 2, max: 5 }),
  }),
);
const grantOf = (binding: Binding, chosen: Scope, session = 's'): Grant =>
  makeGrant({ id: 'g', request: 'r', generation: 'n', session, scope: chosen, by: [] }, binding, NOW);

test('[T5] a scope opens the calls with the same values and no others, but for the arguments that it names', () => {
  fc.assert(
    fc.property(args, args, scope, (seen, called, chosen) => {
      const grant = grantOf(bindingOf({ arguments: seen }), chosen);
      const call = { binding: bindingOf({ arguments: called }), session: 's', used: 0 };
      const free = chosen.kind === 'once' ? [] : chosen.free;
      const bound = (all: JsonObject): string =>
        JSON.stringify(
          Object.entries(all)
            .filter(([key]) => !free.includes(key))
            .sort(),
        );
      expect(covers(grant, call, NOW + 1) === null).toBe(bound(seen) === bound(called));
    }),
    { numRuns: 2_000 },
  );
});

test('[T5] a scope has its time, its uses and its session', () => {
  fc.assert(
    fc.property(
      scope,
      fc.integer({ min: 0, max: 8 }),
      fc.integer({ min: -10, max: 4_000_000 }),
      (chosen, used, later) => {
        const grant = grantOf(bindingOf(), chosen);
        const end = chosen.kind === 'once' ? NOW + APPROVAL_LIMITS.onceMs : UNTIL;
        const uses = chosen.kind === 'once' ? 1 : chosen.kind === 'times' ? chosen.times : Number.POSITIVE_INFINITY;
        const isOpen = later >= 0 && NOW + later < end && used < uses;
        expect(covers(grant, { binding: bindingOf(), session: 's', used }, NOW + later) === null).toBe(isOpen);
        const elsewhere = covers(grant, { binding: bindingOf(), session: 'other', used }, NOW + later);
        expect(elsewhere === null).toBe(isOpen && chosen.kind !== 'session');
      },
    ),
    { numRuns: 2_000 },
  );
});

test('a grant is what was signed: any field that changes voids it', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const signed = signGrant(grantOf(bindingOf(), { kind: 'once' }), privateKey);
  const json = grantAsJson(signed);
  expect(verifyGrant(json, publicKey)).toEqual(signed);
  const grant = json['grant'] as JsonObject;
  for (const field of Object.keys(grant)) {
    const other =
      typeof grant[field] === 'number' ? 7 : typeof grant[field] === 'string' ? 'other' : { kind: 'once', x: 1 };
    const changed = { ...json, grant: { ...grant, [field]: other } };
    expect(() => verifyGrant(changed, publicKey), field).toThrow(expect.objectContaining({ code: 'GRANT_VOID' }));
  }
});

test('each scope says in one sentence what it opens, with names that cannot be read as something else', () => {
  const binding = bindingOf({ tool: 'pay\u202e', arguments: { amount: 1 } });
  const sentences = (
    [
      { kind: 'once' },
      { kind: 'session', free: [], until: 0 },
      { kind: 'times', free: ['amount'], times: 3, until: 0 },
      { kind: 'until', free: ['a\u001b[31m'], until: 0 },
    ] as const
  ).map((chosen) => stateScope(chosen, binding));
  expect(sentences).toEqual([
    'Runs this call once, exactly as shown; the yes ends after 10 minutes.',
    '"a" for "ann" may call "pay\\u{202e}" with the values shown, under this policy and definition, without limit in the session that asks, until 1970-01-01T00:00:00.000Z.',
    '"a" for "ann" may call "pay\\u{202e}" with ANY value of "amount" and the other values as shown, under this policy and definition, 3 times in all, from any session, until 1970-01-01T00:00:00.000Z.',
    '"a" for "ann" may call "pay\\u{202e}" with ANY value of "a\\u{1b}[31m" and the other values as shown, under this policy and definition, without limit and from any session, until 1970-01-01T00:00:00.000Z.',
  ]);
});
