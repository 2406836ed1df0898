import fc from 'fast-check';
import { expect, test } from 'vitest';
import { suggestRule } from '../../src/approvals/index.ts';
import type { JsonObject } from '../../src/core/index.ts';
import { compilePolicy, decide, parsePolicy } from '../../src/policy/index.ts';
import { bindingOf } from '../support/approvals.ts';
import { callFacts, ROOT } from '../support/policy-facts.ts';

/** What the policy says of a call of `pay`, once the suggested rule stands in it. */
function effectOf(yaml: string, args: JsonObject): string {
  const text = `version: 1\ndefaults: { isolation: none }\n${yaml}`;
  const policy = parsePolicy(text, { file: `${ROOT}/sallyport.yaml` });
  const compiled = compilePolicy(policy, { tools: ['pay'], root: ROOT });
  return decide(compiled, callFacts('pay', { arguments: args, runs: 'in-process' })).effect;
}

test('[T5] a suggested rule lets exactly these values pass, whatever stands in them', () => {
  const value = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.boolean(), fc.string({ maxLength: 12 }));
  const name = fc.constantFrom('amount', 'to', 'true', 'on', 'null');
  const args = fc.dictionary(name, value, { minKeys: 1, maxKeys: 3, noNullPrototype: true });
  fc.assert(
    fc.property(args, value, (seen, other) => {
      const suggestion = suggestRule(bindingOf({ arguments: seen }));
      if (suggestion === null) return;
      expect(effectOf(suggestion.yaml, seen)).toBe('allow');
      for (const [key, was] of Object.entries(seen)) {
        if (was !== other) expect(effectOf(suggestion.yaml, { ...seen, [key]: other })).toBe('confirm');
        const { [key]: _gone, ...rest } = seen;
        expect(effectOf(suggestion.yaml, rest)).toBe('confirm');
      }
      expect(effectOf(suggestion.yaml, { ...seen, more: other })).toBe('deny');
    }),
    { numRuns: 300 },
  );
});
