import { dirname } from 'node:path';
import { isSallyportError, type JsonValue, SallyportError } from '../core/index.ts';
import { explainCall, type Tool } from '../gate/index.ts';
import { type CompiledPolicy, compilePolicy, type Policy, pathUses } from '../policy/index.ts';
import { argumentsOf, inFolder } from './case-arguments.ts';
import { type Before, type PolicyCase, readBase } from './case-file.ts';
import { type BuiltFixture, type FixtureBuilder, openFixtures } from './case-fixture.ts';
import { networkOf } from './case-network.ts';
import type { CaseResult } from './case-score.ts';

/** Runs cases; `close` takes the temporary files away. */
export interface CaseRunner {
  /** Decides the call of a case under a policy. Nothing is executed or recorded, and no socket is opened to anywhere. */
  run(one: PolicyCase, policy: Policy): Promise<CaseResult>;
  close(): void;
}

/** The clock of every case. */
const NOW = Date.UTC(2026, 0, 1);

export function openCaseRunner(tools: readonly Tool[]): CaseRunner {
  const fixtures = openFixtures();
  const findFixture = fixtureFinder(fixtures);
  const declared = declarationsOf(tools.map(({ name }) => name));
  return {
    run: async (one, policy) => {
      try {
        const fixture = await findFixture(one);
        return await runCase(one, { policy, tools, fixture, state: fixtures.state, declared: declared(policy) });
      } catch (error) {
        if (!isSallyportError(error)) throw error;
        return { got: 'error', rule: `builtin.${error.code}`, reason: error.message };
      }
    },
    close: fixtures.remove,
  };
}

/** What policies declare about arguments (`as:`), each compiled once; paths do not matter for that, so the root does not. */
function declarationsOf(tools: readonly string[]): (policy: Policy) => CompiledPolicy {
  const known = new Map<Policy, CompiledPolicy>();
  return (policy) => {
    const compiled = known.get(policy) ?? compilePolicy(policy, { root: '/', tools });
    known.set(policy, compiled);
    return compiled;
  };
}

/** A fixture of its own for a case that describes one, once for all policies; the others share one for each folder of cases. */
function fixtureFinder(fixtures: FixtureBuilder): (one: PolicyCase) => Promise<BuiltFixture> {
  const made = new Map<PolicyCase | string, Promise<BuiltFixture>>();
  return (one) => {
    const key = one.fixture === null ? dirname(one.file) : one;
    const built = made.get(key) ?? fixtures.build(one.fixture ?? { base: true }, readBase(one.file));
    made.set(key, built);
    return built;
  };
}

interface Surroundings {
  readonly policy: Policy;
  readonly tools: readonly Tool[];
  readonly state: string;
  readonly fixture: BuiltFixture;
  /** What the policy declares about arguments. */
  readonly declared: CompiledPolicy;
}

async function runCase(one: PolicyCase, surroundings: Surroundings): Promise<CaseResult> {
  const { policy, tools, state, fixture } = surroundings;
  const read = readArguments(one, surroundings);
  if ('got' in read) return read;
  const network = networkOf(one);
  const { decision } = await explainCall(
    { policy, tools, state, root: fixture.root },
    { tool: one.tool, args: read.args, user: 'case', agent: 'case' },
    { resolve: network.resolve, answers: network.answers, now: NOW, history: historyOf(one.before) },
  );
  const result: CaseResult = { got: decision.effect, rule: decision.rule.id, reason: decision.reason };
  return result.got === 'allow' ? onlyTo(one, network.seen(), result) : result;
}

/** Raw text that cannot be read is a denial by itself. */
function readArguments(
  one: PolicyCase,
  { declared, tools, fixture }: Surroundings,
): { readonly args: JsonValue } | CaseResult {
  try {
    const args = argumentsOf(one, fixture.fill);
    const own = Object.keys(tools.find(({ name }) => name === one.tool)?.paths ?? {});
    const paths = [...own, ...Object.keys(pathUses(declared, one.tool))];
    return { args: inFolder(args, fixture.cwd, { tool: one.tool, paths }) };
  } catch (error) {
    if (!(error instanceof SallyportError) || error.code === 'CASES_INVALID') throw error;
    return { got: 'deny', rule: `builtin.${error.code}`, reason: error.message };
  }
}

/** When the calls before this one were made: evenly over their seconds, in milliseconds, oldest first. */
function historyOf(before: Before | null): readonly number[] {
  if (before === null) return [];
  const { sameCalls, withinSeconds, thenWaitSeconds } = before;
  const begin = NOW - (thenWaitSeconds + withinSeconds) * 1000;
  const step = sameCalls > 1 ? (withinSeconds * 1000) / (sameCalls - 1) : 0;
  return Array.from({ length: sameCalls }, (_, index) => Math.round(begin + index * step));
}

/** A connection goes to any address that was judged: one that the case forbids among them is not what it allows. */
function onlyTo({ connectOnlyTo }: PolicyCase, seen: readonly string[], answer: CaseResult): CaseResult {
  const other = connectOnlyTo === null ? undefined : seen.find((address) => !connectOnlyTo.includes(address));
  if (other === undefined) return answer;
  return { got: 'error', rule: 'builtin.CASES_INVALID', reason: `it could connect to ${other}` };
}
