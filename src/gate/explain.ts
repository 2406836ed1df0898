import { homedir } from 'node:os';
import { DEFAULT_LIMITS, type Principal, systemClock } from '../core/index.ts';
import { compilePolicy, type Explanation, explain } from '../policy/index.ts';
import { watchControlFiles } from './control-files.ts';
import { explainHops, type RedirectAnswer } from './explain-hops.ts';
import { readFacts } from './facts.ts';
import { systemResolve } from './fetch-dial.ts';
import type { Resolve } from './fetch-types.ts';
import { loadPolicy } from './load-policy.ts';
import type { GateOptions } from './options.ts';
import { parseCall } from './parse.ts';
import { Registry } from './registry.ts';

/** A call that is only asked about. */
export interface AskedCall {
  readonly tool: string;
  readonly args: unknown;
  readonly user: string;
  readonly agent: string;
}

/** What the world is taken to be while a call is asked about. */
export interface AskedWorld {
  /** Looks up the names that the policy allows; the system's resolver if absent. */
  readonly resolve?: Resolve;
  /** When the call is made, in milliseconds; now if absent. */
  readonly now?: number;
  /** When the same principal's calls of the same tool were admitted, on the clock of `now`; none if absent. */
  readonly history?: readonly number[];
  /** What an address answers to a request: redirects are judged hop by hop. No answer, or without this: the end. */
  readonly answers?: (url: string) => RedirectAnswer | null;
}

/**
 * The whole derivation of a decision, without a keeper, a record or an effect: steps 2 to 4 of a call.
 *
 * @throws SallyportError POLICY_UNREADABLE, POLICY_INVALID, and the code of arguments that cannot be read
 */
export async function explainCall(
  options: Pick<GateOptions, 'policy' | 'root' | 'tools'> & { readonly state: string },
  call: AskedCall,
  world: AskedWorld = {},
): Promise<Explanation> {
  const { policy, policyFile, root } = await loadPolicy(options);
  const registry = new Registry();
  for (const tool of options.tools ?? []) registry.add(tool);
  const compiled = compilePolicy(policy, { root, tools: registry.names() });
  const control = watchControlFiles({ root, home: homedir(), policyFile, stateFolders: [options.state] });
  const resolve = world.resolve ?? systemResolve;
  const reader = { registry, root, control, limits: DEFAULT_LIMITS, resolve, compiled: () => compiled };
  const principal: Principal = {
    tenant: 'local',
    user: call.user,
    agent: call.agent,
    session: 'explain',
    proof: 'local',
  };
  const parsed = parseCall(reader, call);
  const read = await readFacts(reader, { principal, parsed, uncertain: false });
  const now = world.now ?? systemClock.now();
  const facts = Object.freeze({ ...read, now, history: world.history ?? [] });
  const explanation = explain(compiled, facts, parsed.trouble);
  return world.answers === undefined
    ? explanation
    : await explainHops(explanation, { compiled, facts, resolve, answers: world.answers });
}
