import type { IsolationLevel } from '../core/index.ts';
import { readActionName } from './actions.ts';
import type { CompiledPolicy } from './compiled.ts';
import type { Obligations } from './decision.ts';
import { actionObligations } from './judge-action.ts';
import { stricterObligations } from './meet.ts';
import { serverOf } from './tool-names.ts';

/**
 * The levels that every policy that counts accepts for what a tool, or an action of a server, spawns, best first; empty where
 * there is none. A tool of a server runs where its server does.
 */
export function acceptedLevels(compiled: CompiledPolicy, tool: string): readonly IsolationLevel[] {
  return obligationsFor(compiled, tool)?.isolation ?? [];
}

function obligationsFor(compiled: CompiledPolicy, tool: string): Obligations | null {
  const own = ownObligations(compiled, tool);
  if (own === null || compiled.also === undefined) return own;
  const other = obligationsFor(compiled.also, tool);
  return other === null ? null : stricterObligations(own, other);
}

function ownObligations({ policy, tools }: CompiledPolicy, tool: string): Obligations | null {
  const server = readActionName(tool)?.server ?? serverOf(tool);
  if (server !== null && policy.servers.has(server)) return actionObligations(policy, { server, method: '' }, tool);
  return tools.get(tool)?.obligations ?? null;
}
