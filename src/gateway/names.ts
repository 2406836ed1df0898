import { sha256Hex } from '../core/index.ts';

/** Longest tool name that MCP clients accept from a server. */
const CLIENT_NAME_LENGTH = 64;
/** Longest tool name in a policy and in a record. */
const POLICY_NAME_LENGTH = 128;
const POLICY_PREFIX = 'mcp__';

/**
 * The name of an MCP tool in policies and records: `mcp__SERVER__TOOL`. What a name may not hold becomes `_`, and then, or
 * when it is too long, 8 digits of a hash of the original end the name, so that two tools never share one by accident.
 * ATTACKER-CONTROLLED: `tool` is whatever the server wrote.
 */
export function policyToolName(server: string, tool: string): string {
  const plain = tool.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  const name = `${POLICY_PREFIX}${server}__${plain}`;
  if (plain === tool && name.length <= POLICY_NAME_LENGTH) return name;
  return cutWithHash(name, tool, POLICY_NAME_LENGTH);
}

/** The name that the gateway's clients see: `SERVER__TOOL` for MCP tools, built-in tools as they are; at most 64 characters. */
export function clientToolName(policyName: string): string {
  const name = policyName.startsWith(POLICY_PREFIX) ? policyName.slice(POLICY_PREFIX.length) : policyName;
  return name.length <= CLIENT_NAME_LENGTH ? name : cutWithHash(name, policyName, CLIENT_NAME_LENGTH);
}

/**
 * The policy name that a client means by a name that is not listed: what it asks for is then denied by that name, with
 * the reason of the policy. ATTACKER-CONTROLLED: `name`.
 */
export function policyNameOfUnlisted(name: string): string {
  const policyName = name.includes('__') && !name.startsWith(POLICY_PREFIX) ? `${POLICY_PREFIX}${name}` : name;
  // A name beyond the limit is no tool's name; the mark keeps its beginning from being read as one.
  return policyName.length <= POLICY_NAME_LENGTH ? policyName : `${policyName.slice(0, POLICY_NAME_LENGTH - 1)}…`;
}

/** A name without what a reader passes over: letter case, what joins words, and digits that look like letters. */
export const foldedName = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '')
    .replaceAll('0', 'o')
    .replaceAll(/[1i]/g, 'l');

function cutWithHash(name: string, original: string, length: number): string {
  const hash = sha256Hex(original).slice(0, 8);
  return `${name.slice(0, length - 9)}_${hash}`;
}

/**
 * Names by which a set of tools is offered. Two tools whose names a reader could confuse (letter case does not count) are
 * both left out and come back in `collisions`.
 */
export function exposeTools<T>(
  tools: readonly T[],
  nameOf: (tool: T) => string,
): { readonly exposed: ReadonlyMap<string, T>; readonly collisions: readonly T[] } {
  const byFolded = new Map<string, T[]>();
  for (const tool of tools) {
    const folded = nameOf(tool).toLowerCase();
    byFolded.set(folded, [...(byFolded.get(folded) ?? []), tool]);
  }
  const groups = [...byFolded.values()];
  const single = groups.filter((group) => group.length === 1).flat();
  return {
    exposed: new Map(single.map((tool) => [nameOf(tool), tool])),
    collisions: groups.filter((group) => group.length > 1).flat(),
  };
}
