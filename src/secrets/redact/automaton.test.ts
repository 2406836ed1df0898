import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileAutomaton } from './automaton.ts';

/** What the automaton promises, said naively: at each end, the longest needle that ends there. */
function naive(needles: readonly string[], text: string): string[] {
  const found: string[] = [];
  for (let end = 1; end <= text.length; end++) {
    const longest = needles
      .filter((needle) => text.slice(0, end).endsWith(needle))
      .sort((a, b) => b.length - a.length)[0];
    if (longest !== undefined) found.push(`${end}:${longest}`);
  }
  return found;
}

function matches(needles: readonly string[], chunks: readonly string[]): string[] {
  const automaton = compileAutomaton(needles);
  const found: string[] = [];
  let state = 0;
  let before = 0;
  for (const chunk of chunks) {
    state = automaton.scan(chunk, state, (end, needle) => found.push(`${before + end}:${automaton.needles[needle]}`));
    before += chunk.length;
  }
  return found;
}

const unit = fc.constantFrom('a', 'b', 'c', 'é', '語', '\u0000', '\uffff', '\ud83d');
const word = (minLength: number, maxLength: number) => fc.string({ unit, minLength, maxLength });

test('compileAutomaton: finds at each end the longest needle, as a naive search does', () => {
  fc.assert(
    fc.property(fc.uniqueArray(word(2, 6), { minLength: 1, maxLength: 30 }), word(0, 60), (needles, text) => {
      expect(matches(needles, [text])).toEqual(naive(needles, text));
    }),
    { numRuns: 2_000 },
  );
});

test('scan: the state that it gives back carries a needle over any border of chunks', () => {
  fc.assert(
    fc.property(fc.uniqueArray(word(2, 6), { minLength: 1 }), fc.array(word(0, 9)), (needles, chunks) => {
      expect(matches(needles, chunks)).toEqual(matches(needles, [chunks.join('')]));
    }),
    { numRuns: 1_000 },
  );
});

test('depthAt: says how much of the text could still become part of a needle', () => {
  const automaton = compileAutomaton(['abcdef', 'cdxy']);
  const state = automaton.scan('--abcd', 0, () => expect.unreachable());
  expect(automaton.depthAt(state)).toBe(4);
  expect(automaton.depthAt(automaton.scan('x', state, () => expect.unreachable()))).toBe(3);
});

test('compileAutomaton: keeps to 16 bytes a state and a fixed table', () => {
  const needles = Array.from({ length: 1_000 }, (_, at) => `${at}-${'x'.repeat(50)}-${at}`);
  expect(compileAutomaton(needles).bytes).toBeLessThan(1_000 * 60 * 16 + 100_000);
});
