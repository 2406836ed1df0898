import { quoteForMessage } from '../core/index.ts';
import { readActionName, type ServerAction } from './actions.ts';
import type { CompiledPolicy, CompiledTool } from './compiled.ts';
import type { Decision, Obligations } from './decision.ts';
import type { CallFacts } from './facts.ts';
import { confirm, deny, type Finding, listSome, stronger, type Trace, traced } from './finding.ts';
import { findIsolation } from './isolation.ts';
import { actionObligations, judgeAction } from './judge-action.ts';
import { judgeArguments } from './judge-arguments.ts';
import { judgeConfirmation, judgeCost, judgeRate, judgeSecrets } from './judge-call.ts';
import { judgeCommand } from './judge-command.ts';
import { judgePath } from './judge-path.ts';
import { judgeRequests } from './judge-requests.ts';
import { judgePrincipal, usableTools } from './principals.ts';

const NO_OBLIGATIONS: Obligations = Object.freeze({
  isolation: Object.freeze([]),
  timeoutMs: 0,
  maxLength: null,
  onInjection: 'quarantine',
  boundary: false,
  outputSchemas: Object.freeze([]),
  audit: false,
  limits: Object.freeze([]),
  breakers: Object.freeze([]),
});

type Judge = (tool: CompiledTool, facts: CallFacts, compiled: CompiledPolicy, trace: Trace) => Finding | null;

/** What is judged once there is a rule, in this order; the first denial is the one that is told. */
const JUDGES: readonly Judge[] = [
  judgeIsolation,
  (tool, facts, _compiled, trace) => judgeArguments(tool, facts, trace),
  judgeSecrets,
  judgePaths,
  judgeCommand,
  judgeRequests,
  judgeConfirmation,
  judgeRepetition,
  judgeCost,
  judgeRate,
];

/**
 * The one derivation behind `decide` and `explain`. Deny beats confirm beats allow; no rule: deny.
 * INVARIANT: with a trace it looks further, but decides the same.
 */
export function judge(compiled: CompiledPolicy, facts: CallFacts, trace: Trace): Decision {
  const caller = judgePrincipal(compiled, facts.principal, facts.tool, trace);
  if (caller !== null && trace === null) return refuse(caller, NO_OBLIGATIONS);
  const action = readActionName(facts.tool);
  if (action !== null) return judgeServerAction(compiled, facts, action, caller, trace);
  const tool = compiled.tools.get(facts.tool);
  if (tool === undefined) return refuse(caller ?? refuseTool(compiled, facts, trace), NO_OBLIGATIONS);
  trace?.push({
    check: 'tool',
    subject: quoteForMessage(facts.tool),
    effect: 'allow',
    rule: tool.rule.rule,
    detail: `judged by ${tool.rule.rule.id}`,
  });
  let found = caller;
  for (const step of JUDGES) {
    found = stronger(found, step(tool, facts, compiled, trace));
    if (found?.effect === 'deny' && trace === null) break;
  }
  if (found !== null) return refuse(found, tool.obligations);
  return Object.freeze({
    effect: 'allow',
    rule: tool.rule.rule,
    reason: tool.allowReason,
    obligations: tool.obligations,
  });
}

/** An action of a server other than a tool: judged by what the policy opens of that server. */
function judgeServerAction(
  compiled: CompiledPolicy,
  facts: CallFacts,
  action: ServerAction,
  caller: Finding | null,
  trace: Trace,
): Decision {
  const judged = judgeAction(compiled, facts, action, trace);
  const obligations = actionObligations(compiled.policy, action, facts.tool);
  if (caller !== null) return refuse(caller, obligations);
  if (!('id' in judged)) return refuse(judged, obligations);
  return Object.freeze({ effect: 'allow', rule: judged, reason: `allowed by ${judged.id}`, obligations });
}

const refuse = (finding: Finding, obligations: Obligations): Decision => Object.freeze({ ...finding, obligations });

function refuseTool(compiled: CompiledPolicy, facts: CallFacts, trace: Trace): Finding {
  const subject = quoteForMessage(facts.tool);
  const usable = usableTools(compiled, facts.principal);
  const instead = usable.length === 0 ? 'No tool is allowed' : `Tools you may use: ${listSome(usable)}`;
  const finding = deny('TOOL_NOT_ALLOWED', `no rule allows the tool ${subject}`, { instead });
  traced(trace, 'tool', subject, finding, '');
  return finding;
}

/** Our own code spawns nothing; for everything else the policy says where it runs. */
function judgeIsolation(tool: CompiledTool, facts: CallFacts, _compiled: CompiledPolicy, trace: Trace): Finding | null {
  const levels = tool.obligations.isolation;
  if (facts.runs === 'built-in' && trace === null) return null;
  const finding = findIsolation(facts, levels);
  return traced(trace, 'isolation', facts.runs, finding, `runs in ${levels.join(' or ') || 'this process'}`);
}

/** Paths of a command line are judged with it. */
const COMMAND_PATHS = 'command:';

function judgePaths(tool: CompiledTool, facts: CallFacts, compiled: CompiledPolicy, trace: Trace): Finding | null {
  let found: Finding | null = null;
  let count = 0;
  for (const pointer of Object.keys(facts.paths)) {
    const path = facts.paths[pointer];
    if (path === undefined || (tool.commands !== null && pointer.startsWith(COMMAND_PATHS))) continue;
    count += 1;
    found = stronger(found, judgePath(tool.paths[path.use], path.reading, compiled.root, trace));
    if (found?.effect === 'deny' && trace === null) return found;
  }
  return count > 0 ? found : judgeMissingPath(tool, trace);
}

/** A rule that limits paths, over a call in which nothing is known to be one: the limit would not hold. */
function judgeMissingPath({ name, rule, commands }: CompiledTool, trace: Trace): Finding | null {
  if (commands !== null) return null;
  if (rule.allowedPaths === null && rule.deniedPaths.length === 0) return null;
  const reason = `${rule.rule.id} limits paths, but no argument of this call is known to be one`;
  return traced(trace, 'path', quoteForMessage(name), deny('PATH_NOT_ALLOWED', reason, { rule: rule.rule }), '');
}

/** An identical call was under way when a process died: only a `read` is repeated without asking. */
function judgeRepetition(
  tool: CompiledTool,
  facts: CallFacts,
  _compiled: CompiledPolicy,
  trace: Trace,
): Finding | null {
  if (!facts.uncertain) return null;
  const effect = tool.effect ?? facts.effect ?? 'egress';
  const reason = `it is not known how an identical call of ${quoteForMessage(facts.tool)} (effect ${effect}) ended`;
  const finding =
    effect === 'read'
      ? null
      : confirm('CONFIRMATION_REQUIRED', reason, 'Find out whether it took effect, then change the call');
  return traced(trace, 'outcome', quoteForMessage(facts.tool), finding, 'a read may be repeated');
}
