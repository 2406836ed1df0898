import { DEFAULT_LIMITS, type IsolationLevel, quoteForMessage } from '../core/index.ts';
import type { NamedLimit } from './limits.ts';
import type { PrincipalRule, ServerRule, ToolRule } from './policy.ts';
import { addProblem, type PolicyReading, segment } from './reading.ts';
import { canOverlap, namesTool, serverOf } from './tool-names.ts';

/** The parts of a policy, for the checks that look at more than one of them. */
export interface PolicyParts {
  readonly tools: readonly ToolRule[];
  readonly servers: ReadonlyMap<string, ServerRule>;
  readonly principals: readonly PrincipalRule[] | null;
  readonly limits: readonly NamedLimit[];
  /** Levels that hold where a rule names none. */
  readonly isolation: readonly IsolationLevel[];
}

const MAX_WILDCARD_KEYS = 256;

/** Checks between rules, and what is worth a warning. */
export function checkWhole(reading: PolicyReading, parts: PolicyParts): void {
  const rules = parts.tools.length + parts.servers.size + (parts.principals?.length ?? 0);
  if (rules > DEFAULT_LIMITS.policyRules) {
    addProblem(
      reading,
      '',
      `the policy has ${rules} rules, at most ${DEFAULT_LIMITS.policyRules}`,
      'Split it over several gates',
    );
    return;
  }
  checkToolNames(reading, parts.tools);
  checkExposed(reading, parts.servers);
  checkPrincipalTools(reading, parts);
  checkUses(reading, parts.tools);
  checkConfined(reading, parts);
  warn(reading, parts);
}

/** No tool may fall under two keys, not even one that differs in letter case: which rule holds would be an accident. */
function checkToolNames(reading: PolicyReading, tools: readonly ToolRule[]): void {
  const wild = tools.filter(({ name }) => name.includes('*'));
  if (wild.length > MAX_WILDCARD_KEYS) {
    addProblem(reading, '/tools', `more than ${MAX_WILDCARD_KEYS} keys with *`, 'Name the tools');
    return;
  }
  const known = new Map<string, ToolRule>();
  const wildBefore: ToolRule[] = [];
  for (const rule of tools) {
    const folded = rule.name.toLowerCase();
    const isWild = rule.name.includes('*');
    // Each pair is reported once: a plain key against all patterns, a pattern against those before it.
    const patterns = isWild ? wildBefore : wild;
    const twin = known.get(folded) ?? patterns.find((other) => canOverlap(other.name, rule.name));
    known.set(folded, rule);
    if (isWild) wildBefore.push(rule);
    if (twin === undefined) continue;
    const message = `${quoteForMessage(rule.name)} and ${quoteForMessage(twin.name)} can name the same tool`;
    const remedy = 'Keep one of the two keys, or narrow the one with *';
    addProblem(reading, `/tools${segment(rule.name)}`, message, remedy, 'key');
  }
}

/** Names that reach clients without a prefix are those of one server, or nobody could tell whose they are. */
function checkExposed(reading: PolicyReading, servers: PolicyParts['servers']): void {
  const exposed = [...servers.values()].filter(({ expose }) => expose === 'as-is');
  for (const { name } of servers.size > 1 ? exposed : []) {
    const message = 'expose: as-is is for a server that stands alone, and there are others';
    addProblem(reading, `/servers${segment(name)}/expose`, message, 'Remove it, or keep one server in the policy');
  }
}

function checkPrincipalTools(reading: PolicyReading, { tools, servers, principals }: PolicyParts): void {
  const exact = new Set(tools.map(({ name }) => name));
  const wild = tools.filter(({ name }) => name.includes('*'));
  for (const principal of principals ?? []) {
    for (const [index, { text }] of principal.tools.entries()) {
      if (text.includes(':') && [...servers.keys()].some((server) => canOverlap(text, `mcp__${server}:*`))) continue;
      const others = text.includes('*') ? tools : wild;
      if (exact.has(text) || others.some(({ name }) => canOverlap(name, text))) continue;
      const message = `no rule under tools: is for ${quoteForMessage(text)}`;
      addProblem(
        reading,
        `/principals${segment(principal.name)}/tools/${index}`,
        message,
        'Add the rule, or remove the entry',
      );
    }
  }
}

/** A path that is judged by a rule which is not there can never be allowed. */
function checkUses(reading: PolicyReading, tools: readonly ToolRule[]): void {
  const known = new Map<string, boolean>();
  const hasRule = (use: string): boolean => {
    const found =
      known.get(use) ?? tools.some(({ name, allowedPaths }) => allowedPaths !== null && namesTool(name, use));
    known.set(use, found);
    return found;
  };
  for (const { name, allowedPaths, arguments: named } of tools) {
    if (allowedPaths !== null) continue;
    for (const argument of named ?? []) {
      if (argument.as !== 'file_read' && argument.as !== 'file_write') continue;
      if (hasRule(argument.as)) continue;
      const message = `as: ${argument.as} can never be allowed: neither this rule nor one for ${argument.as} has allowedPaths`;
      const place = `/tools${segment(name)}/arguments${segment(argument.name)}`;
      addProblem(reading, place, message, `Write allowedPaths here, or a rule for ${argument.as}`, 'key');
    }
  }
}

/** Without a sandbox a program reaches what it likes: a list of what it may reach would silently not hold. */
function checkConfined(reading: PolicyReading, { tools, servers, isolation }: PolicyParts): void {
  const check = (rule: ToolRule | ServerRule, place: string, key: string): void => {
    const levels = rule.isolation.length > 0 ? rule.isolation : isolation;
    if (levels.length > 0 && !levels.includes('none')) return;
    const message = `${key} does not hold with isolation: ${levels.length === 0 ? 'left open' : 'none'}`;
    const remedy = 'Write isolation: bubblewrap (or gvisor) in the same rule';
    addProblem(reading, `${place}${segment(rule.name)}/${key}`, message, remedy, 'key');
  };
  for (const rule of tools) if (rule.spawn.egress !== null) check(rule, '/tools', 'egress');
  for (const rule of servers.values()) {
    if (rule.spawn.egress !== null) check(rule, '/servers', 'egress');
    if (rule.paths !== null) check(rule, '/servers', 'paths');
  }
}

function warn(reading: PolicyReading, { tools, servers }: PolicyParts): void {
  const note = (pointer: string, message: string, remedy: string): void => {
    reading.warnings.push({ pointer, part: 'key', message, remedy });
  };
  if (tools.length === 0) note('/tools', 'there are no rules: every call is denied', 'Add rules under tools:');
  for (const { name, allowedPaths } of tools) {
    const server = serverOf(name);
    if (server !== null && !servers.has(server)) {
      note(`/tools${segment(name)}`, `no server ${quoteForMessage(server)} stands under servers:`, 'Add the server');
    }
    const all = allowedPaths?.findIndex(({ text }) => /^\/+$/.test(text)) ?? -1;
    if (all >= 0)
      note(`/tools${segment(name)}/allowedPaths/${all}`, 'the whole file system is allowed', 'Name folders');
  }
}
