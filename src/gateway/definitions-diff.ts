import { canonicalJson, escapeForTerminal, isJsonObject, type JsonObject, type JsonValue } from '../core/index.ts';
import type { ServerDefinitions } from './definitions.ts';

/**
 * What changed in a server's definitions, one change a line: `+` new, `-` gone, `~` changed, with both values, whole: what is
 * approved is what was shown. Safe to print: what only a machine would see becomes visible. Empty when nothing changed.
 * `locked` is null before the first approval.
 */
export function diffDefinitions(locked: ServerDefinitions | null, current: ServerDefinitions): readonly string[] {
  const before = locked ?? { ...NOTHING, protocol: current.protocol };
  return [
    ...diffValue('protocol', before.protocol, current.protocol),
    ...diffValue('server', before.serverInfo, current.serverInfo),
    ...diffValue('capabilities', before.capabilities, current.capabilities),
    ...diffValue('instructions', before.instructions, current.instructions),
    ...diffList('tool', 'name', before.tools, current.tools),
    ...diffList('prompt', 'name', before.prompts, current.prompts),
    ...diffList('template', 'uriTemplate', before.resourceTemplates, current.resourceTemplates),
  ];
}

const NOTHING: Omit<ServerDefinitions, 'protocol'> = {
  ...{ capabilities: {}, serverInfo: null, instructions: null, tools: [], prompts: [], resourceTemplates: [] },
};

/** Definitions by name; those that share a name are compared as one list. */
function byName(definitions: readonly JsonObject[], key: string): ReadonlyMap<string, JsonValue> {
  const groups = new Map<string, JsonObject[]>();
  for (const definition of definitions) {
    const name = String(definition[key]);
    groups.set(name, [...(groups.get(name) ?? []), definition]);
  }
  return new Map([...groups].map(([name, group]) => [name, group.length === 1 ? (group[0] ?? null) : group]));
}

function diffList(noun: string, key: string, before: readonly JsonObject[], after: readonly JsonObject[]): string[] {
  const [old, current] = [byName(before, key), byName(after, key)];
  const names = [...new Set([...old.keys(), ...current.keys()])].sort();
  return names.flatMap((name) => {
    const label = `${noun} ${show(name)}`;
    const [was, is] = [old.get(name), current.get(name)];
    if (was === undefined) return [`+ ${label}`, ...fieldsOf(label, key, is)];
    if (is === undefined) return [`- ${label}`];
    return diffValue(label, was, is);
  });
}

/** The fields of a new definition: an operator approves all of them, so all are shown. */
const fieldsOf = (label: string, key: string, definition: JsonValue | undefined): string[] =>
  isJsonObject(definition)
    ? Object.keys(definition)
        .filter((field) => field !== key)
        .map((field) => `+ ${label} ${show(field)}: ${show(definition[field])}`)
    : [];

/** ATTACKER-CONTROLLED: `key`, which may be one that every object has. */
const ownField = (object: JsonObject, key: string): JsonValue | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;

function diffValue(label: string, before: JsonValue, after: JsonValue): string[] {
  if (canonicalJson(before) === canonicalJson(after)) return [];
  if (!isJsonObject(before) || !isJsonObject(after)) {
    if (before === null) return [`+ ${label}: ${show(after)}`];
    if (after === null) return [`- ${label}: ${show(before)}`];
    return [`~ ${label}: ${show(before)} -> ${show(after)}`];
  }
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key) => {
    const [old, current] = [ownField(before, key), ownField(after, key)];
    const inner = `${label} ${show(key)}`;
    if (old === undefined) return [`+ ${inner}: ${show(current)}`];
    if (current === undefined) return [`- ${inner}: ${show(old)}`];
    return diffValue(inner, old, current);
  });
}

/** ATTACKER-CONTROLLED: the value. */
function show(value: JsonValue | undefined): string {
  const text = typeof value === 'string' && /^[A-Za-z0-9_.-]{1,64}$/.test(value) ? value : canonicalJson(value ?? null);
  return escapeForTerminal(text);
}

/**
 * Lines of at most `width` characters (more than 10). What goes on in a new line stands behind `    | `, so that no text can
 * look like a change of its own.
 */
export function wrapLines(lines: readonly string[], width: number): readonly string[] {
  return lines.flatMap((line) => {
    const wrapped: string[] = [];
    for (let at = 0; at < line.length || wrapped.length === 0; ) {
      const head = wrapped.length === 0 ? '' : CONTINUED;
      const to = cutAt(line, at + width - head.length);
      wrapped.push(head + line.slice(at, to));
      at = to;
    }
    return wrapped;
  });
}

/** Never in the middle of a character of two UTF-16 code units: each half alone would be shown as neither. */
const cutAt = (line: string, to: number): number =>
  to < line.length && (line.codePointAt(to - 1) ?? 0) > 0xffff ? to - 1 : to;

const CONTINUED = '    | ';
