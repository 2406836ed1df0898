import { type JsonObject, type JsonValue, jsonForTerminal } from '../core/index.ts';
import type { Binding } from './binding.ts';

/** A rule for the policy file that would make the question unnecessary, for exactly these values. */
export interface Suggestion {
  /** What to merge under `tools:`. */
  readonly fragment: JsonObject;
  /** The same as YAML; strings are JSON strings, which YAML reads alike. */
  readonly yaml: string;
  /** What else changes with it, in one sentence. */
  readonly note: string;
}

/** Values beyond which a rule is no rule that a person reads. */
const MAX_YAML = 4_096;

/**
 * The narrowest rule that would let this call pass without a question; null where there is none: the whole command, the real
 * path of a self-running file, or a condition that excepts these values of every argument. ATTACKER-CONTROLLED: the values.
 */
export function suggestRule(binding: Binding): Suggestion | null {
  const rule = ruleFor(binding);
  if (rule === null) return null;
  const fragment: JsonObject = { [binding.tool]: rule.change };
  const yaml = toYaml({ tools: fragment }, '');
  return yaml.length > MAX_YAML ? null : Object.freeze({ fragment, yaml, note: rule.note });
}

interface Rule {
  readonly change: JsonObject;
  readonly note: string;
}

function ruleFor({ tool, arguments: args, facts, why }: Binding): Rule | null {
  if (tool === 'shell') {
    const { command } = args;
    const isPlain = typeof command === 'string' && /^[A-Za-z0-9 ./_=:@,+-]+$/.test(command);
    if (!isPlain || !/^COMMAND_/.test(why.code) || why.code === 'COMMAND_CONFIRM') return null;
    return {
      change: { allowedCommands: [command] },
      note: 'Add the entry to the list that is there: it allows this whole command.',
    };
  }
  if (why.code === 'PATH_SELF_RUNNING') {
    const paths = Object.values(facts.paths).map(({ real }) => real);
    if (paths.length === 0 || paths.some((path) => /[*?[\]{}!\\]/.test(path))) return null;
    return {
      change: { allowedPaths: paths },
      note: 'Add the entries to the list that is there: they name these files only.',
    };
  }
  if (!why.rule.includes('requiresConfirmation')) return null;
  const condition = exceptCondition(args);
  if (condition === null) return null;
  return {
    // INVARIANT: an argument that the condition does not name is denied, so that nothing rides along with these values.
    change: {
      arguments: Object.fromEntries(Object.keys(args).map((name) => [name, {}])),
      requiresConfirmation: { when: condition },
    },
    note: 'In place of requiresConfirmation: every call but one with exactly these values still asks; other arguments are denied.',
  };
}

/** True for every call but one with these values; null where a value is no text, number or truth. */
function exceptCondition(args: JsonObject): string | null {
  const entries = Object.entries(args).sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = entries.map(([name, value]) =>
    isScalar(value) && isWord(name) ? `arguments.${name} != ${JSON.stringify(value)}` : null,
  );
  return parts.length === 0 || parts.includes(null) ? null : parts.join(' or ');
}

const isWord = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name);
const isScalar = (value: JsonValue): boolean =>
  typeof value === 'boolean' ||
  Number.isSafeInteger(value) ||
  (typeof value === 'string' && /^[ -!#-[\]-~]*$/.test(value));

const OURS: ReadonlySet<string> = new Set([
  'tools',
  'arguments',
  'requiresConfirmation',
  'when',
  'allowedCommands',
  'allowedPaths',
]);

function toYaml(value: JsonObject, indent: string): string {
  return Object.entries(value)
    .map(([key, item]) => {
      // A name that somebody else chose is quoted: YAML reads some words as something else.
      const name = OURS.has(key) ? key : jsonForTerminal(key);
      return isMapping(item) && Object.keys(item).length > 0
        ? `${indent}${name}:\n${toYaml(item, `${indent}  `)}`
        : `${indent}${name}: ${jsonForTerminal(item)}\n`;
    })
    .join('');
}

const isMapping = (value: JsonValue): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
