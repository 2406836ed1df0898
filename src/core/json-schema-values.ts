import { canonicalJson } from './canonical-json.ts';
import { isMultipleOf } from './decimal.ts';
import type { JsonValue } from './json.ts';
import {
  type Builder,
  countKeyword,
  keyword,
  listKeyword,
  numberKeyword,
  refuseSchema,
  textKeyword,
} from './json-schema-builder.ts';
import { type Check, type Here, report, spend, WorkSpent } from './json-schema-node.ts';
import { type LinearPattern, MAX_PATTERN_WORK } from './linear-pattern.ts';
import { quoteForMessage } from './terminal.ts';

type TypeName = 'null' | 'boolean' | 'object' | 'array' | 'number' | 'string' | 'integer';

const TYPE_NAMES: ReadonlySet<string> = new Set<TypeName>([
  'null',
  'boolean',
  'object',
  'array',
  'number',
  'string',
  'integer',
]);

const typeOf = (value: JsonValue): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

/** `type`, `enum`, `const`, and the keywords of numbers and strings. */
export const valueChecks = (builder: Builder): Check[] => [
  ...typeCheck(builder),
  ...equalityChecks(builder),
  ...numberChecks(builder),
  ...lengthChecks(builder),
  ...patternCheck(builder),
];

function typeCheck(builder: Builder): Check[] {
  const declared = keyword(builder, 'type');
  if (declared === undefined) return [];
  const names = Array.isArray(declared) ? declared : [declared];
  const known = names.every((name) => typeof name === 'string' && TYPE_NAMES.has(name));
  if (!known || names.length === 0) refuseSchema(`${builder.node.pointer}/type`, 'type names JSON types');
  const accepted = new Set(names);
  const message = `expected ${names.join(' or ')}`;
  return [
    (value, here) =>
      accepted.has(typeOf(value)) ||
      (accepted.has('integer') && Number.isInteger(value)) ||
      report(here, builder.node, 'type', `${message}, not ${typeOf(value)}`),
  ];
}

function equalityChecks(builder: Builder): Check[] {
  const checks: Check[] = [];
  const list = listKeyword(builder, 'enum');
  if (list !== undefined) checks.push(memberCheck(builder, 'enum', list));
  const constant = keyword(builder, 'const');
  if (constant !== undefined) checks.push(memberCheck(builder, 'const', [constant]));
  return checks;
}

/** Equal values have equal canonical text. */
function memberCheck(builder: Builder, name: string, members: readonly JsonValue[]): Check {
  const accepted = new Set(members.map(canonicalJson));
  const shown = members.slice(0, 8).map((member) => quoteValue(member));
  const rest = members.length > shown.length ? `, … (${members.length})` : '';
  const message =
    members.length === 0
      ? 'no value is accepted'
      : `expected ${members.length === 1 ? '' : 'one of '}${shown.join(', ')}`;
  return (value, here) => {
    const text = canonicalJson(value);
    spend(here.run, text.length >> 6);
    return accepted.has(text) || report(here, builder.node, name, message + rest);
  };
}

const quoteValue = (value: JsonValue): string =>
  typeof value === 'string' ? quoteForMessage(value, 60) : quoteForMessage(canonicalJson(value), 60).slice(1, -1);

type Comparison = readonly [name: string, holds: (value: number, limit: number) => boolean, words: string];

const COMPARISONS: readonly Comparison[] = [
  ['minimum', (value, limit) => value >= limit, 'at least'],
  ['maximum', (value, limit) => value <= limit, 'at most'],
  ['exclusiveMinimum', (value, limit) => value > limit, 'more than'],
  ['exclusiveMaximum', (value, limit) => value < limit, 'less than'],
  ['multipleOf', isMultipleOf, 'a multiple of'],
];

function numberChecks(builder: Builder): Check[] {
  const checks: Check[] = [];
  for (const [name, holds, words] of COMPARISONS) {
    const limit = numberKeyword(builder, name);
    if (limit === undefined) continue;
    if (name === 'multipleOf' && limit <= 0) {
      refuseSchema(`${builder.node.pointer}/multipleOf`, 'multipleOf is above 0');
    }
    checks.push(
      (value, here) =>
        typeof value !== 'number' ||
        holds(value, limit) ||
        report(here, builder.node, name, `expected ${words} ${limit}`),
    );
  }
  return checks;
}

function lengthChecks(builder: Builder): Check[] {
  const checks: Check[] = [];
  const shortest = countKeyword(builder, 'minLength');
  const longest = countKeyword(builder, 'maxLength');
  if (shortest !== undefined) {
    const message = `expected at least ${shortest} characters`;
    checks.push(
      (value, here) =>
        typeof value !== 'string' ||
        countPoints(value, here) >= shortest ||
        report(here, builder.node, 'minLength', message),
    );
  }
  if (longest !== undefined) {
    const message = `expected at most ${longest} characters`;
    checks.push(
      (value, here) =>
        typeof value !== 'string' ||
        value.length <= longest ||
        countPoints(value, here) <= longest ||
        report(here, builder.node, 'maxLength', message),
    );
  }
  return checks;
}

/** JSON Schema counts code points, not UTF-16 units. */
function countPoints(text: string, here: Here): number {
  spend(here.run, text.length >> 6);
  let count = text.length;
  for (let at = 0; at < text.length - 1; at++) {
    if ((text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) count -= 1;
  }
  return count;
}

function patternCheck(builder: Builder): Check[] {
  const source = textKeyword(builder, 'pattern');
  if (source === undefined) return [];
  const pattern = builder.pattern(source, 'pattern');
  const message = `expected a text that matches ${quoteForMessage(source)}`;
  return [
    (value, here) =>
      typeof value !== 'string' || matches(pattern, value, here) || report(here, builder.node, 'pattern', message),
  ];
}

/** Runs a pattern within the budget of the run. */
export function matches(pattern: LinearPattern, text: string, here: Here): boolean {
  here.run.patternBudget -= pattern.size * text.length;
  if (here.run.patternBudget < 0) throw new WorkSpent('the text is too long for the pattern that judges it');
  return pattern.test(text);
}

/** Pattern work that one validation may do. */
export const PATTERN_BUDGET: number = MAX_PATTERN_WORK;
