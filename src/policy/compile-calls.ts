import type { CompiledCommands } from './compiled.ts';
import type { RuleReference } from './decision.ts';
import { type CompiledEndpoints, compileEndpoints } from './endpoints.ts';
import type { PathJudges } from './judge-path.ts';
import { bindPathLists } from './path-rule.ts';
import type { PolicyEntry, ToolRule } from './policy.ts';
import { compileDeniedPattern } from './shell/index.ts';

/** Binds what a rule says about command lines. `reads` are the judges of what its tool reads. */
export function compileCommands(rule: ToolRule, reads: PathJudges, root: string): CompiledCommands {
  const { allowedCommands, deniedPatterns, confirmation } = rule;
  const texts = (entries: readonly PolicyEntry[]): readonly string[] => entries.map(({ text }) => text);
  const references = new Map<string, RuleReference>();
  const refer = (key: string, entries: readonly PolicyEntry[]): void => {
    for (const [index, entry] of entries.entries()) references.set(`${key}[${index}]`, entry.rule);
  };
  refer('allowedCommands', allowedCommands ?? []);
  refer('deniedPatterns', deniedPatterns);
  refer('confirmCommands', confirmation.commands);
  return Object.freeze({
    rule: Object.freeze({
      allowedCommands: texts(allowedCommands ?? []),
      deniedPatterns: texts(deniedPatterns).map(compileDeniedPattern),
      confirmCommands: texts(confirmation.commands),
    }),
    references,
    operands: rule.allowedPaths === null ? withRoot(reads, rule.rule, root) : reads,
  });
}

/** The same judges over the whole root. */
function withRoot(reads: PathJudges, rule: RuleReference, root: string): PathJudges {
  const whole = bindPathLists([{ text: '.', rule: { ...rule, id: 'builtin.root' } }], [], root);
  const allowed = [...(whole.allowed ?? []), ...(reads.allow?.allowed ?? [])];
  return { ...reads, allow: { allowed, denied: [], exempt: [] } };
}

/**
 * Binds the endpoints of a rule. Its own stand in for those of the rule `api_call`; what needs a yes by either needs one.
 */
export function compileRuleEndpoints(rule: ToolRule, apiCall: ToolRule | null): CompiledEndpoints {
  const ownsEndpoints = rule.allowedEndpoints !== null || rule.internalEndpoints.length > 0;
  const source = ownsEndpoints || apiCall === null ? rule : apiCall;
  const others = apiCall === null || apiCall === rule ? [] : apiCall.confirmation.requests;
  return compileEndpoints({
    rule: { ...source.rule, id: `${source.rule.id}.allowedEndpoints` },
    allowedEndpoints: source.allowedEndpoints ?? [],
    internalEndpoints: source.internalEndpoints,
    methods: source.methods,
    secrets: rule.secrets,
    confirmRequests: [...rule.confirmation.requests, ...others],
  });
}
