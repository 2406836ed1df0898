import { homedir } from 'node:os';
import { DEFAULT_LIMITS, type Principal } from '../core/index.ts';
import { compilePolicy, type Explanation, explain } from '../policy/index.ts';
import { watchControlFiles } from './control-files.ts';
import { readPaths } from './facts.ts';
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

/**
 * The whole derivation of a decision, without a keeper, a record or an effect: steps 2 to 4 of a call.
 *
 * @throws SallyportError POLICY_UNREADABLE, POLICY_INVALID, and the code of arguments that cannot be read
 */
export async function explainCall(
  options: Pick<GateOptions, 'policy' | 'root' | 'tools'> & { readonly state: string },
  call: AskedCall,
): Promise<Explanation> {
  const { policy, policyFile, root } = await loadPolicy(options);
  const registry = new Registry();
  for (const tool of options.tools ?? []) registry.add(tool);
  const compiled = compilePolicy(policy, { root, tools: registry.names() });
  const control = watchControlFiles({ root, home: homedir(), policyFile, stateFolders: [options.state] });
  const reader = { registry, root, control, limits: DEFAULT_LIMITS, compiled: () => compiled };
  const principal: Principal = {
    tenant: 'local',
    user: call.user,
    agent: call.agent,
    session: 'explain',
    proof: 'local',
  };
  const parsed = parseCall(reader, call);
  const facts = {
    ...{ tool: parsed.name, arguments: parsed.arguments, principal, uncertain: false },
    paths: readPaths(reader, parsed),
    runs: parsed.registered?.tool.runs ?? ('in-process' as const),
  };
  return explain(compiled, facts, parsed.trouble);
}
