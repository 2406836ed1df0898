import { type Principal, quoteForMessage } from '../core/index.ts';
import { type CallFacts, type CompiledPolicy, type Decision, decide, mayBeAllowed } from '../policy/index.ts';
import type { CallRequest } from './call.ts';
import { denyBuiltIn } from './deny.ts';
import type { House } from './house.ts';
import { judgePlace } from './isolation-facts.ts';
import type { ParsedCall } from './parse.ts';

/** What was decided, and from what. */
export interface Judgement {
  readonly parsed: ParsedCall;
  readonly facts: CallFacts;
  readonly decision: Decision;
  /** What enforcing the policy would have said, where `mode: observe` let the call pass. */
  readonly observed?: Exclude<Decision, { readonly effect: 'allow' }>;
}

/** Step 4. Pure: the same facts under the same policy give the same decision. */
export function judge(
  house: House,
  request: CallRequest,
  facts: CallFacts,
  decideBy: (compiled: CompiledPolicy, facts: CallFacts) => Decision = decide,
): Judgement {
  const { parsed } = request;
  const compiled = house.compiled();
  if (parsed.trouble !== null && mayBeAllowed(compiled, parsed.name, request.principal)) {
    return { parsed, facts, decision: denyBuiltIn(parsed.trouble.code, parsed.trouble.reason) };
  }
  const decision = decideBy(compiled, facts);
  if (parsed.registered === null) {
    return { parsed, facts, decision: missingTool(house, request.principal, parsed.name, decision) };
  }
  const open = withheldServer(house, parsed.registered.tool.server, decision);
  const misplaced = open.effect === 'allow' ? judgePlace(house, facts, open.obligations.isolation) : null;
  return { parsed, facts, decision: misplaced ?? open };
}

/** The policy in force does not have the server of the tool, whatever its rules still say of the tool. */
function withheldServer({ withheld, approved }: House, server: string | undefined, decision: Decision): Decision {
  if (server === undefined || !withheld.has(server) || decision.effect === 'deny') return decision;
  const waits = approved === null ? '' : ', or it waits for approval: sallyport policy approve';
  return denyBuiltIn(
    'SERVER_UNKNOWN',
    `the policy does not have the server ${quoteForMessage(server)} any more${waits}`,
  );
}

/**
 * A tool that is not registered is denied in any case. Why it is missing is told only to whom some rule could allow it: the
 * state of a server is nobody else's business.
 */
function missingTool(house: House, principal: Principal, name: string, decision: Decision): Decision {
  if (!mayBeAllowed(house.compileFor([name]), name, principal)) return decision;
  const missing = house.missing(name);
  if (missing !== null) return denyBuiltIn(missing.code, missing.reason);
  if (decision.effect === 'deny') return decision;
  return denyBuiltIn('TOOL_UNKNOWN', `a rule allows ${quoteForMessage(name)}, but there is no such tool`);
}
