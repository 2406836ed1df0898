import { canonicalCopy, copyJsonObject, type JsonObject, SallyportError, sha256Hex } from '../core/index.ts';
import type { GrantUse } from '../keeper/index.ts';
import { approversOf, type CallFacts, secretsOfTool } from '../policy/index.ts';
import { boundFacts } from './bound-facts.ts';
import type { House } from './house.ts';
import type { Judgement } from './judge.ts';
import type { Tool } from './tool.ts';

type Binding = GrantUse['binding'];

/**
 * Everything that a yes to a call covers, from the facts as they were judged. INVARIANT: what is executed derives from these
 * facts, so a yes to anything else opens nothing.
 */
export async function bindingOf(house: House, judgement: Judgement): Promise<Binding> {
  const { parsed, facts, decision } = judgement;
  const { tenant, user, agent } = facts.principal;
  const tool = parsed.registered?.tool;
  return {
    principal: { tenant, user, agent, chain: [] },
    tool: parsed.name,
    server: tool?.server ?? null,
    arguments: facts.arguments,
    facts: await boundFacts(house, judgement),
    definition: tool === undefined ? null : definitionDigest(tool),
    obligations: obligationsOf(house, judgement),
    secrets: secretsOfTool(house.compiled(), parsed.name),
    destination: destinationOf(facts, tool),
    policy: house.policy.digest,
    why: { rule: decision.rule.id, code: decision.effect === 'allow' ? '' : decision.code, reason: decision.reason },
    approvers: askedOf(house, parsed.name),
  };
}

/** INVARIANT: where no operator could be enough, nobody is asked. @throws SallyportError POLICY_CHANGED */
function askedOf({ compiled }: House, tool: string): Binding['approvers'] {
  const approvers = approversOf(compiled(), tool);
  if (approvers !== null) return approvers;
  throw new SallyportError('POLICY_CHANGED', 'the rules that count here name approvers without a common group');
}

/** SHA-256 of what a tool says about itself; null for our own, which come with the package. */
function definitionDigest(tool: Tool): string | null {
  const { name, title, description, schema, outputSchema, paths, runs = 'in-process', effect, server } = tool;
  if (runs === 'built-in' || (runs === 'spawned' && server === undefined)) return null;
  const said = { name, title, description, schema, outputSchema, paths, runs, effect, server };
  return sha256Hex(canonicalCopy(Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))));
}

/** What holds while it runs: where, how long, how much; and the policy that counts besides, until another one is approved. */
function obligationsOf({ approved }: House, { decision, facts }: Judgement): JsonObject {
  const { isolation, timeoutMs, maxLength, onInjection, boundary, outputSchemas, audit } = decision.obligations;
  return copyJsonObject({
    ...{ isolation, timeoutMs, maxLength, onInjection, boundary, audit },
    ...(outputSchemas.length === 0 ? {} : { outputSchemas }),
    ...(facts.isolation === undefined ? {} : { achieved: facts.isolation.achieved, terms: facts.isolation.terms }),
    ...(approved === null ? {} : { approvedPolicy: approved.digest }),
  });
}

function destinationOf({ requests = {} }: CallFacts, tool: Tool | undefined): readonly string[] {
  const hosts = Object.values(requests).flatMap(({ url }) => ('trouble' in url ? [] : [url.host]));
  return [...new Set([...hosts, ...(tool?.server === undefined ? [] : [`mcp:${tool.server}`])])].sort();
}
