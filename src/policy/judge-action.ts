import { DEFAULT_LIMITS, quoteForMessage } from '../core/index.ts';
import { isPlainUri, matchesUri, rightFor, type ServerAction, targetOf } from './actions.ts';
import { boundsOf } from './compile-limits.ts';
import type { CompiledPolicy } from './compiled.ts';
import type { Obligations, RuleReference } from './decision.ts';
import type { CallFacts } from './facts.ts';
import { deny, type Finding, listSome, type Trace, traced } from './finding.ts';
import { findIsolation } from './isolation.ts';
import { judgeWithheld } from './judge-path.ts';
import type { Policy, PolicyEntry, ServerRule } from './policy.ts';
import { namesTool } from './tool-names.ts';

/** Whether some action of this name could be allowed by what the policy opens of the server. */
export function actionMayBeAllowed({ policy }: CompiledPolicy, { server, method }: ServerAction): boolean {
  const rule = policy.servers.get(server);
  return rule !== undefined && !('code' in openedBy(rule, method));
}

/**
 * Judges an action of a server: the rule that allows it, or why not. ATTACKER-CONTROLLED: the arguments, and the name of
 * the method.
 */
export function judgeAction(
  compiled: CompiledPolicy,
  facts: CallFacts,
  action: ServerAction,
  trace: Trace,
): RuleReference | Finding {
  const rule = compiled.policy.servers.get(action.server);
  const judged = rule === undefined ? unknownServer(action) : judgeOpened(compiled, facts, action, rule);
  const finding = 'code' in judged ? judged : null;
  traced(trace, 'action', quoteForMessage(facts.tool), finding, 'id' in judged ? `allowed by ${judged.id}` : '');
  return judged;
}

function judgeOpened(
  compiled: CompiledPolicy,
  facts: CallFacts,
  { method }: ServerAction,
  rule: ServerRule,
): RuleReference | Finding {
  const opened = openedBy(rule, method);
  if ('code' in opened) return opened;
  const { isolation } = actionObligations(compiled.policy, { server: rule.name, method }, facts.tool);
  const misplaced = findIsolation({ tool: rule.rule.id, runs: rule.url === null ? 'spawned' : 'remote' }, isolation);
  if (misplaced !== null) return misplaced;
  const target = targetOf(method, facts.arguments);
  if (target?.kind === 'uri') return judgeUri(compiled, facts, rule, target.text) ?? opened;
  return target?.kind === 'prompt' ? judgePrompt(rule, target.text) : opened;
}

const unknownServer = ({ server }: ServerAction): Finding =>
  deny('ACTION_NOT_ALLOWED', `no server ${quoteForMessage(server)} stands under servers:`);

/** The rule that opens a method of a server at all. */
function openedBy({ name, actions, rule }: ServerRule, method: string): RuleReference | Finding {
  const right = rightFor(method);
  if (right === null) return rule;
  if (right === undefined)
    return deny('ACTION_NOT_ALLOWED', `${quoteForMessage(method)} is no action that a policy can allow`);
  const opened = actions[right];
  const reference = opened !== null && 'length' in opened ? opened[0]?.rule : opened;
  if (reference !== undefined && reference !== null) return reference;
  const reason = `servers.${name}.${right} does not allow ${quoteForMessage(method)}`;
  return deny('ACTION_NOT_ALLOWED', reason, {
    rule,
    instead: `Ask the operator to open ${right} of the server ${name}`,
  });
}

/** Null when the URI is one of those that the policy opens, and no path that it withholds. */
function judgeUri(compiled: CompiledPolicy, facts: CallFacts, rule: ServerRule, uri: string): RuleReference | Finding {
  const { resources } = rule.actions;
  if (!isPlainUri(uri)) {
    return deny('URI_MALFORMED', `${quoteForMessage(uri, 200)} cannot be compared with the resources that are allowed`);
  }
  const entry = resources.find(({ text }) => matchesUri(text, uri));
  if (entry === undefined) return refuseTarget('RESOURCE_NOT_ALLOWED', rule, 'resources', uri, resources);
  for (const { reading } of Object.values(facts.paths)) {
    const withheld = judgeWithheld(compiled.tools.get('file_read')?.paths.file_read ?? null, reading, compiled.root);
    if (withheld !== null) return withheld;
  }
  return entry.rule;
}

function judgePrompt(rule: ServerRule, name: string): RuleReference | Finding {
  const { prompts } = rule.actions;
  const entry = prompts.find(({ text }) => namesTool(text, name));
  return entry?.rule ?? refuseTarget('PROMPT_NOT_ALLOWED', rule, 'prompts', name, prompts);
}

function refuseTarget(
  code: 'RESOURCE_NOT_ALLOWED' | 'PROMPT_NOT_ALLOWED',
  { name, rule }: ServerRule,
  key: 'resources' | 'prompts',
  target: string,
  entries: readonly PolicyEntry[],
): Finding {
  const texts = entries.map(({ text }) => text);
  const instead = texts.length === 0 ? `No ${key} of the server are allowed` : `Allowed ${key}: ${listSome(texts)}`;
  const reason = `servers.${name}.${key} does not name ${quoteForMessage(target, 200)}`;
  return deny(code, reason, { rule: { ...rule, id: `servers.${name}.${key}` }, instead });
}

/** What must hold while an action of a server runs. */
export function actionObligations(policy: Policy, { server }: ServerAction, name: string): Obligations {
  const rule = policy.servers.get(server);
  const stated = [rule?.isolation ?? [], policy.defaults.isolation];
  return Object.freeze({
    isolation: stated.find((levels) => levels.length > 0) ?? Object.freeze([]),
    timeoutMs: rule?.timeoutMs ?? DEFAULT_LIMITS.upstreamMs,
    maxLength: null,
    onInjection: 'quarantine',
    boundary: false,
    outputSchemas: Object.freeze([]),
    audit: false,
    ...boundsOf(policy, name, null, server),
  });
}
