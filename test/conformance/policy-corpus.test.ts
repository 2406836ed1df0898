import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { scoreOf } from '../../src/cli/case-score.ts';
import { judgeCases } from '../../src/cli/policy-test.ts';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const corpus = (path: string): string => at(`test/cases/policy-corpus/${path}`);

/** Room for a machine that is busy. */
const TIMEOUT_MS = 120_000;

describe('the shared corpus, by the runner of sallyport policy test', () => {
  it.each([
    ['shell', 426],
    ['paths', 107],
    ['endpoints', 123],
    ['args', 60],
  ])(
    '%s: all %i as expected',
    async (name, total) => {
      const cases = [corpus(`${name}.jsonl`)];
      const judged = await judgeCases({ policies: corpus('policies'), tools: corpus('tools.json'), cases });
      const score = scoreOf(judged);
      expect(score.wrong).toEqual([]);
      expect(score).toMatchObject({ total, correct: total, missedDenials: 0, wrongDenials: 0 });
    },
    TIMEOUT_MS,
  );
});

it(
  'commands that a review got past an earlier version, and their everyday neighbours',
  async () => {
    const cases = [at('test/cases/shell-regressions.jsonl')];
    const judged = await judgeCases({ policies: corpus('policies'), tools: corpus('tools.json'), cases });
    expect(scoreOf(judged).wrong).toEqual([]);
    expect(judged.length).toBeGreaterThan(20);
  },
  TIMEOUT_MS,
);

describe('the ready-made policies, by their own cases', () => {
  it.each(['coding-agent', 'read-only-analyst', 'support-agent', 'ci-agent'])(
    'policies/%s.yaml',
    async (name) => {
      const judged = await judgeCases({
        ...{ policies: at(`policies/${name}.yaml`), tools: at('policies/cases/tools.json') },
        cases: [at(`policies/cases/${name}.jsonl`)],
      });
      expect(scoreOf(judged).wrong).toEqual([]);
      const allowed = judged.filter(([{ expect: label }]) => label === 'allow');
      expect(judged.length).toBeGreaterThanOrEqual(25);
      expect(allowed.length * 3).toBeGreaterThanOrEqual(judged.length);
      expect(judged.filter(([{ family }]) => family === 'no-family')).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
